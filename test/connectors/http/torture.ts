/** Every type of an HTTP source: the JSON text of each cell, and what Arrow must hold of it, or why it cannot. */
import type { Torture } from '../../../connectors/conformance/kit.ts';
import type { HttpTable } from '../../../connectors/http/config.ts';
import type { HttpType, TypeName } from '../../../connectors/http/types.ts';

type Code = Torture['unrepresentable'][number]['code'];
/** JSON text, then the cell as the kit renders it, or the code of what cannot be one. */
type Case = [json: string, cell: string | null | { refused: Code }];

const refused = (code: Code) => ({ refused: code });
const wrong = refused('INVALID_TEXT');
const far = refused('OUT_OF_RANGE');

const cases: Record<TypeName, { type?: Partial<HttpType>; cells: Case[] }> = {
  base64: {
    cells: [
      ['"AAEC/w=="', '\\x000102ff'],
      ['""', '\\x'],
      ['"no base64"', wrong],
      ['"AAEC_w=="', wrong],
    ],
  },
  boolean: {
    cells: [
      ['true', 't'],
      ['false', 'f'],
      ['"true"', wrong],
      ['1', wrong],
    ],
  },
  date: {
    cells: [
      ['"0001-01-01"', '0001-01-01'],
      ['"9999-12-31"', '9999-12-31'],
      ['"2024-02-29"', '2024-02-29'],
      ['"2023-02-29"', far],
      ['"0000-01-01"', far],
      ['"12026-01-01"', far],
      ['"01/02/2026"', wrong],
      ['20260102', wrong],
    ],
  },
  decimal: {
    type: { precision: 38, scale: 18 },
    cells: [
      ['0.100000000000000001', '0.100000000000000001'],
      ['-99999999999999999999.999999999999999999', '-99999999999999999999.999999999999999999'],
      ['1e3', '1000.000000000000000000'],
      ['1E-18', '0.000000000000000001'],
      ['-0', '0.000000000000000000'],
      ['"12345678901234567890.5"', '12345678901234567890.500000000000000000'],
      ['1e20', far],
      ['0.0000000000000000001', far],
      ['1e999999', far],
      ['"NaN"', refused('NOT_A_NUMBER')],
      ['"1,5"', wrong],
      ['true', wrong],
    ],
  },
  'epoch-milliseconds': {
    cells: [
      ['1700000000123', '2023-11-14 22:13:20.123+00'],
      ['-1', '1969-12-31 23:59:59.999+00'],
      ['1700000000123.4', '2023-11-14 22:13:20.1234+00'],
      ['253402300800000', far],
      ['"1700000000123"', wrong],
    ],
  },
  'epoch-seconds': {
    cells: [
      ['1700000000', '2023-11-14 22:13:20+00'],
      ['-62135596800', '0001-01-01 00:00:00+00'],
      ['1700000000.0000001', far],
    ],
  },
  instant: {
    cells: [
      ['"2026-03-01T08:00:00.123456+08:00"', '2026-03-01 00:00:00.123456+00'],
      ['"0001-01-01T00:00:00Z"', '0001-01-01 00:00:00+00'],
      ['"9999-12-31T23:59:59.999999Z"', '9999-12-31 23:59:59.999999+00'],
      ['"2026-03-01T08:00:00"', wrong],
      ['"2026-03-01T08:00:00.1234567Z"', far],
      ['"2026-03-01T24:00:00Z"', far],
    ],
  },
  integer: {
    cells: [
      ['9007199254740993', '9007199254740993'],
      ['-9223372036854775808', '-9223372036854775808'],
      ['9223372036854775807', '9223372036854775807'],
      ['9223372036854775808', far],
      ['"9223372036854775807"', '9223372036854775807'],
      ['1.0', '1'],
      ['1.5', far],
      ['"seven"', wrong],
      ['[1]', wrong],
    ],
  },
  json: {
    cells: [
      ['{"b": 1.10, "a": [null, 9007199254740993, "é"]}', '{"b":1.10,"a":[null,9007199254740993,"é"]}'],
      ['"text"', '"text"'],
      ['1.10', '1.10'],
    ],
  },
  number: {
    cells: [
      ['0.1', '0.1'],
      ['-1.7976931348623157e308', '-1.7976931348623157e308'],
      ['5e-324', '5e-324'],
      ['1e999', far],
      ['"NaN"', 'NaN'],
    ],
  },
  text: {
    cells: [
      ['""', ''],
      ['"汇通😀\\u0000\\n"', '汇通😀\0\n'],
      ['"\\ud83d"', wrong],
      ['12', wrong],
    ],
  },
  time: {
    cells: [
      ['"00:00:00"', '00:00:00'],
      ['"23:59:59.999999"', '23:59:59.999999'],
      ['"24:00:00"', far],
      ['"noon"', wrong],
    ],
  },
  timestamp: {
    cells: [
      ['"2026-03-01T08:00:00.5"', '2026-03-01 08:00:00.5'],
      ['"2026-03-01 08:00"', '2026-03-01 08:00:00'],
      ['"2026-03-01T08:00:00Z"', wrong],
    ],
  },
  uuid: {
    cells: [
      ['"0198A3C0-1111-4111-8111-00000000000f"', '0198a3c0-1111-4111-8111-00000000000f'],
      ['"0198"', wrong],
    ],
  },
};

const names = Object.keys(cases) as TypeName[];
/** The last row has no members at all, the one before has nulls. */
const rows = Math.max(...names.map((name) => cases[name].cells.length)) + 2;

export const tortureTable: HttpTable = {
  name: 'torture',
  path: '/torture',
  records: '',
  columns: names.map((name) => ({ name, pointer: `/values/${name}`, type: name, ...cases[name].type })),
};

/** A bare array of records with nested members. */
export const tortureDocument = `[${Array.from({ length: rows }, (_, row) => {
  if (row === rows - 1) return '{}';
  const members = names.map((name) => `"${name}": ${cases[name].cells[row]?.[0] ?? 'null'}`);
  return `{"values": {${members.join(', ')}}}`;
}).join(',')}]`;

const cellAt = (name: TypeName, row: number) => cases[name].cells[row]?.[1] ?? null;

export const torture: Torture = {
  request: { table: { name: 'torture' } },
  expected: Object.fromEntries(
    names.map((name) => [
      name,
      Array.from({ length: rows }, (_, row) => {
        const cell = cellAt(name, row);
        return typeof cell === 'string' ? cell : null;
      }),
    ]),
  ),
  unrepresentable: names.flatMap((name) =>
    Array.from({ length: rows }, (_, row) => cellAt(name, row)).flatMap((cell, row) =>
      cell !== null && typeof cell === 'object' ? [{ column: name, row, code: cell.refused }] : [],
    ),
  ),
};
