/** Every column type with its extremes: what goes over the wire, and what must stand in the batch. */
import * as tds from '../../support/tds/types.ts';

export interface TypeCase {
  declared: string;
  type: tds.TdsType;
  codePage?: number;
  values: string[];
  /** The text in the batch as the conformance kit shows it, where it is not the value; two where there are two columns. */
  expected?: (value: string) => string | [string, string];
  /** Where Arrow must hold null, and the connector must say so. */
  broken?: string[];
}

const digits38 = '9'.repeat(38);

export const typeCases: TypeCase[] = [
  { declared: 'bit', type: tds.bit(), values: ['0', '1'], expected: shownBit },
  { declared: 'tinyint', type: tds.integer(1), values: ['0', '255'] },
  { declared: 'smallint', type: tds.integer(2), values: ['-32768', '32767', '0'] },
  { declared: 'int', type: tds.integer(4), values: ['-2147483648', '2147483647', '0'] },
  {
    declared: 'bigint',
    type: tds.integer(8),
    values: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
  },
  { declared: 'real', type: tds.real(), values: ['0', '-0', '1.5', '3.4028234663852886e+38', '1.401298464324817e-45'] },
  { declared: 'float', type: tds.float(), values: ['0', '-0', '0.1', '1.7976931348623157e+308', '5e-324'] },
  { declared: 'decimal(9,2)', type: tds.decimal(9, 2), values: ['-9999999.99', '9999999.99', '0.00', '-0.01'] },
  { declared: 'decimal(19,4)', type: tds.decimal(19, 4), values: ['-999999999999999.9999', '0.0001', '-429496.7296'] },
  { declared: 'decimal(28,28)', type: tds.decimal(28, 28), values: [`-0.${'9'.repeat(28)}`, `0.${'0'.repeat(27)}1`] },
  {
    declared: 'decimal(38,0)',
    type: tds.decimal(38, 0),
    values: [digits38, `-${digits38}`, '-18446744073709551616', '-79228162514264337593543950336'],
  },
  { declared: 'numeric(38,38)', type: tds.numeric(38, 38), values: [`0.${digits38}`, `-0.${digits38}`] },
  { declared: 'numeric(18,0)', type: tds.numeric(18, 0), values: ['999999999999999999', '-9007199254740993', '0'] },
  {
    declared: 'money',
    type: tds.money(),
    values: ['-922337203685477.5808', '922337203685477.5807', '-0.0001', '17.6850'],
  },
  { declared: 'smallmoney', type: tds.smallMoney(), values: ['-214748.3648', '214748.3647', '0.0000'] },
  {
    declared: 'date',
    type: tds.date(),
    values: ['0001-01-01', '1582-10-15', '1970-01-01', '2024-02-29', '9999-12-31'],
  },
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(timeCase),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(datetime2Case),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(offsetCase),
  {
    declared: 'datetime',
    type: tds.datetime(),
    values: [
      '1753-01-01 00:00:00.000',
      '2024-05-06 07:08:09.123',
      '2024-05-06 07:08:09.127',
      '9999-12-31 23:59:59.997',
    ],
    expected: shownTime,
  },
  {
    declared: 'smalldatetime',
    type: tds.smallDatetime(),
    values: ['1900-01-01 00:00:00', '2079-06-06 23:59:00'],
  },
  {
    declared: 'uniqueidentifier',
    type: tds.uniqueidentifier(),
    values: ['00112233-4455-6677-8899-aabbccddeeff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  },
  {
    declared: 'nvarchar(100)',
    type: tds.nvarchar(100),
    values: ['', 'a', '汇通交换', '😀 emoji', 'é'.repeat(63), '汉字'.repeat(50), ' blanks '],
  },
  { declared: 'nchar(10)', type: tds.nchar(10), values: ['ab', '深圳'], expected: (value) => value.padEnd(10) },
  { declared: 'varchar(100)', type: tds.varchar(100), codePage: 1252, values: ['', 'plain', 'Zürich é ÿ'] },
  { declared: 'varchar(60)', type: gbk(), codePage: 936, values: ['', 'ascii', '龙华区', 'ab龙'] },
  {
    declared: 'varchar(90)',
    type: tds.varchar(90, tds.utf8Collation, (value) => Buffer.from(value)),
    codePage: 65001,
    values: ['', '汇通😀'],
  },
  ...codePageCases(),
  {
    declared: 'char(8)',
    type: tds.char(8),
    codePage: 1252,
    values: ['ab', 'abcdefgh'],
    expected: (value) => value.padEnd(8),
  },
  { declared: 'nvarchar(max)', type: tds.nvarchar('max', 7), values: ['', 'short', '长文本😀😀'.repeat(100)] },
  {
    declared: 'varchar(max)',
    type: tds.varchar('max', tds.latin1, undefined, 5),
    codePage: 1252,
    values: ['', 'Zürich'.repeat(50)],
  },
  {
    declared: 'varbinary(max)',
    type: tds.varbinary('max', 3),
    values: ['0x', '0x00ff', `0x${'ab'.repeat(300)}`],
    expected: shownBytes,
  },
  { declared: 'varbinary(20)', type: tds.varbinary(20), values: ['0x', '0xdeadbeef'], expected: shownBytes },
  { declared: 'binary(4)', type: tds.binary(4), values: ['0x00000000', '0xffffffff'], expected: shownBytes },
  { declared: 'timestamp', type: tds.binary(8), values: ['0x00000000000007d1'], expected: shownBytes },
  { declared: 'xml', type: tds.xml(), values: ['', '<r>汇</r>'] },
  { declared: 'sysname', type: tds.nvarchar(128), values: ['dbo', '表'] },
  { declared: 'text', type: tds.text(), codePage: 1252, values: ['', 'legacy é'] },
  { declared: 'ntext', type: tds.ntext(), values: ['', 'legacy 汇'] },
  { declared: 'image', type: tds.image(), values: ['0x', '0x0102'], expected: shownBytes },
  {
    declared: 'sql_variant',
    type: tds.sqlVariant(),
    values: [
      'int|-5',
      'tinyint|255',
      'smallint|-1',
      'bigint|9223372036854775807',
      'bit|1',
      'real|0.1',
      'float|0.1',
      'money|-17.6850',
      'smallmoney|0.0001',
      'decimal(38,4)|-1234567890123456789012345678901234.5678',
      'date|9999-12-31',
      'time(7)|23:59:59.9999999',
      'datetime2(7)|0001-01-01 00:00:00.0000001',
      'datetimeoffset(7)|2024-01-01 00:30:00.1234567 +08:00',
      'datetimeoffset(0)|2024-12-31 23:59:59 -03:30',
      'datetime|2024-05-06 07:08:09.123',
      'smalldatetime|2024-05-06 07:08:00',
      'uniqueidentifier|00112233-4455-6677-8899-AABBCCDDEEFF',
      'nvarchar|汇通 a|b',
      'varchar|Zürich',
      'varbinary|0x00FF',
      'numeric(38,38)|-0.00000000000000000000000000000000000001',
      'nchar|汇 ',
      'char|Zü ',
      'binary|0xDEADBEEF',
      'nvarchar|',
    ],
  },
  // What the server converts to text itself: its CONVERT, its methods.
  { declared: 'hierarchyid', type: tds.nvarchar('max'), values: ['/', '/1/2.5/3/'] },
  {
    declared: 'geography',
    type: tds.nvarchar('max'),
    values: ['SRID=4326;POINT (114.03 22.65)', 'SRID=4326;POINT EMPTY'],
  },
  { declared: 'geometry', type: tds.nvarchar('max'), values: ['SRID=0;LINESTRING (0 0 1 2, 3 4 5 6)'] },
  { declared: 'varchar(30)', type: tds.nvarchar('max'), codePage: 437, values: ['', '░é'] },
];

/** Text that is none, each beside text that is: half of a surrogate pair, bytes that the code page has not got. */
export const brokenCases: TypeCase[] = [
  { declared: 'nvarchar(20)', type: raw(tds.nvarchar(20)), values: ['0x6100', '0x00d86100'] },
  { declared: 'nvarchar(max)', type: raw(tds.nvarchar('max', 1)), values: ['0x6100', '0x00dc'] },
  { declared: 'varchar(20)', type: raw(tds.varchar(20, tds.chinesePrc)), codePage: 936, values: ['0x61', '0x6181'] },
  { declared: 'varchar(20)', type: raw(tds.varchar(20, tds.utf8Collation)), codePage: 65001, values: ['0x61', '0xff'] },
].map((broken) => ({ ...broken, expected: () => 'a', broken: broken.values.slice(1) }));

/** The same type, its values given as bytes. */
function raw({ info, nullCell }: tds.TdsType): tds.TdsType {
  const isMax = info.readUInt16LE(1) === 0xffff;
  return { info, nullCell, cell: (isMax ? tds.varbinary('max', 1) : tds.varbinary(100)).cell };
}

/** Types of columns that are NOT NULL, whose cells have no length. */
export const fixedCases: TypeCase[] = [
  { declared: 'bit', type: tds.fixed(0x32, tds.bit()), values: ['1', '0'], expected: shownBit },
  { declared: 'tinyint', type: tds.fixed(0x30, tds.integer(1)), values: ['255', '0'] },
  { declared: 'smallint', type: tds.fixed(0x34, tds.integer(2)), values: ['-32768', '7'] },
  { declared: 'int', type: tds.fixed(0x38, tds.integer(4)), values: ['-2147483648', '7'] },
  { declared: 'bigint', type: tds.fixed(0x7f, tds.integer(8)), values: ['-9223372036854775808', '7'] },
  { declared: 'real', type: tds.fixed(0x3b, tds.real()), values: ['1.5', '-2'] },
  { declared: 'float', type: tds.fixed(0x3e, tds.float()), values: ['0.1', '-2'] },
  { declared: 'money', type: tds.fixed(0x3c, tds.money()), values: ['-0.0001', '7.0000'] },
  { declared: 'smallmoney', type: tds.fixed(0x7a, tds.smallMoney()), values: ['-0.0001', '7.0000'] },
  {
    declared: 'datetime',
    type: tds.fixed(0x3d, tds.datetime()),
    values: ['1753-01-01 00:00:00.000', '2024-05-06 07:08:09.127'],
    expected: shownTime,
  },
  {
    declared: 'smalldatetime',
    type: tds.fixed(0x3a, tds.smallDatetime()),
    values: ['1900-01-01 00:00:00', '2079-06-06 23:59:00'],
  },
];

/** The characters that these tests use, in code page 936 (GBK); Node decodes it, and encodes none but UTF. */
const gbkBytes: Record<string, string> = { 龙: 'c1fa', 华: 'bbaa', 区: 'c7f8' };

function gbk(): tds.TdsType {
  return tds.varchar(60, tds.chinesePrc, (value) =>
    Buffer.concat(
      [...value].map((character) =>
        Buffer.from(gbkBytes[character] ?? character, gbkBytes[character] ? 'hex' : 'latin1'),
      ),
    ),
  );
}

/** One text a code page of SQL Server's collations, with its bytes there as Python's codecs give them. */
function codePageCases(): TypeCase[] {
  const texts: [codePage: number, lcid: number, text: string, hex: string][] = [
    [874, 0x041e, 'กขฃ ๙', 'a1a2a320f9'],
    [932, 0x0411, '漢字ｶﾅ', '8abf8e9ab6c5'],
    [949, 0x0412, '한글 漢', 'c7d1b1db20f9d3'],
    [950, 0x0404, '漢字 資料', 'ba7ea67220b8eaaec6'],
    [1250, 0x0405, 'Žluťoučký', '8e6c759d6f75e86bfd'],
    [1251, 0x0419, 'Привет ё', 'cff0e8e2e5f220b8'],
    [1253, 0x0408, 'Ελλάδα', 'c5ebebdce4e1'],
    [1254, 0x041f, 'İstanbul ğ', 'dd7374616e62756c20f0'],
    [1255, 0x040d, 'שלום', 'f9ece5ed'],
    [1256, 0x0401, 'سلام', 'd3e1c7e3'],
    [1257, 0x0425, 'Šiauliai õ', 'd06961756c69616920f5'],
    [1258, 0x042a, 'ăâđ₫', 'e3e2f0fe'],
  ];
  return texts.map(([codePage, lcid, text, hex]) => ({
    declared: 'varchar(60)',
    type: tds.varchar(60, Buffer.from([lcid & 0xff, lcid >> 8, 0xd0, 0, 0]), () => Buffer.from(hex, 'hex')),
    codePage,
    values: [text],
  }));
}

export function shownBit(value: string): string {
  return value === '1' ? 't' : 'f';
}

export function shownBytes(value: string): string {
  return `\\x${value.slice(2)}`;
}

function fraction(scale: number, digit: string): string {
  return scale === 0 ? '' : `.${digit.repeat(scale)}`;
}

/** Without the zeros at the end of a fraction. */
export function shownTime(time: string): string {
  return time.includes('.') ? time.replace(/\.?0+$/, '') : time;
}

function timeCase(scale: number): TypeCase {
  return {
    declared: `time(${scale})`,
    type: tds.time(scale),
    values: [`00:00:00${fraction(scale, '0')}`, `23:59:59${fraction(scale, '9')}`, `12:34:56${fraction(scale, '1')}`],
    expected: shownTime,
  };
}

function datetime2Case(scale: number): TypeCase {
  return {
    declared: `datetime2(${scale})`,
    type: tds.datetime2(scale),
    values: ['0001-01-01 00:00:00', '1969-12-31 23:59:59', '2024-02-29 12:34:56', '9999-12-31 23:59:59'].flatMap(
      (time) => ['0', '7', '9'].map((digit) => time + fraction(scale, digit)),
    ),
    expected: (value) => (scale === 7 ? [shownTime(value.slice(0, -1)), value.slice(-1)] : shownTime(value)),
  };
}

/** Local times whose UTC the test knows: the offset is subtracted by the encoder, shown by the batch. */
function offsetCase(scale: number): TypeCase {
  const utc: Record<string, string> = {
    '2024-01-01 00:30:00 +08:00': '2023-12-31 16:30:00|480',
    '2024-12-31 23:59:59 -03:30': '2025-01-01 03:29:59|-210',
    '0001-01-01 14:00:00 +14:00': '0001-01-01 00:00:00|840',
    '9999-12-31 23:59:59 +00:00': '9999-12-31 23:59:59|0',
  };
  const digits = fraction(scale, '7');
  const withDigits = (value: string) => value.replace(/ ([^ ]+) /, ` $1${digits} `);
  const known = new Map(Object.entries(utc).map(([value, text]) => [withDigits(value), text]));
  return {
    declared: `datetimeoffset(${scale})`,
    type: tds.datetimeOffset(scale),
    values: [...known.keys()],
    expected: (value) => {
      const [time = '', minutes = ''] = (known.get(value) ?? '').split('|');
      const micros = scale === 7 ? digits.slice(0, -1) : digits;
      const text = `${shownTime(time + micros)}+00|${minutes}`;
      return scale === 7 ? [text, '7'] : text;
    },
  };
}
