/** The decoder by itself, on packets made here: whatever the chunks they come in. */
import { Field, Schema, type Vector } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderCell } from '../../../connectors/conformance/kit.ts';
import { type DecodedColumn, RowDecoder } from '../../../connectors/mysql/decode.ts';
import { type Mapping, types } from '../../../connectors/mysql/types.ts';

const CONTINUED = 0xff_ffff;

/** A payload as packets: continued where it does not fit into one. */
function packets(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; at += CONTINUED) {
    const part = payload.subarray(at, at + CONTINUED);
    const header = Buffer.alloc(4);
    header.writeUIntLE(part.length, 0, 3);
    parts.push(header, part);
    if (part.length < CONTINUED) return Buffer.concat(parts);
  }
}

function counted(bytes: Buffer): Buffer {
  const { length } = bytes;
  if (length < 251) return Buffer.concat([Buffer.from([length]), bytes]);
  const head = Buffer.alloc(length < 0x1_0000 ? 3 : length < 0x100_0000 ? 4 : 9);
  head[0] = length < 0x1_0000 ? 252 : length < 0x100_0000 ? 253 : 254;
  head.writeUIntLE(length, 1, Math.min(6, head.length - 1));
  return Buffer.concat([head, bytes]);
}

interface Kind {
  mapping: Mapping;
  fieldType: number;
  encode(text: string): Buffer;
}

const kinds = {
  text: { mapping: { codec: 'text', cast: 'none' }, fieldType: 253, encode: (text) => counted(Buffer.from(text)) },
  int: {
    mapping: { codec: 'int', cast: 'none' },
    fieldType: 3,
    encode: (text) => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32LE(Number(text));
      return bytes;
    },
  },
  decimal: {
    mapping: { codec: 'decimal', cast: 'none', precision: 38, scale: 4 },
    fieldType: 246,
    encode: (text) => counted(Buffer.from(text)),
  },
} satisfies Record<string, Kind>;

type Name = keyof typeof kinds;

function definition(kind: Kind): Buffer {
  const tail = Buffer.from([12, 45, 0, 0, 0, 0, 0, kind.fieldType, 0, 0, 0, 0, 0]);
  return packets(
    Buffer.concat([counted(Buffer.from('def')), ...Array.from({ length: 5 }, () => Buffer.from([0])), tail]),
  );
}

const end = packets(Buffer.from([0xfe, 0, 0, 2, 0]));

function rowPayload(names: Name[], cells: (string | null)[]): Buffer {
  const bitmap = Buffer.alloc((cells.length + 9) >> 3);
  cells.forEach((cell, i) => {
    if (cell === null) bitmap[(i + 2) >> 3] = (bitmap[(i + 2) >> 3] ?? 0) | (1 << ((i + 2) & 7));
  });
  const encoded = cells.flatMap((cell, i) => (cell === null ? [] : [kinds[names[i] as Name].encode(cell)]));
  return Buffer.concat([Buffer.from([0]), bitmap, ...encoded]);
}

function result(names: Name[], rows: (string | null)[][]): Buffer {
  const head = [packets(Buffer.from([names.length])), ...names.map((name) => definition(kinds[name])), end];
  return Buffer.concat([...head, ...rows.map((cells) => packets(rowPayload(names, cells))), end]);
}

function decoderOf(names: Name[], batchRowsMax = 1_000, batchBytesMax = 1 << 30): RowDecoder {
  const columns: DecodedColumn[] = names.map((name, i) => ({ name: `c${i}`, mapping: kinds[name].mapping }));
  const schema = new Schema(columns.map(({ name, mapping }) => new Field(name, types.arrowTypeOf(mapping), true)));
  return new RowDecoder(schema, columns, { batchRowsMax, batchBytesMax }, 'here');
}

/** Feeds `bytes` in chunks of these sizes, over and over. */
function decode(decoder: RowDecoder, bytes: Buffer, sizes: number[]): (string | null)[][] {
  const rows: (string | null)[][] = [];
  const collect = () => {
    const { batch } = decoder.batch();
    for (let row = 0; row < batch.numRows; row++) {
      rows.push(batch.schema.fields.map((_, i) => renderCell(batch.getChildAt(i) as Vector, row)));
    }
    decoder.reset();
  };
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const next = at + (sizes[i % sizes.length] ?? 1);
    decoder.take(bytes.subarray(at, next));
    at = next;
    while (decoder.full) {
      collect();
      decoder.decode();
    }
  }
  collect();
  expect(decoder.last).toEqual(end);
  return rows;
}

const decimals = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 1n, max: 10n ** 34n - 1n }), fc.integer({ min: 0, max: 9_999 }))
  .map(([negative, whole, fraction]) => `${negative ? '-' : ''}${whole}.${String(fraction).padStart(4, '0')}`);
const cellOf = {
  text: fc.option(fc.string({ unit: 'grapheme', maxLength: 400 })),
  int: fc.option(fc.integer().map(String)),
  decimal: fc.option(decimals),
};
const tables = fc
  .array(fc.constantFrom<Name>('text', 'int', 'decimal'), { minLength: 1, maxLength: 12 })
  .chain((names) =>
    fc.tuple(fc.constant(names), fc.array(fc.tuple(...names.map((name) => cellOf[name])), { maxLength: 12 })),
  );

describe('rows', () => {
  test('are the same however they are cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(tables, sizes, fc.integer({ min: 1, max: 5 }), ([names, rows], cuts, batchRowsMax) => {
        expect(decode(decoderOf(names, batchRowsMax), result(names, rows), cuts)).toEqual(rows);
      }),
      { numRuns: 150, verbose: 1 },
    );
  });

  test.each([-1, 0, 1, CONTINUED - 1, CONTINUED])('span packets: the payload is %i bytes past one packet', (past) => {
    // Marker, bitmap and an int in front; four bytes of length of the text, or nine.
    const room = CONTINUED + past;
    const length = room - 6 - (room - 10 < 0x100_0000 ? 4 : 9);
    const text = 'x'.repeat(length);
    const rows = [
      ['1', 'before', null],
      ['2', text, '-1.5000'],
      ['3', null, '0.0001'],
    ];
    const withoutLast: Name[] = ['int', 'text'];
    const two = rows.map(([id, words]) => [id ?? null, words ?? null]);
    expect(rowPayload(withoutLast, two[1] ?? [])).toHaveLength(room);
    expect(decode(decoderOf(withoutLast), result(withoutLast, two), [64 * 1024, 1, 3])).toEqual(two);
    const names: Name[] = ['int', 'text', 'decimal'];
    expect(decode(decoderOf(names), result(names, rows), [256 * 1024])).toEqual(rows);
  });

  test('bytes that are no text are null and told, one cell among others', () => {
    const decoder = decoderOf(['text']);
    const bad = Buffer.concat([Buffer.from([0, 0]), counted(Buffer.from([0xff, 0x41]))]);
    // The end of a character in one cell and its beginning in the next are text only together.
    const halves = [Buffer.from([0xe6, 0xb1]), Buffer.from([0x87])].map((half) =>
      packets(Buffer.concat([Buffer.from([0, 0]), counted(half)])),
    );
    const whole = result(['text'], [['汇'], ['通']]);
    const bytes = Buffer.concat([whole.subarray(0, -end.length), packets(bad), ...halves, end]);
    decoder.take(bytes);
    const { batch, unrepresentable } = decoder.batch();
    expect(Array.from(batch.getChildAt(0) as Vector)).toEqual(['汇', '通', null, null, null]);
    expect(unrepresentable.map(({ row, code }) => [row, code])).toEqual([2, 3, 4].map((row) => [row, 'INVALID_TEXT']));
  });

  test('a type that is not the planned one is SCHEMA_DRIFT', () => {
    const decoder = decoderOf(['int']);
    expect(() => decoder.take(result(['text'], [['x']]))).toThrow(expect.objectContaining({ code: 'SCHEMA_DRIFT' }));
    expect(decode(decoderOf(['text']), result(['text'], [['x']]), [9])).toEqual([['x']]);
  });

  test('a row whose cells end elsewhere than the row is an error, not a shifted column', () => {
    const bytes = result(['text'], [['abc']]);
    const row = bytes.length - end.length - 4;
    bytes[row] = 2;
    expect(() => decoderOf(['text']).take(bytes)).toThrow(/do not end where the row ends/);
  });
});
