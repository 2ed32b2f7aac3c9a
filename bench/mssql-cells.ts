/** What one cell costs in our decoder, without any network, by the number of columns. */
import { cpuUsage } from 'node:process';
import { Field, Schema } from 'apache-arrow';
import { RowDecoder } from '../connectors/mssql/decode.ts';
import { arrowTypeOf, type Mapping } from '../connectors/mssql/types.ts';
import * as tokens from '../test/support/tds/tokens.ts';
import * as tds from '../test/support/tds/types.ts';

const PACKET_BYTES = 32_759;
const CELLS = 120_000;
const ROUNDS = 40;

const kinds: { mapping: Mapping; type: tds.TdsType; value: (i: number) => string }[] = [
  { mapping: { codec: 'int', cast: 'none' }, type: tds.integer(4), value: String },
  {
    mapping: { codec: 'decimal', cast: 'none', precision: 18, scale: 4 },
    type: tds.decimal(18, 4),
    value: (i) => `${i}.1250`,
  },
  { mapping: { codec: 'nchar', cast: 'none' }, type: tds.nvarchar(50), value: (i) => `text ${i}` },
  {
    mapping: { codec: 'datetime2', cast: 'none', scale: 6 },
    type: tds.datetime2(6),
    value: () => '2024-01-02 03:04:05.123456',
  },
  { mapping: { codec: 'float', cast: 'none' }, type: tds.float(), value: (i) => String(i / 3) },
  { mapping: { codec: 'bit', cast: 'none' }, type: tds.bit(), value: (i) => String(i & 1) },
];

/** CPU time, of the later rounds, when everything is compiled. */
export function cellCosts(): { columns: number; nanoseconds: number }[] {
  return [6, 48, 400, 768].map((columns) => ({ columns, nanoseconds: cost(columns) }));
}

function cost(width: number): number {
  const chosen = Array.from({ length: width }, (_, i) => kinds[i % kinds.length] ?? kinds[0]!);
  const columns = chosen.map(({ type }, i) => ({ name: `c${i}`, type }));
  const rows = Math.round(CELLS / width);
  const encoded = Array.from({ length: rows }, (_, row) =>
    tokens.row(
      columns,
      chosen.map(({ value }) => value(row)),
    ),
  );
  const bytes = Buffer.concat(encoded);
  const schema = new Schema(chosen.map(({ mapping }, i) => new Field(`c${i}`, arrowTypeOf(mapping), true)));
  const decoded = chosen.map(({ mapping }, i) => ({ name: `c${i}`, mapping, wire: i, typeInfo: '' }));
  const limits = { batchRowsMax: rows + 1, batchBytesMax: Number.POSITIVE_INFINITY };
  const decoder = new RowDecoder(schema, decoded, limits, 'bench');
  decoder.take(tokens.colMetadata(columns), () => {});
  let used = cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    if (round === ROUNDS / 2) used = cpuUsage();
    for (let at = 0; at < bytes.length; at += PACKET_BYTES)
      decoder.take(bytes.subarray(at, at + PACKET_BYTES), () => {});
    decoder.decode(() => {});
    if (decoder.rows !== rows) throw new Error(`${decoder.rows} of ${rows} rows were decoded`);
    decoder.reset();
  }
  const { user, system } = cpuUsage(used);
  return ((user + system) * 1000) / (rows * width * (ROUNDS / 2));
}
