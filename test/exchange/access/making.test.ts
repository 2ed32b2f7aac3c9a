import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Field, Int64, makeData, RecordBatch, Schema, Struct, Utf8, vectorFromArray } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BodyBuffers, PartWriter } from '../../../columnar/write.ts';
import { make, type Work } from '../../../exchange/access/making/make.ts';
import { makeInThreads } from '../../../exchange/access/making/make-in-threads.ts';
import type { Policy } from '../../../exchange/access/policy/policy.ts';
import type { Shown } from '../../../exchange/access/projections.ts';
import { projectedBatches } from '../../../exchange/access/renditions/batches.ts';
import { openFileStore } from '../../../exchange/store/file-store.ts';
import { openPartStore, type PartStore } from '../../../exchange/store/part-store.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { memoryTags } from '../store/memory-tags.ts';

const ROWS = 20_000;
const BATCHES_A_PART = 3;
const schema = new Schema([new Field('id', new Int64()), new Field('name', new Utf8())]);
const policy: Policy = {
  items: ['id', 'name'],
  masks: { name: { mask: 'keyed-hash' } },
  rowFilter: { ge: { column: 'id', value: 10 } },
  hashedFor: 'police',
  digest: 'a'.repeat(64),
};
const making = { make: 'projection' as const, policy, maskKey: new Uint8Array(32).fill(7) };
const alive = async () => {};
let directory: string;
let store: PartStore;
let stored: Shown;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-making-'));
  const files = await openFileStore(directory);
  store = openPartStore(files, memoryTags());
  const parts = [];
  for (let part = 0; part < 3; part++) {
    const object = await store.put(bytesOf(part));
    parts.push({ ...object, rows: ROWS * BATCHES_A_PART });
  }
  stored = { schema, parts };
  expect(parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeGreaterThan(limits.projectionThreadBytesMin);
});

afterAll(() => rm(directory, { recursive: true }));

async function* bytesOf(part: number): AsyncGenerator<Uint8Array> {
  const writer = new PartWriter(schema, new BodyBuffers());
  yield* writer.start();
  for (let batch = 0; batch < BATCHES_A_PART; batch++) {
    const first = (part * BATCHES_A_PART + batch) * ROWS;
    const data = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(first + i));
    const id = makeData({ type: new Int64(), length: ROWS, data });
    const words = Array.from({ length: ROWS }, (_, i) => `${Math.imul(first + i, 2_654_435_761) >>> 0} 号`);
    const name = vectorFromArray(words, new Utf8()).data[0]!;
    const type = new Struct(schema.fields);
    yield* writer.batch(new RecordBatch(schema, makeData({ type, length: ROWS, nullCount: 0, children: [id, name] })));
  }
  yield* writer.end();
}

async function rowsOf(parts: Shown['parts']): Promise<[bigint, string][]> {
  const rows: [bigint, string][] = [];
  for await (const batch of projectedBatches({ store, schema, parts, projection: { columns: null } })) {
    const [ids, names] = [batch.getChildAt(0)!, batch.getChildAt(1)!];
    for (let row = 0; row < batch.numRows; row++) rows.push([ids.get(row), names.get(row)]);
  }
  return rows;
}

/** What it makes here and in threads, and how long this thread was busy with each. */
async function hereAndThere(work: Work) {
  const before = performance.eventLoopUtilization();
  const here = await make(store, stored, work);
  const busyHere = performance.eventLoopUtilization(before).active;
  // Once for the bundle, which other processes may still have to make.
  await makeInThreads(store, stored, work, alive);
  const then = performance.eventLoopUtilization();
  const there = await makeInThreads(store, stored, work, alive);
  const busyThere = performance.eventLoopUtilization(then).active;
  return { here, there, busyHere, busyThere };
}

test('threads make the same rows in the same order, and leave the server’s thread to others', async () => {
  const { here, there, busyHere, busyThere } = await hereAndThere(making);
  const rows = await rowsOf(there);
  expect(rows).toHaveLength(ROWS * BATCHES_A_PART * 3 - 10);
  expect(rows).toEqual(await rowsOf(here));
  expect(rows[0]).toEqual([10n, expect.stringMatching(/^[0-9a-f]+$/)]);
  expect(there.length).toBe(2);
  expect(busyThere).toBeLessThan(busyHere / 2);
}, 60_000);

test('a thread makes the same Parquet, and leaves the server’s thread to others', async () => {
  const { here, there, busyHere, busyThere } = await hereAndThere({ make: 'parquet', columns: null });
  expect(there).toEqual(here);
  expect(there).toEqual([expect.objectContaining({ rows: ROWS * BATCHES_A_PART * 3 })]);
  expect(busyThere).toBeLessThan(busyHere / 2);
}, 60_000);

test('what fails in the store or in a part is told by its own code, and nothing goes on', async () => {
  const failing = (changes: Partial<PartStore>): PartStore => ({
    open: (digest) => store.open(digest),
    put: (bytes) => store.put(bytes),
    ...changes,
  });
  const full = failing({
    put: async (bytes) => {
      for await (const chunk of bytes) if (chunk.byteLength > 0) break;
      throw new HuitongError('STORE_FULL', 'the object store is full');
    },
  });
  await expect(makeInThreads(full, stored, making, alive)).rejects.toMatchObject({ code: 'STORE_FULL' });
  const missing = { schema, parts: [...stored.parts, { ...stored.parts[0]!, digest: '0'.repeat(64) }] };
  await expect(makeInThreads(store, missing, making, alive)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
  const corrupt = new HuitongError('OBJECT_CORRUPT', 'a stored object is not what was put');
  const damaged = failing({
    open: async (digest) => {
      const object = await store.open(digest);
      if (digest !== stored.parts[0]!.digest) return object;
      return {
        ...object,
        // biome-ignore lint/correctness/useYield: it has nothing to give
        async *lend() {
          throw corrupt;
        },
      };
    },
  });
  await expect(makeInThreads(damaged, stored, making, alive)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
  const lease = makeInThreads(store, stored, making, async () => {
    throw new HuitongError('CATALOG_UNREACHABLE', 'the catalog is away');
  });
  await expect(lease).rejects.toMatchObject({ code: 'CATALOG_UNREACHABLE' });
}, 60_000);
