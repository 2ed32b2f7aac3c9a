/** Every type with null, empty, smallest, largest and special values, as literals of SQL. */
import type { UnrepresentableCell } from '../../../columnar/batch.ts';
import type { TypeOverride } from '../../../connectors/connector.ts';

export interface TortureColumn {
  type: string;
  values: string[];
  /** By literal: where Arrow must hold null. */
  refused?: Record<string, UnrepresentableCell['code']>;
  override?: TypeOverride;
  /** How the server tells the value, `?` being the column; and what differs from how Arrow's cell is shown. */
  told?: string;
  shown?: (text: string) => string;
}

const text = (value: string) => `'${value}'`;
const refusing = (...literals: string[]) =>
  Object.fromEntries(literals.map((literal) => [literal, 'OUT_OF_RANGE' as const]));
const nines = (count: number) => '9'.repeat(count);
const withoutZeros = (value: string) => (value.includes('.') ? value.replace(/\.?0+$/, '') : value);
const hex = { told: 'hex(?)', shown: (value: string) => `\\x${value.toLowerCase()}` };
const words = ['', 'a', '汇通', 'Ünï', "quote''s", ' padded', 'tab\\tnewline\\n\\\\'].map(text);
const zeroDates = ["'0000-00-00'", "'2024-00-00'", "'2024-05-00'", "'0000-05-10'", "'2023-02-30'"];
const zeroTimes = ["'0000-00-00 00:00:00'", "'2024-00-00 10:00:00'", "'2024-11-31 00:00:00'"];

export const columns: TortureColumn[] = [
  { type: 'tinyint', values: ['-128', '127', '0'] },
  { type: 'tinyint(1)', values: ['-128', '2', '0'] },
  { type: 'tinyint unsigned', values: ['0', '255'] },
  { type: 'smallint', values: ['-32768', '32767', '0'] },
  { type: 'smallint unsigned', values: ['0', '65535'] },
  { type: 'mediumint', values: ['-8388608', '8388607', '0'] },
  { type: 'mediumint unsigned', values: ['0', '16777215'] },
  { type: 'int', values: ['-2147483648', '2147483647', '0'] },
  { type: 'int unsigned zerofill', values: ['0', '4294967295', '7'], told: '? + 0' },
  { type: 'bigint', values: ['-9223372036854775808', '9223372036854775807', '9007199254740993'] },
  { type: 'bigint unsigned', values: ['0', '18446744073709551615', '9223372036854775808'] },
  { type: 'decimal(9,2)', values: ['-9999999.99', '9999999.99', '0.00', '-0.01'] },
  { type: 'decimal(15,0)', values: [`-${nines(15)}`, nines(15), '0', '-1'] },
  { type: 'decimal(16,3)', values: [`-${nines(13)}.999`, '4294967.296', '-0.001'] },
  { type: 'decimal(30,10)', values: [`-${nines(20)}.${nines(10)}`, '18446744073709551616', '0.0000000001'] },
  { type: 'decimal(38,38)', values: [`-0.${nines(38)}`, `0.${nines(38)}`, '0'] },
  { type: 'decimal(38,0)', values: [`-${nines(38)}`, nines(38), '340282366920938463463374607431768211'] },
  { type: 'decimal(65,30)', values: [`-${nines(35)}.${nines(30)}`, `${nines(35)}.${nines(30)}`, '0'] },
  {
    type: 'decimal(65,5)',
    values: ['12.5', `${nines(30)}`, '0.00001', '-7'],
    override: { as: 'decimal', precision: 20, scale: 2 },
    refused: refusing(nines(30), '0.00001'),
    shown: (value) => value.slice(0, -3),
  },
  {
    type: 'decimal(10,2)',
    values: ['12.50', '-99999999.99'],
    override: { as: 'decimal', precision: 20, scale: 4 },
    shown: (value) => `${value}00`,
  },
  { type: 'float', values: ['3.4028234e38', '-1.17549435e-38', '0.1', '16777217', '0'], told: 'cast(? as double)' },
  { type: 'double', values: ['1.7976931348623157e308', '-2.2250738585072014e-308', '0.1', '1e15', '0'] },
  { type: 'year', values: ['1901', '2155', '0'], shown: (value) => String(Number(value)) },
  { type: 'bit(1)', values: ["b'0'", "b'1'"], told: '? + 0', shown: (value) => (value === '1' ? 't' : 'f') },
  { type: 'bit(9)', values: ["b'0'", "b'111111111'", "b'100000000'"], told: '? + 0' },
  { type: 'bit(64)', values: ['0', '18446744073709551615', '9223372036854775809'], told: '? + 0' },
  {
    type: 'date',
    values: ["'1000-01-01'", "'9999-12-31'", "'1970-01-01'", "'2000-02-29'", "'0001-01-01'", ...zeroDates],
    refused: refusing(...zeroDates.filter((value) => value !== "'0000-05-10'")),
  },
  {
    type: 'datetime',
    values: ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'1969-12-31 23:59:59'", ...zeroTimes],
    refused: refusing(...zeroTimes),
  },
  {
    type: 'datetime(6)',
    values: ["'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'", "'2024-02-29 12:30:00.1'"],
    shown: withoutZeros,
  },
  {
    type: 'timestamp(6) null',
    values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'", "'2024-05-06 07:08:09.12'", zeroTimes[0] ?? ''],
    refused: refusing(zeroTimes[0] ?? ''),
    shown: (value) => `${withoutZeros(value)}+00`,
  },
  { type: 'time', values: ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"] },
  { type: 'time(6)', values: ["'-838:59:59'", "'100:00:00.000001'", "'-00:00:00.1'"] },
  { type: 'date', values: ["'2024-05-06'", "'0000-00-00'"], override: { as: 'text' } },
  { type: 'char(20)', values: words },
  { type: 'varchar(50)', values: [...words, "'😀👨‍👩‍👧'"] },
  { type: 'varchar(50) character set gbk', values: words.filter((word) => !word.includes('Ü')) },
  { type: 'varchar(50) character set latin1', values: ["''", "'Ünï€'", "'a?b'"] },
  { type: 'varchar(20) character set utf16', values: ["''", "'汇通😀'"] },
  { type: 'tinytext', values: words },
  { type: 'text', values: [...words, "repeat('汇', 300)"] },
  { type: 'mediumtext', values: ["repeat('通', 30000)"] },
  { type: 'longtext', values: words },
  { type: "enum('汇','b''c','')", values: ["'汇'", "'b''c'", "''"] },
  { type: "set('a','通','c')", values: ["''", "'a,c'", "'a,通,c'"] },
  { type: 'json', values: [`'{"n": 12345678901234567890.123456789, "汇": [1, null]}'`, "'[]'", "'null'"] },
  { type: 'binary(4)', values: ["''", "x'00ff80'"], ...hex },
  { type: 'varbinary(300)', values: ["''", "x'00'", "repeat(x'FF', 251)", "repeat(x'FB', 300)"], ...hex },
  { type: 'tinyblob', values: ["''", "x'FE'"], ...hex },
  { type: 'blob', values: ["repeat(x'00FF', 30000)"], ...hex },
  { type: 'mediumblob', values: ["repeat(x'01', 70000)"], ...hex },
  { type: 'longblob', values: ["''"], ...hex },
  { type: 'blob', values: ["x'00FF'"], override: { as: 'text' }, told: 'hex(?)' },
  { type: 'point', values: ['st_geomfromtext("POINT(1 -2.5)", 4326)', 'st_geomfromtext("POINT(0 0)")'], ...hex },
  { type: 'geometry', values: ['st_geomfromtext("LINESTRING(0 0,1 1)")'], ...hex },
  {
    type: 'polygon',
    values: ['st_geomfromtext("POLYGON((0 0,1 0,1 1,0 0))", 4326)'],
    override: { as: 'text' },
    told: `concat('SRID=', st_srid(?), ';', st_astext(?))`,
  },
];

/** Types that MySQL does not have. */
export const mariadbColumns: TortureColumn[] = [
  { type: 'uuid', values: ["'123e4567-e89b-42d3-a456-426614174000'", "'00000000-0000-0000-0000-000000000000'"] },
  { type: 'inet4', values: ["'0.0.0.0'", "'255.255.255.255'"] },
  { type: 'inet6', values: ["'::'", "'2001:db8::ff00:42:8329'", "'::ffff:192.0.2.1'"] },
];
