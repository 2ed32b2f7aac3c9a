/** Writes the log as JSON lines for offline verification; `verify/export.ts` says what the lines are. */
import type { LogReader } from './log-reader.ts';
import { EXPORT_FORMAT } from './verify/export.ts';

const ENTRIES_AT_ONCE = 1_000;

/** Lines without their newline: the newest head, then each of its leaves in order. Memory: one page of leaves. */
export async function* exportLog(reader: LogReader): AsyncGenerator<string> {
  const head = await reader.head();
  yield JSON.stringify({ format: EXPORT_FORMAT, head: head.note });
  for (let start = 0; start < head.size; start += ENTRIES_AT_ONCE) {
    const end = Math.min(start + ENTRIES_AT_ONCE, head.size);
    for (const { index, leaf } of await reader.entries(start, end)) yield JSON.stringify({ index, leaf });
  }
}
