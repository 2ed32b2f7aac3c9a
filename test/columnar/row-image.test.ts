import { type RecordBatch, Schema } from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowImageReader, RowImageWriter } from '../../columnar/row-image.ts';
import { batchOf, cells, intervalData, mapData, sampleBatch, samples, writePart } from './samples.ts';

function imagesOf(batch: RecordBatch, writer = new RowImageWriter()): Buffer[] {
  const places: [start: number, length: number][] = [];
  const bytes = writer.batch(batch, (_, start, length) => places.push([start, length]));
  return places.map(([start, length]) => Buffer.from(bytes.subarray(start, start + length)));
}

test('rows in any order, of any columns of every type, come back as they were', () => {
  const names = Object.keys(samples);
  fc.assert(
    fc.property(
      fc.shuffledSubarray(names, { minLength: 1 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (chosen, rows, picks) => {
        const batch = sampleBatch(rows);
        const images = imagesOf(batch);
        const byName = new Map(batch.schema.fields.map((field) => [field.name, field]));
        const reader = new RowImageReader(batch.schema, new Schema(chosen.map((name) => byName.get(name)!)));
        const wanted = picks.map((pick) => pick % rows);
        const read = reader.batch(wanted.map((row) => images[row]!));
        const expected = cells(batch);
        const places = chosen.map((name) => names.indexOf(name));
        expect(cells(read)).toEqual(wanted.map((row) => places.map((place) => expected[row]![place])));
        // It is a batch like any other: the part writer takes it.
        expect(writePart([read]).byteLength).toBeGreaterThan(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('intervals, maps and slices; one writer for many batches', () => {
  const writer = new RowImageWriter();
  const batch = batchOf({ interval: intervalData(), map: mapData() });
  const reader = new RowImageReader(batch.schema, batch.schema);
  expect(cells(reader.batch(imagesOf(batch, writer)))).toEqual(cells(batch));
  const slice = sampleBatch(30).slice(7, 19);
  const sliced = new RowImageReader(slice.schema, slice.schema);
  expect(cells(sliced.batch(imagesOf(slice, writer)))).toEqual(cells(slice));
  expect(reader.batch([]).numRows).toBe(0);
});
