/** One table of every type that policies know, as Arrow and as SQL, and random policies over it in both languages. */
import {
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { policyOf } from '../../../../exchange/access/policy/policy.ts';
import type { GrantTerms, Literal, Mask, RowFilter } from '../../../../schemas/generated/grant-terms.ts';

type Cell = string | number | bigint | boolean | null;
export type Row = Record<string, Cell>;

interface SampleColumn {
  field: Field;
  sql: string;
  /** Cells: what SQL is given, and what Arrow holds. Text for dates, decimals, timestamps and UUIDs. */
  cells: fc.Arbitrary<Cell>;
  literals: fc.Arbitrary<Literal>;
  /** A literal as SQL. */
  say(literal: Literal): string;
  masks: fc.Arbitrary<Mask>;
}

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
const texts = [
  '',
  'a',
  'ab',
  '张',
  '张三丰',
  '欧阳娜娜',
  '440306199001011234',
  '13800138000',
  "o'x",
  '👍👍a',
  '=1',
  'ab%_',
];
const uuids = ['00000000-0000-0000-0000-000000000000', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'];
const uuidField = new Field('编号', new FixedSizeBinary(16), true, new Map([['ARROW:extension:name', 'arrow.uuid']]));
const constant: Mask[] = [{ mask: 'constant' }];
const buckets: Mask[] = [
  { mask: 'bucket', bounds: [0] },
  { mask: 'bucket', bounds: [-1.5, 0, 2.25] },
];
const hashed: Mask = { mask: 'keyed-hash' };
const cuts: Mask[] = [
  { mask: 'truncate', to: 'month' },
  { mask: 'truncate', to: 'year' },
];
const days = ['0001-01-01', '1969-12-31', '1970-01-01', '2000-02-29', '2024-12-31', '9999-12-31'];
const instants = days.flatMap((day) => [`${day}T00:00:00`, `${day}T23:59:59.999999`]);
const decimals = ['0.000', '-0.001', '1.500', '-1.500', '123456789.125', '-123456789.125'];
const integers = ['0', '1', '-1', '9223372036854775807', '-9223372036854775808', '9007199254740993'];
const doubles = [0, -0.5, 1.5, 2.25, 1e300, -1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const of = <T>(...values: T[]) => fc.constantFrom(...values);
const decimalSql = (literal: Literal) => `cast('${literal}' as decimal(38, 6))`;

export const columns: Record<string, SampleColumn> = {
  有效: {
    field: new Field('有效', new Bool(), true),
    sql: 'boolean',
    cells: of(true, false),
    literals: of(true, false),
    say: String,
    masks: of<Mask>(...constant, { mask: 'constant', value: true }),
  },
  年龄: {
    field: new Field('年龄', new Int32(), true),
    sql: 'integer',
    cells: of(-3, 0, 1, 2, 17, 2147483647),
    literals: of(-3, 0, 1, 1.5, 17),
    say: decimalSql,
    masks: of<Mask>(...constant, ...buckets, hashed, { mask: 'constant', value: 7 }),
  },
  序号: {
    field: new Field('序号', new Int64(), true),
    sql: 'bigint',
    cells: of(...integers.map(BigInt)),
    literals: of<Literal>(...integers, 1, 0, '0.5', '-1.25'),
    say: decimalSql,
    masks: of<Mask>(...constant, ...buckets, hashed),
  },
  经度: {
    field: new Field('经度', new Float64(), true),
    sql: 'double',
    cells: of(...doubles),
    literals: of(0, 1.5, 2, -1e300),
    say: (literal) => `cast('${literal}' as double)`,
    masks: of<Mask>(...constant, ...buckets, { mask: 'truncate', to: 'grid', step: 0.25 }),
  },
  金额: {
    field: new Field('金额', new Decimal(3, 12, 128), true),
    sql: 'decimal(12, 3)',
    cells: of(...decimals),
    literals: of<Literal>(...decimals, '1.4999', 0, 1.5, '-0.0005'),
    say: decimalSql,
    masks: of<Mask>(...constant, ...buckets, { mask: 'truncate', to: 'grid', step: 0.25 }),
  },
  日期: {
    field: new Field('日期', new DateDay(), true),
    sql: 'date',
    cells: of(...days),
    literals: of(...days),
    say: (literal) => `date '${literal}'`,
    masks: of<Mask>(...constant, ...cuts, hashed),
  },
  时间: {
    field: new Field('时间', new TimestampMicrosecond(), true),
    sql: 'timestamp',
    cells: of(...instants),
    literals: of(...instants),
    say: (literal) => `timestamp '${literal}'`,
    masks: of<Mask>(...constant, ...cuts),
  },
  姓名: {
    field: new Field('姓名', new Utf8(), true),
    sql: 'varchar',
    cells: of(...texts),
    literals: of(...texts),
    say: (literal) => quote(String(literal)),
    masks: of<Mask>(
      ...constant,
      hashed,
      { mask: 'partial', shape: 'name' },
      { mask: 'partial', shape: 'phone' },
      { mask: 'partial', shape: 'id-number' },
      { mask: 'constant', value: '保密' },
    ),
  },
  编号: {
    field: uuidField,
    sql: 'uuid',
    cells: of(...uuids),
    literals: of(...uuids),
    say: (literal) => `cast('${literal}' as uuid)`,
    masks: of<Mask>(...constant, hashed),
  },
};

/** Rows with a null here and there. */
export const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record(
    Object.fromEntries(Object.entries(columns).map(([name, { cells }]) => [name, fc.option(cells, { freq: 4 })])),
  ),
  { maxLength: 40 },
);

const ordered = Object.keys(columns).filter((name) => name !== '有效' && name !== '编号');

function leafOf(column: string): fc.Arbitrary<RowFilter> {
  const { literals } = columns[column]!;
  const compared = (name: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge') =>
    literals.map((value): RowFilter => ({ [name]: { column, value } }));
  const any = [
    compared('eq'),
    compared('ne'),
    fc.array(literals, { minLength: 1, maxLength: 4 }).map((values): RowFilter => ({ in: { column, values } })),
    fc.constant<RowFilter>({ isNull: { column } }),
  ];
  if (!ordered.includes(column)) return fc.oneof(...any);
  const between = fc.tuple(literals, literals).map(([low, high]): RowFilter => ({ between: { column, low, high } }));
  const prefix = of('张', 'a', "o'", '4403', '👍').map((value): RowFilter => ({ startsWith: { column, value } }));
  const order = [compared('lt'), compared('le'), compared('gt'), compared('ge'), between];
  return fc.oneof(...any, ...order, ...(column === '姓名' ? [prefix] : []));
}

function filterOver(names: string[]): fc.Arbitrary<RowFilter> {
  const { tree } = fc.letrec<{ tree: RowFilter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.oneof(...names.map(leafOf)),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((and): RowFilter => ({ and })),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((or): RowFilter => ({ or })),
      tie('tree').map((not): RowFilter => ({ not })),
    ),
  }));
  return tree;
}

export type PolicyTerms = Pick<GrantTerms, 'grantee' | 'items' | 'masks' | 'rowFilter'>;

/** Some items, some of them masked, and a filter over columns that are not. */
export const policies: fc.Arbitrary<PolicyTerms> = fc
  .subarray(Object.keys(columns), { minLength: 1 })
  .chain((items) => fc.tuple(fc.constant(items), fc.subarray(items)))
  .chain(([items, masked]) => {
    const masks = fc.record(Object.fromEntries(masked.map((name) => [name, columns[name]!.masks])));
    const open = Object.keys(columns).filter((name) => !masked.includes(name));
    const rowFilter = open.length === 0 ? fc.constant(null) : fc.option(filterOver(open), { freq: 8 });
    return fc.tuple(fc.constant(items), masks, rowFilter);
  })
  .map(([items, masks, rowFilter]) => ({
    grantee: 'police',
    items,
    masks,
    ...(rowFilter === null ? {} : { rowFilter }),
  }))
  .filter((terms) => policyOf(terms) !== null);

/** The same filter in SQL. */
export function filterSql(filter: RowFilter): string {
  const list = (filters: RowFilter[], word: string) => `(${filters.map(filterSql).join(` ${word} `)})`;
  if (filter.and) return list(filter.and, 'and');
  if (filter.or) return list(filter.or, 'or');
  if (filter.not) return `(not ${filterSql(filter.not)})`;
  const [[operator, leaf]] = Object.entries(filter) as [[string, { column: string }]];
  const name = `"${leaf.column}"`;
  const { say } = columns[leaf.column]!;
  if (filter.isNull) return `(${name} is null)`;
  if (filter.startsWith) return `starts_with(${name}, ${quote(filter.startsWith.value)})`;
  if (filter.in) return `(${name} in (${filter.in.values.map(say).join(', ')}))`;
  if (filter.between) return `(${name} between ${say(filter.between.low)} and ${say(filter.between.high)})`;
  const sign = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' }[operator];
  return `(${name} ${sign} ${say((leaf as { column: string; value: Literal }).value)})`;
}

/** What the mask makes of the column, in SQL. A keyed hash is taken by the test itself: DuckDB has none. */
export function maskSql(name: string, mask: Mask | undefined): string {
  const cell = `"${name}"`;
  const { sql, say } = columns[name]!;
  switch (mask?.mask) {
    case 'constant':
      return mask.value === undefined ? `cast(null as ${sql})` : `cast(${say(mask.value)} as ${sql})`;
    case 'partial': {
      const [least, head, tail] = mask.shape === 'name' ? [1, 1, 0] : [7, 3, 4];
      const shown = `substr(${cell}, 1, ${head}) || repeat('*', length(${cell}) - ${head + tail}) || right(${cell}, ${tail})`;
      return `case when length(${cell}) > ${least} then ${shown} else repeat('*', length(${cell})) end`;
    }
    case 'truncate': {
      if (mask.to !== 'grid') return `cast(date_trunc('${mask.to}', ${cell}) as ${sql})`;
      if (sql === 'double') return `floor(${cell} / ${mask.step}) * ${mask.step}`;
      const units = (mask.step ?? 1) * 1000;
      return `cast(floor(cast(cast(${cell} * 1000 as bigint) as double) / ${units}) * ${units} / 1000 as ${sql})`;
    }
    case 'bucket': {
      const last = mask.bounds.at(-1);
      const labels = mask.bounds.map((bound, i) => (i === 0 ? `<${bound}` : `${mask.bounds[i - 1]}–${bound}`));
      const whens = mask.bounds.map((bound, i) => `when ${cell} < ${say(bound)} then '${labels[i]}'`);
      return `case when ${cell} is null then null ${whens.join(' ')} else '≥${last}' end`;
    }
    default:
      return cell;
  }
}

/** The cell as SQL. */
export function cellSql(name: string, cell: Cell): string {
  return cell === null
    ? 'null'
    : `cast(${typeof cell === 'string' ? quote(cell) : `'${cell}'`} as ${columns[name]!.sql})`;
}

export const schema = new Schema(Object.values(columns).map(({ field }) => field));

export function batchOf(list: Row[]): RecordBatch {
  const children = Object.entries(columns).map(([name, { field }]) =>
    columnOf(
      field.type,
      list.map((row) => row[name] ?? null),
    ),
  );
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: list.length, nullCount: 0, children }),
  );
}

function columnOf(type: DataType, cells: Cell[]): Data {
  const nullBitmap = new Uint8Array((cells.length + 7) >> 3);
  cells.forEach((cell, row) => {
    if (cell !== null) nullBitmap[row >> 3]! |= 1 << (row & 7);
  });
  const nullCount = cells.filter((cell) => cell === null).length;
  const common = { length: cells.length, nullCount, nullBitmap };
  if (type instanceof Utf8)
    return vectorFromArray(cells as (string | null)[], type).data[0] ?? makeData({ type, length: 0 });
  if (type instanceof Bool) {
    const data = new Uint8Array(nullBitmap.length);
    cells.forEach((cell, row) => {
      if (cell === true) data[row >> 3]! |= 1 << (row & 7);
    });
    return makeData({ type, ...common, data });
  }
  if (type instanceof Int32) return makeData({ type, ...common, data: Int32Array.from(cells, Number) });
  if (type instanceof Float64) return makeData({ type, ...common, data: Float64Array.from(cells, Number) });
  if (type instanceof Int64)
    return makeData({ type, ...common, data: BigInt64Array.from(cells, (cell) => BigInt(cell ?? 0)) });
  if (type instanceof DateDay) {
    return makeData({
      type,
      ...common,
      data: Int32Array.from(cells, (cell) => Number(microsOf(cell) / 86_400_000_000n)),
    });
  }
  if (type instanceof TimestampMicrosecond) {
    return makeData({ type, ...common, data: BigInt64Array.from(cells, (cell) => microsOf(cell)) });
  }
  if (type instanceof Decimal) return makeData({ type, ...common, data: decimalWords(cells) });
  const bytes = Buffer.concat(cells.map((cell) => Buffer.from(String(cell ?? uuids[0]).replaceAll('-', ''), 'hex')));
  return makeData({ type: type as FixedSizeBinary, ...common, data: new Uint8Array(bytes) });
}

function microsOf(cell: Cell): bigint {
  if (cell === null) return 0n;
  const text = String(cell);
  const millis = Date.parse(`${text.slice(0, 19)}${text.length > 10 ? 'Z' : ''}`);
  return BigInt(millis) * 1000n + (text.endsWith('.999999') ? 999_999n : 0n);
}

function decimalWords(cells: Cell[]): Uint32Array {
  const words = new BigInt64Array(cells.length * 2);
  cells.forEach((cell, row) => {
    const unscaled = BigInt(String(cell ?? '0').replace('.', ''));
    words[row * 2] = BigInt.asIntN(64, unscaled);
    words[row * 2 + 1] = unscaled < 0n ? -1n : 0n;
  });
  return new Uint32Array(words.buffer);
}
