import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { openObject } from '../../../exchange/access/objects.ts';
import { openRead, prepareRead } from '../../../exchange/access/read.ts';
import type { Session } from '../../../exchange/access/session.ts';
import { toReceipt } from '../../../exchange/audit/receipt.ts';
import { CHUNK_BYTES } from '../../../exchange/store/chunk-tags.ts';
import { openFileStore } from '../../../exchange/store/file-store.ts';
import { DATASET } from '../publication/world.ts';
import { type Bench, batchOf, bytesOf, openBench, principal } from './support.ts';

let bench: Bench;
afterEach(() => bench.close());

const refused = (code: string) => expect.objectContaining({ code });
const own = principal('health');
const police = principal('police');
const all = { dataset: DATASET, version: 'current' as const };
const rowsOf = (count: number, from = 0) =>
  batchOf(Array.from({ length: count }, (_, i) => [BigInt(from + i), (from + i) % 5 === 0 ? null : `名${from + i}`]));

test('own data is read as Arrow, whole and by column, with exact length, ETag and both leaves', async () => {
  bench = await openBench({ sharing: { class: 'conditional' } });
  await bench.publish([[rowsOf(300), rowsOf(50, 300)], [rowsOf(10, 350)]]);
  const read = await openRead(bench.access, { ...all, principal: own, format: 'arrow' });
  const bytes = await bytesOf(read.stream);
  expect(bytes.byteLength).toBe(read.totalBytes);
  const table = tableFromIPC(bytes);
  expect(table.numRows).toBe(360);
  expect(table.get(351)?.toJSON()).toEqual({ id: 351n, 姓名: '名351' });

  const column = await openRead(bench.access, { ...all, principal: own, format: 'arrow', columns: ['姓名'] });
  const names = tableFromIPC(await bytesOf(column.stream));
  expect(names.schema.fields.map(({ name }) => name)).toEqual(['姓名']);
  expect([names.get(0)?.toJSON(), names.get(1)?.toJSON()]).toEqual([{ 姓名: null }, { 姓名: '名1' }]);
  expect(column.etag).not.toBe(read.etag);
  expect((await prepareRead(bench.access, { ...all, principal: own, format: 'arrow' })).etag).toBe(read.etag);

  await Promise.all([read.closed, column.closed]);
  const leaves = await bench.leaves();
  expect(leaves.map(({ action }) => action).sort()).toEqual([
    'dataset.read.closed',
    'dataset.read.closed',
    'dataset.read.opened',
    'dataset.read.opened',
  ]);
  const [opened, closed] = leaves.filter(({ session }) => session === read.id);
  expect(opened).toMatchObject({
    actor: 'token:t-health',
    onBehalfOf: 'health',
    object: `dataset/${DATASET}/version/1`,
    grant: 'implicit:own',
    decision: 'allow',
  });
  expect(opened?.subject).toMatch(/^hmac-sha256:/);
  expect(closed).toMatchObject({ outcome: 'complete', rows: 360, bytes: bytes.byteLength });
  expect(toReceipt(read.opened).leaf).not.toContain('张三');
  expect(await bench.world.catalog('lease').select()).toEqual([]);
});

test('any range of the Arrow stream is the same bytes; one that is not in it is refused', async () => {
  bench = await openBench();
  await bench.publish([[rowsOf(300)], [rowsOf(100, 300)]]);
  const request = { ...all, principal: police, format: 'arrow' as const };
  for (const columns of [undefined, ['姓名', 'id']]) {
    const prepared = await prepareRead(bench.access, { ...request, columns });
    const whole = await bytesOf((await prepared.open()).stream);
    const length = prepared.totalBytes as number;
    for (const [from, to] of [
      [0, 1],
      [7, 900],
      [length - 9, length],
      [0, length],
    ] as const) {
      const { stream, closed } = await prepared.open({ offset: from, length: to - from });
      expect((await bytesOf(stream)).equals(whole.subarray(from, to))).toBe(true);
      await closed;
    }
    for (const range of [
      { offset: 0, length: length + 1 },
      { offset: -1, length: 2 },
      { offset: 0, length: 0 },
    ]) {
      await expect(prepared.open(range)).rejects.toThrow(refused('REQUEST_INVALID'));
    }
  }
  expect((await bench.leaves()).some(({ range }) => range === '7-899')).toBe(true);
});

test('CSV and JSON lines hold the same rows; formulas are neutralised in text and left alone in numbers', async () => {
  bench = await openBench();
  await bench.publish([
    [
      batchOf([
        [-5n, '=1+2'],
        [9007199254740993n, 'a,"b"\n'],
        [3n, null],
        [4n, ''],
      ]),
    ],
    [rowsOf(0)],
  ]);
  const read = async (format: 'csv' | 'csv-bom' | 'json-lines', columns?: string[]) => {
    const opened = await openRead(bench.access, { ...all, principal: police, format, columns });
    const text = (await bytesOf(opened.stream)).toString();
    await opened.closed;
    return text;
  };
  const csv = `id,姓名\r\n-5,'=1+2\r\n9007199254740993,"a,""b""\n"\r\n3,\r\n4,""\r\n`;
  expect(await read('csv')).toBe(csv);
  expect(await read('csv-bom')).toBe(`\uFEFF${csv}`);
  expect(await read('csv', ['姓名', 'id'])).toMatch(/^姓名,id\r\n'=1\+2,-5\r\n/);
  expect(await read('json-lines')).toBe(
    '{"id":-5,"姓名":"=1+2"}\n{"id":9007199254740993,"姓名":"a,\\"b\\"\\n"}\n{"id":3,"姓名":null}\n{"id":4,"姓名":""}\n',
  );
  expect(await read('json-lines', ['id'])).toBe('{"id":-5}\n{"id":9007199254740993}\n{"id":3}\n{"id":4}\n');
  const closed = (await bench.leaves()).filter(({ action }) => action === 'dataset.read.closed');
  expect(closed.map(({ rows }) => rows)).toEqual([4, 4, 4, 4, 4]);
});

test('what is forbidden looks like what is absent, and each refusal is in the log', async () => {
  bench = await openBench({ sharing: { class: 'conditional' } });
  await bench.publish([[rowsOf(3)]]);
  const read = (principalOf = police, changes = {}) =>
    openRead(bench.access, { ...all, principal: principalOf, format: 'arrow', ...changes }).catch((e: Error) => e);
  const errors = [
    await read(),
    await read(police, { dataset: 'health.absent' }),
    await read(own, { version: 9 }),
    await read(principal('health', 'auditor', 'operator', 'worker', 'administrator')),
  ];
  for (const error of errors) expect(error).toEqual(refused('NOT_FOUND'));
  expect(new Set(errors.map((error) => (error as Error).message)).size).toBe(1);
  const denials = await bench.leaves();
  expect(denials.map(({ decision, rule, object }) => [decision, rule, object])).toEqual([
    ['deny', 'NOT_FOUND', `dataset/${DATASET}`],
    ['deny', 'NOT_FOUND', 'dataset/(unknown)'],
    ['deny', 'NOT_FOUND', `dataset/${DATASET}`],
    ['deny', 'NOT_FOUND', `dataset/${DATASET}`],
  ]);
  expect(await read(own)).not.toBeInstanceOf(Error);
});

test('only the unconditional items are given to others; any other column looks as if it were not there', async () => {
  const conditional = { sharing: { class: 'conditional' as const } };
  bench = await openBench({ sharing: { class: 'unconditional' }, items: { 姓名: conditional } });
  await bench.publish([[rowsOf(3)]]);
  const read = (columns?: string[], who = police) =>
    openRead(bench.access, { ...all, principal: who, format: 'json-lines', columns });
  expect((await bytesOf((await read()).stream)).toString()).toBe('{"id":0}\n{"id":1}\n{"id":2}\n');
  const forbidden = await read(['姓名']).catch((e: Error) => e);
  const absent = await read(['性别']).catch((e: Error) => e);
  expect([forbidden, absent]).toEqual([refused('COLUMN_NOT_GRANTED'), refused('COLUMN_NOT_GRANTED')]);
  expect((forbidden as Error).message.replaceAll('姓名', '')).toBe((absent as Error).message.replaceAll('性别', ''));
  expect((await bytesOf((await read(['姓名'], own)).stream)).toString()).toContain('名1');
  await expect(read(['id', 'id'])).rejects.toThrow(refused('REQUEST_INVALID'));
  await expect(read([])).rejects.toThrow(refused('REQUEST_INVALID'));
});

test('a reader that goes away leaves its closed leaf with what was sent', async () => {
  bench = await openBench();
  await bench.publish([[rowsOf(60_000)], [rowsOf(60_000, 60_000)]]);
  const read = await openRead(bench.access, { ...all, principal: police, format: 'csv' });
  for await (const chunk of read.stream) if (chunk.length > 0) break;
  await read.closed;
  const never = await openRead(bench.access, { ...all, principal: police, format: 'arrow' });
  never.stream.destroy();
  await never.closed;
  const closed = (await bench.leaves()).filter(({ action }) => action === 'dataset.read.closed');
  expect(closed.map(({ outcome }) => outcome)).toEqual(['client-gone', 'client-gone']);
  expect(closed[0]?.bytes).toBeGreaterThan(0);
  expect(closed[0]?.rows).toBeLessThan(120_000);
  expect(closed[1]?.bytes).toBe(0);
});

test('a damaged part breaks the read off with an alarm, and is never passed for a whole answer', async () => {
  bench = await openBench();
  const random = (length: number, from = 0) =>
    batchOf(Array.from({ length }, (_, i) => [BigInt(from + i), randomBytes(12).toString('hex')]));
  const { digests } = await bench.publish([[random(8_000), random(8_000, 8_000)], [rowsOf(10, 16_000)]]);
  const digest = digests[0] as string;
  const path = (await findFile(bench.world.directory, digest)) as string;
  const stored = await readFile(path);
  expect(stored.length).toBeGreaterThan(3 * CHUNK_BYTES);
  const request = { ...all, principal: police, format: 'arrow' as const };
  /** Each byte is sent as it is stored, in order; so what was sent tells where it ended. */
  const copied: Record<string, () => Promise<Session>> = {
    part: () => openObject(bench.access, { ...all, principal: police, part: digest }),
    arrow: () => openRead(bench.access, request),
    columns: () => openRead(bench.access, { ...request, columns: ['姓名'] }),
    range: () => openRead(bench.access, { ...request, range: { offset: 100_000, length: 90_000 } }),
  };
  const ways: typeof copied = {
    ...copied,
    csv: () => openRead(bench.access, { ...request, format: 'csv' }),
    'json-lines': () => openRead(bench.access, { ...request, format: 'json-lines', columns: ['id'] }),
  };
  for (const [way, open] of Object.entries(ways)) {
    const good = await allOf(open);
    expect(good.error).toBeUndefined();
    // The last is read in every way.
    const places = [...fc.sample(fc.nat(stored.length - 1), { numRuns: 2, seed: 240 }), 120_000];
    let refusals = 0;
    for (const place of places) {
      bench.alarms.length = 0;
      await writeFile(path, stored.with(place, stored[place]! ^ (1 << (place % 8))));
      const { bytes, error } = await allOf(open);
      const told = `${way}, byte ${place}`;
      // What the way does not read may be damaged; all that it sends is as it was published.
      if (error === undefined) expect(bytes.equals(good.bytes), told).toBe(true);
      else {
        refusals++;
        expect(error, told).toEqual(refused('OBJECT_CORRUPT'));
        expect(bytes.equals(good.bytes.subarray(0, bytes.length)), told).toBe(true);
        if (way === 'part') expect(bytes.length, told).toBeLessThanOrEqual(place - (place % CHUNK_BYTES));
        expect(bench.alarms, told).toEqual([expect.objectContaining({ kind: 'object-corrupt', digest })]);
        // Taken out of reach: who comes next is refused at once, until the object is put again.
        expect((await allOf(open)).error, told).toEqual(refused('OBJECT_MISSING'));
      }
      await bench.world.store.put(one(stored), digest);
    }
    expect(refusals, way).toBeGreaterThan(0);
    if (way === 'part') expect(refusals, way).toBe(places.length);
  }
  const outcomes = (await bench.leaves()).flatMap(({ outcome }) => outcome ?? []);
  expect(new Set(outcomes)).toEqual(new Set(['complete', 'failed']));
}, 60_000);

/** What came, to the end or to the error, which may come before anything is opened. */
async function allOf(open: () => Promise<Session>): Promise<{ bytes: Buffer; error?: unknown }> {
  const chunks: Uint8Array[] = [];
  const opened = await open().catch((error: unknown) => ({ error }));
  if ('error' in opened) return { bytes: Buffer.alloc(0), error: opened.error };
  try {
    for await (const chunk of opened.stream) chunks.push(chunk);
    return { bytes: Buffer.concat(chunks) };
  } catch (error: unknown) {
    return { bytes: Buffer.concat(chunks), error };
  } finally {
    await opened.closed;
  }
}

test('a Parquet that was made and is damaged since then is refused before a byte of its chunk, in ranges too', async () => {
  bench = await openBench();
  await bench.publish([[rowsOf(20_000)]]);
  const request = { ...all, principal: police, format: 'parquet' as const };
  const { bytes } = await allOf(() => openRead(bench.access, request));
  const [{ digest }] = await bench.world.catalog('projection_part').select('digest');
  const path = (await findFile(bench.world.directory, digest)) as string;
  const last = bytes.length - 1;
  await writeFile(path, bytes.with(last, bytes[last]! ^ 1));
  const tail = { offset: last, length: 1 };
  const bad = await allOf(() => openRead(bench.access, { ...request, range: tail }));
  expect(bad).toEqual({ bytes: Buffer.alloc(0), error: refused('OBJECT_CORRUPT') });
  // It is made again from the version.
  expect(await allOf(() => openRead(bench.access, { ...request, range: tail }))).toEqual({ bytes: bytes.subarray(-1) });
});

test('a part whose tags were lost, as of an earlier release, is checked all the same', async () => {
  bench = await openBench();
  const { digests } = await bench.publish([[rowsOf(2_000)], [rowsOf(10, 2_000)]]);
  const request = { ...all, principal: police, format: 'arrow' as const, columns: ['id'] };
  const good = await allOf(() => openRead(bench.access, request));
  const digest = digests[0] as string;
  const path = (await findFile(bench.world.directory, digest)) as string;
  const stored = await readFile(path);
  // Another server, which remembers nothing.
  const elsewhere = async () => {
    const publication = { ...bench.world, store: await openFileStore(bench.world.directory) };
    return openRead({ ...bench.access, publication }, request);
  };
  const { catalog } = bench.world;
  await catalog('part_tags').delete();
  await writeFile(path, stored.with(9, stored[9]! ^ 1));
  expect((await allOf(elsewhere)).error).toEqual(refused('OBJECT_CORRUPT'));
  expect(await catalog('part_tags').where({ digest })).toEqual([]);
  await bench.world.store.put(one(stored), digest);
  expect((await allOf(elsewhere)).bytes.equals(good.bytes)).toBe(true);
  expect((await catalog('part_tags').pluck('digest')).sort()).toEqual([...digests].sort());
});

test('a part whose index is damaged is OBJECT_CORRUPT before the first byte, with an alarm (FAULTS 13)', async () => {
  bench = await openBench();
  const { digests } = await bench.publish([[rowsOf(2_000)]]);
  const digest = digests[0] as string;
  const path = (await findFile(bench.world.directory, digest)) as string;
  const stored = await readFile(path);
  for (const format of ['arrow', 'parquet'] as const) {
    bench.alarms.length = 0;
    // The footer's length, four bytes before the last magic.
    await writeFile(path, stored.with(stored.length - 8, 0xff));
    const error = await openRead(bench.access, { ...all, principal: police, format }).catch((e: Error) => e);
    expect(error).toEqual(refused('OBJECT_CORRUPT'));
    expect(bench.alarms).toEqual([expect.objectContaining({ kind: 'object-corrupt', digest })]);
    await bench.world.store.put(one(stored), digest);
  }
  await expect(openRead(bench.access, { ...all, principal: police, format: 'arrow' })).resolves.toBeDefined();
});

test('an object that is missing is 503 before the first byte, whichever it is (FAULTS 14)', async () => {
  bench = await openBench();
  const { digests } = await bench.publish([[rowsOf(300)], [rowsOf(300, 300)], [rowsOf(300, 600)]]);
  const { manifest_digest } = await bench.world.catalog('version').first();
  for (const digest of [...digests, manifest_digest]) {
    const stored = await bytesOf(await bench.world.store.read(digest));
    await bench.world.store.remove(digest);
    for (const format of ['arrow', 'csv', 'json-lines', 'parquet'] as const) {
      for (const columns of [undefined, ['id']]) {
        bench.alarms.length = 0;
        const error = await openRead(bench.access, { ...all, principal: police, format, columns }).catch((e) => e);
        expect(error).toMatchObject({ code: 'OBJECT_MISSING', status: 503, at: digest });
        expect(bench.alarms).toEqual([expect.objectContaining({ kind: 'object-missing', digest })]);
      }
    }
    await bench.world.store.put(one(stored), digest);
  }
  expect((await bench.leaves()).filter(({ action }) => action.endsWith('.opened'))).toEqual([]);
  const whole = await openRead(bench.access, { ...all, principal: police, format: 'arrow' });
  expect(tableFromIPC(await bytesOf(whole.stream)).numRows).toBe(900);
  await whole.closed;
});

test('when the log cannot be written nothing is opened', async () => {
  bench = await openBench();
  await bench.publish([[rowsOf(3)]]);
  const request = { ...all, principal: police, format: 'arrow' as const };
  const prepared = await prepareRead(bench.access, request);
  await bench.audit.close();
  await expect(prepared.open()).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
  await expect(openRead(bench.access, { ...request, dataset: 'health.absent' })).rejects.toThrow(
    refused('AUDIT_UNAVAILABLE'),
  );
  expect(await bench.world.catalog('lease').select()).toEqual([]);
});

test('manifest and parts are given whole under a grant of all columns only', async () => {
  bench = await openBench({
    sharing: { class: 'unconditional' },
    items: { 姓名: { sharing: { class: 'conditional' } } },
  });
  const { digests } = await bench.publish([[rowsOf(3)]]);
  const manifest = await openObject(bench.access, { ...all, principal: own });
  expect(JSON.parse((await bytesOf(manifest.stream)).toString())).toMatchObject({ dataset: DATASET, rows: 3 });
  const part = await openObject(bench.access, { ...all, principal: own, part: digests[0] });
  expect((await bytesOf(part.stream)).byteLength).toBe(part.sizeBytes);
  await Promise.all([manifest.closed, part.closed]);
  for (const request of [{ principal: police }, { principal: own, part: '0'.repeat(64) }]) {
    await expect(openObject(bench.access, { ...all, ...request })).rejects.toThrow(refused('NOT_FOUND'));
  }
  expect((await bench.leaves()).filter(({ decision }) => decision === 'deny')).toHaveLength(2);
});

async function findFile(directory: string, name: string): Promise<string | undefined> {
  const { readdir } = await import('node:fs/promises');
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const file = found.find(
    (entry) => entry.isFile() && join(entry.parentPath, entry.name).replaceAll('/', '').endsWith(name),
  );
  return file && join(file.parentPath, file.name);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
