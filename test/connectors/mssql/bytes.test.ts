/**
 * The test server's cells, byte by byte as [MS-TDS] 2.2.5.5 lays them down. The bytes were made with Python's struct,
 * decimal, uuid and codecs, not with our encoder: an encoder and a decoder of one hand could be wrong in the same way.
 */
import { expect, test } from 'vitest';
import { typeCases } from './cases.ts';

const cells: [declared: string, value: string, hex: string][] = [
  ['bit', '1', '0101'],
  ['tinyint', '255', '01ff'],
  ['smallint', '-32768', '020080'],
  ['int', '-2147483648', '0400000080'],
  ['bigint', '9007199254740993', '080100000000002000'],
  ['real', '1.5', '040000c03f'],
  ['float', '0.1', '089a9999999999b93f'],
  ['decimal(9,2)', '-9999999.99', '0500ffc99a3b'],
  ['decimal(19,4)', '-429496.7296', '09000000000001000000'],
  ['decimal(28,28)', '0.0000000000000000000000000001', '0d01010000000000000000000000'],
  ['decimal(38,0)', '-79228162514264337593543950336', '110000000000000000000000000001000000'],
  ['money', '-0.0001', '08ffffffffffffffff'],
  ['money', '17.6850', '0800000000d2b20200'],
  ['money', '922337203685477.5807', '08ffffff7fffffffff'],
  ['smallmoney', '-214748.3648', '0400000080'],
  ['date', '9999-12-31', '03dab937'],
  ['date', '0001-01-01', '03000000'],
  ['time(0)', '23:59:59', '037f5101'],
  ['time(3)', '23:59:59.999', '04ff5b2605'],
  ['time(7)', '23:59:59.9999999', '05ffbf692ac9'],
  ['datetime2(7)', '9999-12-31 23:59:59.9999999', '08ffbf692ac9dab937'],
  ['datetime2(2)', '1969-12-31 23:59:59.77', '06e9d58339f90a'],
  ['datetimeoffset(7)', '2024-01-01 00:30:00.7777777 +08:00', '0af1619f4d8a44460be001'],
  ['datetimeoffset(0)', '2024-12-31 23:59:59 -03:30', '08373100b3470b2eff'],
  ['datetime', '1753-01-01 00:00:00.000', '08462effff00000000'],
  ['datetime', '9999-12-31 23:59:59.997', '087f242d00ff818b01'],
  ['smalldatetime', '2079-06-06 23:59:00', '04ffff9f05'],
  ['uniqueidentifier', '00112233-4455-6677-8899-aabbccddeeff', '1033221100554477668899aabbccddeeff'],
  ['nvarchar(100)', '😀 emoji', '10003dd800de200065006d006f006a006900'],
  ['varchar(100)', 'Zürich é ÿ', '0a005afc7269636820e920ff'],
  ['varchar(60)', '龙华区', '0600c1fabbaac7f8'],
  ['varbinary(20)', '0xdeadbeef', '0400deadbeef'],
  ['nvarchar(max)', 'short', '0a0000000000000007000000730068006f00720300000000740000000000'],
  ['varbinary(max)', '0x00ff', '02000000000000000200000000ff00000000'],
  ['text', 'legacy é', '10000000000000000000000000000000000000000000000000080000006c656761637920e9'],
];

/** Length, base type, count of property bytes, properties, value (2.2.5.5.4). */
const variants: [value: string, hex: string][] = [
  ['int|-5', '060000003800fbffffff'],
  ['tinyint|255', '030000003000ff'],
  ['smallint|-1', '040000003400ffff'],
  ['bigint|9223372036854775807', '0a0000007f00ffffffffffffff7f'],
  ['bit|1', '03000000320001'],
  ['real|0.1', '060000003b00cdcccc3d'],
  ['float|0.1', '0a0000003e009a9999999999b93f'],
  ['money|-17.6850', '0a0000003c00ffffffff2e4dfdff'],
  ['smallmoney|0.0001', '060000007a0001000000'],
  ['decimal(38,4)|-1234567890123456789012345678901234.5678', '150000006a022604004ef338de509049c4133302f0f6b04909'],
  ['numeric(38,38)|-0.00000000000000000000000000000000000001', '150000006c0226260001000000000000000000000000000000'],
  ['date|9999-12-31', '050000002800dab937'],
  ['time(7)|23:59:59.9999999', '08000000290107ffbf692ac9'],
  ['datetime2(7)|0001-01-01 00:00:00.0000001', '0b0000002a01070100000000000000'],
  ['datetimeoffset(7)|2024-01-01 00:30:00.1234567 +08:00', '0d0000002b0107878a3b4d8a44460be001'],
  ['datetime|2024-05-06 07:08:09.123', '0a0000003d0068b1000071987500'],
  ['smalldatetime|2024-05-06 07:08:00', '060000003a0068b1ac01'],
  ['uniqueidentifier|00112233-4455-6677-8899-AABBCCDDEEFF', '12000000240033221100554477668899aabbccddeeff'],
  ['nvarchar|汇通 a|b', '15000000e7070904d00000401f476c1a90200061007c006200'],
  ['nchar|汇 ', '0d000000ef070904d00000401f476c2000'],
  ['varchar|Zürich', '0f000000a7070904d00000401f5afc72696368'],
  ['char|Zü ', '0c000000af070904d00000401f5afc20'],
  ['varbinary|0x00FF', '06000000a502401f00ff'],
  ['binary|0xDEADBEEF', '08000000ad02401fdeadbeef'],
];

function encoded(declared: string, value: string): string | undefined {
  return typeCases
    .find((one) => one.declared === declared)
    ?.type.cell(value)
    .toString('hex');
}

test.each(cells)('%s %s', (declared, value, hex) => {
  expect(encoded(declared, value)).toBe(hex);
});

test.each(variants)('sql_variant of %s', (value, hex) => {
  expect(encoded('sql_variant', value)).toBe(hex);
});

test('there is a sql_variant of every base type', () => {
  const tried = typeCases.find(({ declared }) => declared === 'sql_variant')?.values ?? [];
  const known = new Set(variants.map(([value]) => value.split(/[|(]/)[0]));
  expect(tried.map((value) => value.split(/[|(]/)[0]).filter((base) => !known.has(base))).toEqual([]);
});
