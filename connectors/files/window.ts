/**
 * The bytes of a file as they come, in one piece of memory that moves along it: whole records are scanned where they
 * lie, the rest of an unfinished one is moved to the front before more is read.
 */
import type { ByteSource } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { CellTable } from './cells.ts';
import type { ScannedBytes } from './decode.ts';

const WINDOW_BYTES = 1024 * 1024;
/** Behind the last byte: what stops every scan, and room for copies by whole words. */
const SLACK_BYTES = 8;
const RECORD_BYTES_MAX = 4 * limits.cellBytesMax;
const LF = 0x0a;

/** The first phase: finds the cells of complete records. */
export interface RecordScanner {
  /**
   * Scans records from `start` on until the table is full or no complete one is left before `end`, and gives back where
   * it stopped. `bytes[end]` is a line feed that is not the file's. `last`: nothing comes behind `end`.
   */
  scan(bytes: Uint8Array, start: number, end: number, last: boolean, table: CellTable): number;
}

class Window {
  bytes = new Uint8Array(WINDOW_BYTES + SLACK_BYTES);
  source: ByteSource = { bytes: this.bytes, view: new DataView(this.bytes.buffer) };
  start = 0;
  end = 0;

  /** Adds bytes behind those that are left. `at` names the file in errors. */
  add(chunk: Uint8Array, at: string): void {
    if (this.end + chunk.length + SLACK_BYTES > this.bytes.length) this.makeRoom(chunk.length, at);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
    this.bytes[this.end] = LF;
  }

  private makeRoom(bytes: number, at: string): void {
    const left = this.end - this.start;
    if (left > RECORD_BYTES_MAX) {
      throw new HuitongError('CELL_TOO_LARGE', `a record is larger than ${RECORD_BYTES_MAX} bytes`, { at });
    }
    if (left + bytes + SLACK_BYTES <= this.bytes.length) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, left + bytes + SLACK_BYTES));
      larger.set(this.bytes.subarray(this.start, this.end));
      this.bytes = larger;
      this.source = { bytes: larger, view: new DataView(larger.buffer) };
    }
    this.start = 0;
    this.end = left;
  }
}

/** The first phase over a file: yields each time some rows are in the table. `at` names the file in errors. */
export async function* scanFile(
  chunks: AsyncIterable<Uint8Array>,
  scanner: RecordScanner,
  table: CellTable,
  at: string,
): AsyncGenerator<ScannedBytes> {
  const window = new Window();
  let wantedBytes = 0;
  for await (const chunk of chunks) {
    window.add(chunk, at);
    if (window.end - window.start < wantedBytes) continue;
    yield* drain(window, scanner, table, false);
    // A long record is scanned from its beginning again: each time twice as much of it, lest that become quadratic.
    wantedBytes = 2 * (window.end - window.start);
  }
  yield* drain(window, scanner, table, true);
}

function* drain(window: Window, scanner: RecordScanner, table: CellTable, last: boolean): Generator<ScannedBytes> {
  for (;;) {
    table.clear();
    const { start, end, source } = window;
    window.start = scanner.scan(window.bytes, start, end, last, table);
    if (table.rows > 0) yield { source, start, end: window.start };
    if (table.rows < table.rowsMax) return;
  }
}
