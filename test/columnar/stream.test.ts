import { type RecordBatch, Schema, tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PartIndex, readAtOf, readPartIndex } from '../../columnar/read.ts';
import { type Segment, sliceSegments, streamLayout } from '../../columnar/stream.ts';
import { batchOf, cells, sampleBatch, samples, writePart } from './samples.ts';

const schema = sampleBatch(1).schema;
const names = Object.keys(samples);

async function indexed(files: Uint8Array[]): Promise<PartIndex[]> {
  return Promise.all(files.map((file) => readPartIndex(readAtOf(file), file.byteLength)));
}

function bytesOf(segments: Segment[], files: Uint8Array[]): Uint8Array {
  const pieces = segments.map((one) =>
    'bytes' in one ? one.bytes : files[one.part]!.subarray(one.offset, one.offset + one.length),
  );
  return new Uint8Array(Buffer.concat(pieces));
}

function project(batch: RecordBatch, columns: string[]): string[][] {
  const places = columns.map((name) => names.indexOf(name));
  return cells(batch).map((row) => places.map((place) => row[place]!));
}

describe('streamLayout', () => {
  test('any columns of any parts equal decoding and projecting; the length is exact', async () => {
    const rows = fc.array(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 3 }), { maxLength: 3 });
    const columns = fc.shuffledSubarray(names, { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(rows, columns, async (parts, chosen) => {
        const batches = parts.map((sizes) => sizes.map((size) => sampleBatch(size)));
        const files = batches.map((of) => writePart(of, schema));
        const layout = streamLayout(schema, chosen, await indexed(files));
        const stream = bytesOf(layout.segments, files);
        expect(stream.byteLength).toBe(layout.totalBytes);
        const table = tableFromIPC(stream);
        expect(table.schema.fields.map((field) => field.name)).toEqual(chosen);
        expect(table.batches.flatMap(cells)).toEqual(batches.flat().flatMap((batch) => project(batch, chosen)));
      }),
      { numRuns: 25 },
    );
  });

  test('all columns copy each part in one piece', async () => {
    const files = [writePart([sampleBatch(30), sampleBatch(7)]), writePart([sampleBatch(2)])];
    const layout = streamLayout(schema, undefined, await indexed(files));
    expect(layout.segments.filter((segment) => 'part' in segment)).toHaveLength(2);
    expect(tableFromIPC(bytesOf(layout.segments, files)).numRows).toBe(39);
  });

  test('no parts: a stream with the schema and no rows', () => {
    const layout = streamLayout(schema, ['utf8'], []);
    const table = tableFromIPC(bytesOf(layout.segments, []));
    expect([table.numRows, table.schema.names]).toEqual([0, ['utf8']]);
  });

  test('only the chosen columns’ stored bytes are named', async () => {
    const secret = 'SECRET-'.repeat(2);
    const batch = batchOf({
      a: sampleBatch(5, ['int64']).data.children[0]!,
      b: sampleBatch(5, ['utf8']).data.children[0]!,
    });
    const file = writePart([batch]);
    const [part] = await indexed([file]);
    const { segments, totalBytes } = streamLayout(batch.schema, ['a'], [part!]);
    const stream = Buffer.from(bytesOf(segments, [file]));
    expect(stream.byteLength).toBe(totalBytes);
    expect(stream.includes('龙华区')).toBe(false);
    expect(Buffer.from(file).includes('龙华区')).toBe(true);
    expect(stream.includes(secret)).toBe(false);
  });

  test('an unknown column, and a part of another schema, are refused', async () => {
    const [part] = await indexed([writePart([sampleBatch(3)])]);
    expect(() => streamLayout(schema, ['int64'], [part!])).not.toThrow();
    expect(() => streamLayout(schema, ['身份证'], [part!])).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    const other = new Schema(schema.fields.slice(1));
    expect(() => streamLayout(other, undefined, [part!])).toThrow(expect.objectContaining({ code: 'ARROW_INVALID' }));
  });
});

test('sliceSegments: any range equals the same range of the whole', async () => {
  const files = [writePart([sampleBatch(30), sampleBatch(7)]), writePart([sampleBatch(2)])];
  const { segments, totalBytes } = streamLayout(schema, ['list', 'int8'], await indexed(files));
  const whole = bytesOf(segments, files);
  fc.assert(
    fc.property(fc.nat(totalBytes), fc.nat(totalBytes), (offset, length) => {
      const piece = bytesOf(sliceSegments(segments, offset, length), files);
      expect(piece).toEqual(whole.slice(offset, offset + length));
    }),
  );
});
