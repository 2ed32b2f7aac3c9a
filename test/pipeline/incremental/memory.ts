/** A staging session that keeps objects in memory, and rows of two columns to bring through buckets. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Int64, makeData, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { readAtOf, readBatches } from '../../../columnar/read.ts';
import { generateBoxKeys } from '../../../lib/sealed-box.ts';
import { type MergeResult, type MergeTask, mergeBuckets } from '../../../pipeline/incremental/merge.ts';
import { operations, RunWriter } from '../../../pipeline/incremental/row-runs.ts';
import type { StagingSession } from '../../../pipeline/staging.ts';
import type { ReportedPart } from '../../../schemas/generated/run-report.ts';

export const schema = new Schema([new Field('id', new Int64(), false), new Field('姓名', new Utf8(), true)]);
const { publicKey: quarantineKey } = generateBoxKeys();

/** `kind` as in `operations`. */
export interface Told {
  id: number;
  name: string | null;
  kind?: keyof typeof operations;
}

export function batchOf(rows: Told[]): RecordBatch {
  const columns = [rows.map(({ id }) => BigInt(id)), rows.map(({ name }) => name)];
  const children = schema.fields.map((field, i) => vectorFromArray(columns[i]!, field.type).data[0]!);
  const type = new Struct(schema.fields);
  return new RecordBatch(schema, makeData({ type, length: rows.length, nullCount: 0, children }));
}

export class MemoryStaging {
  readonly objects = new Map<string, Buffer>();

  readonly session = {
    openObject: async () => {
      const chunks: Buffer[] = [];
      return {
        write: async (chunk: Uint8Array) => {
          chunks.push(Buffer.from(chunk));
        },
        finish: async () => {
          const bytes = Buffer.concat(chunks);
          const digest = createHash('sha256').update(bytes).digest('hex');
          this.objects.set(digest, bytes);
          return { digest, sizeBytes: bytes.byteLength };
        },
        abort: async () => {},
      };
    },
    readObject: async (digest: string) => this.objects.get(digest)!,
  } as unknown as StagingSession;

  async rowsOf(parts: ReportedPart[]): Promise<Map<number, string | null>> {
    const rows = new Map<number, string | null>();
    for (const part of parts) {
      const bytes = this.objects.get(part.digest)!;
      for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) {
        for (const row of batch) rows.set(Number(row.id), row.姓名);
      }
    }
    return rows;
  }
}

/** Sorts what was told, in batches of a few rows over some partitions, and merges it. */
export async function bringIn(
  staging: MemoryStaging,
  told: Told[][],
  task: Pick<MergeTask, 'buckets' | 'full' | 'rows'> & { base?: MergeResult },
): Promise<MergeResult> {
  const directory = await mkdtemp(join(tmpdir(), 'huitong-merge-'));
  try {
    const runs = [];
    for (const [partition, rows] of told.entries()) {
      const writer = new RunWriter({ schema, keyColumns: [0], path: join(directory, `${partition}`), partition });
      for (let start = 0; start < rows.length; start += 7) {
        const some = rows.slice(start, start + 7);
        await writer.add(
          batchOf(some),
          Uint8Array.from(some, ({ kind = 'put' }) => operations[kind]),
          start,
        );
      }
      runs.push(...(await writer.end()));
    }
    const { signal } = new AbortController();
    const base = task.base && { parts: task.base.parts, sums: task.base.sums };
    const context = { schema, key: ['id'], session: staging.session, quarantineKey, signal };
    return await mergeBuckets(context, { ...task, kind: 'merge', runs, base });
  } finally {
    await rm(directory, { recursive: true });
  }
}
