import type { Socket } from 'node:net';
import { Decimal, Field, Int64, Schema, Utf8 } from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CopyDecoder } from '../../../connectors/postgres/decode.ts';
import type { Mapping } from '../../../connectors/postgres/types.ts';
import { Wire } from '../../../connectors/postgres/wire.ts';

/** fast-check prints the seed of a run that fails. */
const property = { numRuns: 60, verbose: 1 };

interface Row {
  id: bigint;
  name: string | null;
  amount: number | null;
}

const columns: { name: string; mapping: Mapping }[] = [
  { name: 'id', mapping: { codec: 'int8', cast: 'none' } },
  { name: 'name', mapping: { codec: 'text', cast: 'none' } },
  { name: 'amount', mapping: { codec: 'numeric', cast: 'none', precision: 10, scale: 2 } },
];
const schema = new Schema([
  new Field('id', new Int64(), false),
  new Field('name', new Utf8(), true),
  new Field('amount', new Decimal(2, 10, 128), true),
]);

function int16s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeInt16BE(value, 2 * i);
  return bytes;
}

function cell(content: Buffer | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content?.length ?? -1);
  return content === null ? length : Buffer.concat([length, content]);
}

/** numeric_send of hundredths: integer groups in base 10000, then one group of four decimals. */
function numeric(hundredths: number): Buffer {
  const size = Math.abs(hundredths);
  const whole = Math.floor(size / 100);
  const digits = [Math.floor(whole / 10_000), whole % 10_000, (size % 100) * 100];
  return int16s(digits.length, 1, hundredths < 0 ? 0x4000 : 0, 2, ...digits);
}

function message(payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header[0] = 0x64;
  header.writeInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

function copyStream(rows: Row[]): Buffer {
  const head = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  const body = rows.map(({ id, name, amount }) => {
    const key = Buffer.alloc(8);
    key.writeBigInt64BE(id);
    const text = name === null ? null : Buffer.from(name);
    return message(Buffer.concat([int16s(3), cell(key), cell(text), cell(amount === null ? null : numeric(amount))]));
  });
  return Buffer.concat([message(head), ...body, message(int16s(-1))]);
}

/** What the decoder makes of a stream that arrives in pieces: batches of rows. */
function decode(stream: Buffer, pieces: number[], limits: { batchRowsMax: number; batchBytesMax: number }): Row[][] {
  const decoder = new CopyDecoder(schema, columns, limits, 'test');
  const batches: Row[][] = [];
  const failures: unknown[] = [];
  const takeBatch = () => {
    const { batch } = decoder.batch();
    const [ids, names, amounts] = schema.fields.map((field) => batch.getChild(field.name)!);
    batches.push(
      Array.from({ length: batch.numRows }, (_, i) => {
        const words = amounts!.get(i) as Uint32Array | null;
        return { id: ids!.get(i), name: names!.get(i), amount: words && Number(BigInt.asIntN(64, wordsOf(words))) };
      }),
    );
    decoder.reset();
  };
  const wire = new Wire(
    () => {},
    (cause) => failures.push(cause),
  );
  const { buffer, callback } = wire.onread(() => ({ resume: () => {} }) as Socket);
  wire.startCopy(decoder);
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const space = buffer();
    const piece = Math.min(pieces[turn % pieces.length]!, space.length, stream.length - at);
    space.set(stream.subarray(at, at + piece));
    at += piece;
    callback(piece);
    while (decoder.full) {
      takeBatch();
      wire.resume();
    }
  }
  if (decoder.rows > 0) takeBatch();
  expect(failures).toEqual([]);
  return batches.filter((batch) => batch.length > 0);
}

function wordsOf(words: Uint32Array): bigint {
  return BigInt(words[0]!) | (BigInt(words[1]!) << 32n);
}

const row: fc.Arbitrary<Row> = fc.record({
  id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  name: fc.option(fc.string({ unit: 'grapheme', maxLength: 90 })),
  amount: fc.option(fc.integer({ min: -(10 ** 10 - 1), max: 10 ** 10 - 1 })),
});

test('rows and batches are the same however the bytes arrive', () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 25 }),
      fc.integer({ min: 40, max: 2_000 }),
      (rows, pieces, batchRowsMax, batchBytesMax) => {
        const limits = { batchRowsMax, batchBytesMax };
        const stream = copyStream(rows);
        const whole = decode(stream, [stream.length], limits);
        expect(whole.flat()).toEqual(rows);
        expect(whole.every((batch) => batch.length <= batchRowsMax)).toBe(true);
        expect(decode(stream, pieces, limits)).toEqual(whole);
      },
    ),
    property,
  );
});
