/** Messages as pgoutput writes them, in both forms, with descriptions of the table where a server may put them. */
import { Field, Int32, Schema, Utf8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import { changeOperations } from '../../../connectors/connector.ts';
import type { Subject } from '../../../connectors/postgres/capture-subject.ts';
import { ChangeDecoder } from '../../../connectors/postgres/change-decoder.ts';

const TABLE = 77;
const subject: Subject = {
  relation: { oid: TABLE, schema: 'public', name: 't', kind: 'table', hasHeap: true, rowSecurity: false, blocks: 1 },
  columns: [
    { name: 'id', type: 23, modifier: -1 },
    { name: 'n', type: 1700, modifier: -1 },
  ],
  bools: new Set(),
  identity: 'd',
  fingerprint: '00',
  problems: [],
};

const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int64 = (value: number) => Buffer.concat([int32(0), int32(value)]);
const name = (text: string) => Buffer.from(`${text}\0`);
const cell = (kind: 'b' | 't', bytes: Buffer) => Buffer.concat([Buffer.from(kind), int32(bytes.length), bytes]);

const relation = (type = 23) =>
  Buffer.concat([
    Buffer.from('R'),
    int32(TABLE),
    name('public'),
    name('t'),
    Buffer.from('d'),
    int16(2),
    ...[Buffer.from([1]), name('id'), int32(type), int32(-1)],
    ...[Buffer.from([0]), name('n'), int32(1700), int32(-1)],
  ]);
const begin = (lsn: number) => Buffer.concat([Buffer.from('B'), int64(lsn), int64(0), int32(1)]);
const commit = (lsn: number) => Buffer.concat([Buffer.from('C\0'), int64(lsn), int64(lsn + 8), int64(0)]);
/** `n` in binary is not looked at: the column is read as text. */
const insert = (id: number, n: string) => {
  const head = Buffer.concat([Buffer.from('I'), int32(TABLE), Buffer.from('N'), int16(2)]);
  return {
    binary: Buffer.concat([head, cell('b', int32(id)), cell('b', Buffer.from([0, 1, 2]))]),
    text: Buffer.concat([head, cell('t', Buffer.from(String(id))), cell('t', Buffer.from(n))]),
  };
};

/** The answer to the COPY: rows of two cells, the shorter form filled up with nulls. */
function copied(binaries: Buffer[], texts: Buffer[]): Buffer {
  const message = (payload: Buffer) => Buffer.concat([Buffer.from('d'), int32(payload.length + 4), payload]);
  const field = (bytes?: Buffer) => (bytes === undefined ? int32(-1) : Buffer.concat([int32(bytes.length), bytes]));
  const count = Math.max(binaries.length, texts.length);
  const rows = Array.from({ length: count }, (_, i) =>
    message(Buffer.concat([int16(2), field(binaries[i]), field(texts[i])])),
  );
  const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  return Buffer.concat([message(header), ...rows, message(int16(-1)), Buffer.alloc(8)]);
}

function decode(bytes: Buffer, after = 0n, pieceBytes = bytes.length) {
  const decoder = new ChangeDecoder({
    schema: new Schema([new Field('id', new Int32(), true), new Field('n', new Utf8(), true)]),
    columns: [
      { name: 'id', mapping: { codec: 'int4', cast: 'none' } },
      { name: 'n', mapping: { codec: 'text', cast: 'text' } },
    ],
    subject,
    key: ['id'],
    after,
    limits: { batchRowsMax: 100, batchBytesMax: 1 << 20 },
  });
  // As off a socket: what was taken is overwritten before the rest arrives.
  let at = 0;
  for (let end = pieceBytes; ; end = Math.min(end + pieceBytes, bytes.length - 8)) {
    const copy = Buffer.concat([bytes.subarray(0, end), Buffer.alloc(8)]);
    at = decoder.take({ bytes: copy, view: new DataView(copy.buffer, copy.byteOffset, copy.length) }, at, end);
    copy.fill(0xee);
    if (end >= bytes.length - 8) break;
  }
  decoder.feed();
  const { batch, operations } = decoder.batch();
  const rows = [...batch].map((row, i) => [operations[i], row.id, row.n]);
  return { rows, committed: decoder.committed, isPaired: decoder.isPaired };
}

const [one, two, three] = [insert(1, '1.50'), insert(2, 'NaN'), insert(3, '0')];
const put = changeOperations.insert;

test('two forms are paired though the server describes the table at other places in each', () => {
  const binaries = [begin(1), relation(), one.binary, relation(), two.binary, commit(1)];
  const texts = [begin(1), relation(), relation(), relation(), one.text, two.text, commit(1)];
  const expected = {
    rows: [
      [put, 1, '1.50'],
      [put, 2, 'NaN'],
    ],
    committed: 9n,
    isPaired: true,
  };
  expect(decode(copied(binaries, texts))).toEqual(expected);
  expect(decode(copied(binaries, texts), 0n, 7)).toEqual(expected);
});

test('a form that reached the limit earlier: what the other tells beyond it is left for the next run', () => {
  const binaries = [begin(1), relation(), one.binary, commit(1), begin(20), two.binary, commit(20)];
  const texts = [begin(1), relation(), relation(), one.text, commit(1)];
  expect(decode(copied(binaries, texts))).toEqual({ rows: [[put, 1, '1.50']], committed: 9n, isPaired: false });
});

test('transactions that a version has already are not told again; a type that is not the planned one is SCHEMA_DRIFT', () => {
  const binaries = [begin(1), relation(), one.binary, commit(1), begin(20), three.binary, commit(20)];
  const texts = [begin(1), relation(), one.text, commit(1), begin(20), three.text, commit(20)];
  expect(decode(copied(binaries, texts), 9n)).toMatchObject({ rows: [[put, 3, '0']], committed: 28n });
  const other = [begin(1), relation(20), one.binary, commit(1)];
  expect(() => decode(copied(other, [begin(1), one.text, commit(1)]))).toThrow(/changed while/);
});
