/** One column a type, each value as a PostgreSQL literal; `refused` are the values that Arrow cannot hold. */
import type { UnrepresentableCell } from '../../../columnar/batch.ts';
import type { TypeOverride } from '../../../connectors/connector.ts';

type Code = UnrepresentableCell['code'];

export interface TortureColumn {
  type: string;
  values: string[];
  refused?: Record<string, Code>;
  override?: TypeOverride;
}

export const preparation = `
  create type mood as enum ('平静', 'a "quoted" one', '');
  create type pair as (x int, y text);
  create domain percent as numeric(5,2) check (value >= 0);
  create domain percents as percent[];
  create domain nested as percent;`;

const bc = {
  '0001-12-31 BC': 'OUT_OF_RANGE',
  '10000-01-01': 'OUT_OF_RANGE',
  infinity: 'INFINITE',
  '-infinity': 'INFINITE',
} as const;
const nines = '9'.repeat(38);

export const columns: TortureColumn[] = [
  { type: 'bool', values: ['t', 'f'] },
  { type: 'int2', values: ['-32768', '0', '32767'] },
  { type: 'int4', values: ['-2147483648', '-1', '2147483647'] },
  { type: 'int8', values: ['-9223372036854775808', '-1', '4294967296', '9007199254740993', '9223372036854775807'] },
  { type: 'float4', values: ['NaN', '-Infinity', 'Infinity', '3.4028235e38', '1e-45', '-0', '0.1'] },
  { type: 'float8', values: ['NaN', '-Infinity', 'Infinity', '1.7976931348623157e308', '5e-324', '-0', '0.1'] },
  { type: 'numeric(10,4)', values: ['0', '-0.0001', '999999.9999', '-999999.9999', '17.685', '10000', '1.2'] },
  {
    type: 'numeric(15,2)',
    values: ['9999999999999.99', '-9999999999999.99', '0.01', '42949672.96', 'NaN'],
    refused: { NaN: 'NOT_A_NUMBER' },
  },
  {
    type: 'numeric(38,0)',
    values: [nines, `-${nines}`, '10000000000000000', '-4294967296', '-1', '18446744073709551616'],
  },
  { type: 'numeric(38,38)', values: [`0.${nines}`, `-0.${nines}`, `0.${'0'.repeat(37)}1`, '0.5'] },
  {
    type: 'numeric(30,7)',
    values: ['1234567890123.1234567', '-0.0000001', '99999999999999999999999.9999999', '20000'],
  },
  { type: 'numeric(2,-3)', values: ['99000', '-1000', '0'] },
  { type: 'numeric(3,5)', values: ['0.00999', '-0.00001'] },
  { type: 'numeric(39,1)', values: [`${nines}.9`, '-0.1', 'NaN'] },
  { type: 'numeric', values: ['NaN', 'Infinity', '-Infinity', '17.685', '18', `1${'0'.repeat(200)}`, '0.000'] },
  {
    type: 'numeric',
    override: { as: 'decimal', precision: 10, scale: 2 },
    values: ['17.68', '99999999.99', '1.200', '17.685', '100000000', 'Infinity', 'NaN', `1${'0'.repeat(200)}`],
    refused: {
      '17.685': 'OUT_OF_RANGE',
      '100000000': 'OUT_OF_RANGE',
      Infinity: 'INFINITE',
      NaN: 'NOT_A_NUMBER',
      [`1${'0'.repeat(200)}`]: 'OUT_OF_RANGE',
    },
  },
  {
    type: 'text',
    values: [
      '',
      'x',
      '汇通',
      '👩‍👩‍👧',
      `tab\tnewline\nquote"back\\slash`,
      'a'.repeat(63),
      'b'.repeat(64),
      'c'.repeat(65),
      '表'.repeat(100_000),
    ],
  },
  { type: 'varchar(5)', values: ['', '福田', 'abcde'] },
  { type: 'char(6)', values: ['', '福田', 'abcdef'] },
  { type: 'char(6)', values: ['', '福田', 'abcdef'], override: { as: 'text' } },
  { type: '"char"', values: ['', 'x'] },
  { type: 'name', values: ['', 'pg_class'] },
  { type: 'bytea', values: ['', '\\x00ff', '\\xdeadbeef'] },
  {
    type: 'date',
    values: ['0001-01-01', '1970-01-01', '1999-12-31', '2000-02-29', '9999-12-31', ...Object.keys(bc)],
    refused: bc,
  },
  {
    type: 'time',
    values: ['00:00:00', '23:59:59.999999', '12:30:00.5', '24:00:00'],
    refused: { '24:00:00': 'OUT_OF_RANGE' },
  },
  { type: 'timetz', values: ['00:00:00+14', '23:59:59.999999-12:30', '24:00:00+00'] },
  {
    type: 'timestamp',
    values: [
      '0001-01-01 00:00:00',
      '1969-12-31 23:59:59.999999',
      '2000-01-01 00:00:00',
      '2038-01-19 03:14:07.000001',
      '9999-12-31 23:59:59.999999',
      ...Object.keys(bc),
    ],
    refused: bc,
  },
  {
    type: 'timestamptz',
    values: [
      '0001-01-01 00:00:00+00',
      '1999-12-31 16:00:00+00',
      '2024-02-29 23:59:59.5+08',
      '9999-12-31 23:59:59.999999+00',
      ...Object.keys(bc),
    ],
    refused: bc,
  },
  { type: 'interval', values: ['0', '1 year 2 mons -3 days 04:05:06.789', '-178000000 years', '178000000 years'] },
  {
    type: 'uuid',
    values: [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '0198c0de-1234-7abc-8def-0123456789ab',
    ],
  },
  { type: 'json', values: ['{"b": 1,  "a":12345678901234567890.123}', 'null', '""'] },
  { type: 'jsonb', values: ['{"b": 1,  "a":12345678901234567890.123}', 'null', '[]', '"汇"'] },
  { type: 'xml', values: ['<a>汇</a>'] },
  { type: 'inet', values: ['192.168.1.1', '192.168.1.1/24', '::1'] },
  { type: 'cidr', values: ['192.168.1.0/24', '::1/128'] },
  { type: 'macaddr', values: ['08:00:2b:01:02:03'] },
  { type: 'macaddr8', values: ['08:00:2b:01:02:03:04:05'] },
  { type: 'bit(3)', values: ['101'] },
  { type: 'varbit', values: ['', '10101'] },
  { type: 'money', values: ['0', '-92233720368547758.08', '92233720368547758.07', '1.5'] },
  { type: 'tsvector', values: ['', `'a':1 'b':2A`] },
  { type: 'tsquery', values: [`'a' & 'b'`] },
  { type: 'jsonpath', values: ['$.a'] },
  { type: 'oid', values: ['0', '4294967295'] },
  { type: 'xid', values: ['4294967295'] },
  { type: 'xid8', values: ['18446744073709551615'] },
  { type: 'regclass', values: ['pg_class'] },
  { type: 'pg_lsn', values: ['0/0', 'FFFFFFFF/FFFFFFFF'] },
  { type: 'pg_snapshot', values: ['10:20:10,14,15'] },
  { type: 'tid', values: ['(0,1)'] },
  { type: 'point', values: ['(1,2.5)'] },
  { type: 'polygon', values: ['((0,0),(1,1),(1,0))'] },
  { type: 'circle', values: ['<(1,2),3>'] },
  { type: 'int4range', values: ['[1,5)', 'empty'] },
  { type: 'tstzmultirange', values: ['{}'] },
  { type: 'pair', values: ['(1,"a b")', '(,)'] },
  { type: 'mood', values: ['平静', 'a "quoted" one'] },
  { type: 'percent', values: ['0', '100.5', '999.99'] },
  { type: 'nested', values: ['0', '999.99'] },
  {
    type: 'int4[]',
    values: ['{}', '{1,NULL,-2147483648}', '{{1,2},{3,4}}', '[0:1]={1,2}'],
    refused: { '{{1,2},{3,4}}': 'OUT_OF_RANGE', '[0:1]={1,2}': 'OUT_OF_RANGE' },
  },
  { type: 'text[]', values: ['{}', '{"",NULL,"NULL","a b","汇,通","q\\"b\\\\"}'] },
  {
    type: 'numeric(6,2)[]',
    values: ['{1.50,NULL}', '{2.00,NaN}', '{3.25}'],
    refused: { '{2.00,NaN}': 'NOT_A_NUMBER' },
  },
  { type: 'percents', values: ['{1.50}', '{}'] },
  { type: 'mood[]', values: ['{平静,"a \\"quoted\\" one"}'] },
  { type: 'uuid[]', values: ['{0198c0de-1234-7abc-8def-0123456789ab}'] },
  { type: 'interval[]', values: ['{"1 day",NULL,01:00:00}'] },
  { type: 'inet[]', values: ['{192.168.1.1,::1}'] },
  { type: 'pair[]', values: ['{"(1,\\"a b\\")"}'] },
  {
    type: 'date[]',
    values: ['{2000-01-01}', '{2000-01-01,infinity}'],
    refused: { '{2000-01-01,infinity}': 'INFINITE' },
  },
  { type: 'int4[]', values: ['{{1,2},{3,4}}', '[0:1]={1,2}'], override: { as: 'text' } },
  { type: 'date', values: ['infinity', '0001-12-31 BC', '10000-01-01'], override: { as: 'text' } },
];
