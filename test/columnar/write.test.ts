import { type RecordBatch, tableFromIPC, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { readAtOf, readBatches, readPartIndex } from '../../columnar/read.ts';
import { BodyBuffers, PartWriter } from '../../columnar/write.ts';
import { HuitongError } from '../../lib/errors.ts';
import { batchOf, cells, column, intervalData, mapData, sampleBatch, samples, writePart } from './samples.ts';

async function readBack(file: Uint8Array): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for await (const batch of readBatches(readAtOf(file), file.byteLength)) batches.push(batch);
  return batches;
}

describe('a part is an Arrow file', () => {
  test.each(Object.keys(samples))('%s: null, empty, minimum and maximum come back', async (name) => {
    for (const rows of [0, 1, 5, 200]) {
      const batch = sampleBatch(rows, [name]);
      const file = writePart([batch]);
      const [back] = await readBack(file);
      expect(cells(back!)).toEqual(cells(batch));
      expect(cells(tableFromIPC(file).batches[0] ?? back!)).toEqual(cells(batch));
    }
  });

  test('intervals and maps come back', async () => {
    const batch = batchOf({ interval: intervalData(), map: mapData() });
    const file = writePart([batch]);
    expect(cells((await readBack(file))[0]!)).toEqual(cells(batch));
    expect(cells(tableFromIPC(file).batches[0]!)).toEqual(cells(batch));
  });

  test('all types in one file of several batches', async () => {
    const batches = [sampleBatch(64), sampleBatch(0), sampleBatch(1_000)];
    const back = await readBack(writePart(batches));
    expect(back.map(cells)).toEqual(batches.map(cells));
  });

  test('a slice at any bit offset is written as its own rows', async () => {
    const whole = sampleBatch(40);
    for (const [start, end] of [
      [0, 40],
      [1, 40],
      [3, 11],
      [8, 24],
      [39, 40],
      [17, 17],
    ] as const) {
      const [back] = await readBack(writePart([whole.slice(start, end)], whole.schema));
      expect(cells(back!)).toEqual(cells(whole).slice(start, end));
    }
  });

  test('a table without rows has its schema', async () => {
    const { schema } = sampleBatch(1);
    const file = writePart([], schema);
    expect((await readPartIndex(readAtOf(file), file.byteLength)).schema.fields.map(String)).toEqual(
      schema.fields.map(String),
    );
    expect(tableFromIPC(file).numRows).toBe(0);
  });

  test('equal cells give equal bytes, whatever lay below the nulls and whichever buffers were used before', () => {
    const clean = column(samples.int64!.type, [1n, null, 3n]);
    const dirty = clean.clone();
    (dirty.values as BigInt64Array)[1] = 77n;
    const used = new BodyBuffers();
    writePart([sampleBatch(500)], undefined, used);
    expect(writePart([batchOf({ a: dirty })], undefined, used)).toEqual(writePart([batchOf({ a: clean })]));
    expect(writePart([batchOf({ a: clean })])).not.toEqual(
      writePart([batchOf({ a: column(samples.int64!.type, [1n, 2n, 3n]) })]),
    );
  });

  test('buffers start at multiples of 64 bytes in the file', async () => {
    const file = writePart([sampleBatch(300)]);
    const index = await readPartIndex(readAtOf(file), file.byteLength);
    for (const { offset, metadataBytes, metadata } of index.batches) {
      expect(metadataBytes % 64).toBe(0);
      for (const region of metadata.buffers) expect(region.offset % 64).toBe(0);
      expect(offset % 8).toBe(0);
    }
  });

  test('a type that parts do not carry is refused by the column that has it', () => {
    const text = batchOf({ 街道: column(samples.utf8!.type, ['a']) });
    // apache-arrow's default for strings.
    const dictionary = batchOf({ 街道: vectorFromArray(['a']).data[0]! });
    expect(() => new PartWriter(text.schema)).not.toThrow();
    expect(() => new PartWriter(dictionary.schema)).toThrow(
      expect.objectContaining({ code: 'TYPE_UNMAPPED', at: '街道' }),
    );
  });
});

describe('a damaged part is ARROW_INVALID', () => {
  const file = writePart([sampleBatch(100), sampleBatch(20)]);

  test('cut short anywhere', async () => {
    await expect(readBack(file)).resolves.toHaveLength(2);
    for (let length = 0; length < file.byteLength; length += 97) {
      await expect(readBack(file.slice(0, length))).rejects.toMatchObject({ code: 'ARROW_INVALID' });
    }
  });

  test('any flipped byte gives rows or ARROW_INVALID, never another failure', async () => {
    for (let at = 0; at < file.byteLength; at += 41) {
      const damaged = file.slice();
      damaged[at]! ^= 0x55;
      await readBack(damaged).catch((e: unknown) => {
        if (!(e instanceof HuitongError)) throw new Error(`byte ${at}`, { cause: e });
        expect(['ARROW_INVALID', 'TYPE_UNMAPPED']).toContain(e.code);
      });
    }
  });
});
