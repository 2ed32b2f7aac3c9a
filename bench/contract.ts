/**
 * The contract check in columns against ajv fed from Arrow rows: one thread, 13 columns of residents with if/then and
 * anyOf, at 1 % and at 10 % bad rows; both give every error. `npm run bench:contract [-- --batches 8]`.
 */
import { parseArgs } from 'node:util';
import * as arrow from 'apache-arrow';
import { compileContract, validateContract } from '../contracts/compile.ts';
import type { ContractDocument } from '../contracts/contract.ts';
import { rowImager } from '../contracts/image.ts';
import { createOracle } from '../contracts/oracle.ts';

const batchRows = 65_536;
/** ajv is slow: it judges a part of each batch, and its rate is taken from that. */
const ajvRows = 8_192;
const { values: options } = parseArgs({ options: { batches: { type: 'string', default: '8' } } });

const districts = Array.from({ length: 60 }, (_, i) => String(110_101 + ((i * 7919) % 600_000)));
const document: ContractDocument = {
  version: '1.0.0',
  key: ['id'],
  type: 'object',
  required: ['id', 'uuid', 'name', 'id_no', 'birth', 'district'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    uuid: { type: 'string', format: 'uuid' },
    name: { type: 'string', minLength: 2, maxLength: 20, pattern: '^[\\u4e00-\\u9fff·]+$' },
    id_no: { type: 'string', pattern: '^\\d{17}[\\dX]$', format: 'resident-id' },
    birth: { type: 'string', format: 'date' },
    phone: { type: ['string', 'null'], pattern: '^1\\d{10}$' },
    address: { type: ['string', 'null'], minLength: 5, maxLength: 30 },
    lat: { type: 'number', minimum: 3, maximum: 54 },
    lon: { type: 'number', minimum: 73, maximum: 136 },
    is_vaccinated: { type: ['boolean', 'null'] },
    score: { type: 'number', minimum: 0, exclusiveMaximum: 1000 },
    updated_at: { type: 'string', format: 'date-time' },
    district: { type: 'string', enum: districts },
  },
  if: { properties: { is_vaccinated: { const: true } } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { properties: { score: { minimum: 1 } } },
  anyOf: [{ properties: { phone: { type: 'string' } } }, { properties: { address: { type: 'string' } } }],
};

/** Numerical Recipes' linear congruential generator: the same rows on every run. */
let seed = 12_345;
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}
const digits = (count: number) => Array.from({ length: count }, () => random(10)).join('');
const pick = (characters: string) => characters[random(characters.length)]!;

function residentId(days: number, broken: boolean): string {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const date = new Date(days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
  const body = districts[random(60)] + date + digits(3);
  const sum = weights.reduce((total, weight, i) => total + weight * Number(body[i]), 0);
  return body + '10X98765432'[(sum + (broken ? 1 : 0)) % 11];
}

const fields = [
  new arrow.Field('id', new arrow.Int64(), false),
  new arrow.Field('uuid', new arrow.Utf8(), false),
  new arrow.Field('name', new arrow.Utf8(), false),
  new arrow.Field('id_no', new arrow.Utf8(), false),
  new arrow.Field('birth', new arrow.DateDay(), false),
  new arrow.Field('phone', new arrow.Utf8(), true),
  new arrow.Field('address', new arrow.Utf8(), true),
  new arrow.Field('lat', new arrow.Float64(), false),
  new arrow.Field('lon', new arrow.Float64(), false),
  new arrow.Field('is_vaccinated', new arrow.Bool(), true),
  new arrow.Field('score', new arrow.Decimal(4, 10), false),
  new arrow.Field('updated_at', new arrow.TimestampMicrosecond('UTC'), false),
  new arrow.Field('district', new arrow.Utf8(), false),
];

/** One row as its columns' cells; `broken` picks which rule it breaks, 0 for none. */
function row(id: number, broken: number) {
  const birth = -10_000 + random(28_000);
  const noPhone = random(5) === 0 || broken === 8;
  const hex = Array.from({ length: 32 }, () => pick('0123456789abcdef')).join('');
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  const street = Array.from({ length: 8 + random(18) }, () => pick('北京市海淀区中关村大街朝阳建国路号室单元')).join(
    '',
  );
  return {
    id: BigInt(id + 1),
    uuid: broken === 1 ? `${uuid.slice(0, 35)}g` : uuid,
    name: broken === 2 ? 'x' : pick('王李张刘陈') + String.fromCharCode(0x4e00 + random(0x5000)),
    id_no: residentId(birth, broken === 3),
    birth,
    phone: noPhone ? null : (broken === 4 ? '2' : '1') + digits(10),
    address: broken === 8 ? null : street,
    lat: broken === 5 ? 60 : 4 + random(49_000_000) / 1e6,
    lon: 74 + random(61_000_000) / 1e6,
    is_vaccinated: [null, false, true][random(3)]!,
    score: broken === 6 ? -1 : 10_000 + random(9_980_000),
    updated_at: 1_700_000_000_000_000n + BigInt(random(1e9)) * 31n,
    district: broken === 7 ? '999999' : districts[random(60)]!,
  };
}

function makeBatch(first: number, badShare: number): arrow.RecordBatch {
  const rows = Array.from({ length: batchRows }, (_, i) =>
    row(first + i, random(1e6) < badShare * 1e6 ? 1 + random(8) : 0),
  );
  const plain = <T extends arrow.DataType>(type: T, data: T['TArray']) =>
    arrow.makeData({ type, length: batchRows, nullCount: 0, data } as never);
  const built = <T extends arrow.DataType>(type: T, name: keyof (typeof rows)[number]) =>
    arrow.vectorFromArray(
      rows.map((r) => r[name]),
      type,
    ).data[0]!;
  const scores = Uint32Array.from(rows.flatMap(({ score }) => [score, score >> 31, score >> 31, score >> 31]));
  const children = fields.map(({ name, type }) => {
    switch (name) {
      case 'id':
        return plain(
          type,
          BigInt64Array.from(rows, (r) => r.id),
        );
      case 'birth':
        return plain(
          type,
          Int32Array.from(rows, (r) => r.birth),
        );
      case 'score':
        return plain(type, scores);
      case 'updated_at':
        return plain(
          type,
          BigInt64Array.from(rows, (r) => r.updated_at),
        );
      default:
        return built(type, name as keyof (typeof rows)[number]);
    }
  });
  const data = arrow.makeData({ type: new arrow.Struct(fields), length: batchRows, nullCount: 0, children });
  return new arrow.RecordBatch(new arrow.Schema(fields), data);
}

/**
 * Rows a second of CPU time of `work`, which says how many rows it judged; the best of three rounds over all batches.
 * CPU time, not the clock: both are one thread without waiting, and neighbours on the machine then count less.
 */
function rate(batches: arrow.RecordBatch[], work: (batch: arrow.RecordBatch) => number): number {
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const started = process.cpuUsage();
    const judged = batches.reduce((rows, batch) => rows + work(batch), 0);
    const { user, system } = process.cpuUsage(started);
    best = Math.max(best, (judged / (user + system)) * 1e6);
  }
  return best;
}

function compare(badShare: number): number {
  const batches = Array.from({ length: Number(options.batches) }, (_, b) => makeBatch(b * batchRows, badShare));
  const schema = batches[0]!.schema;
  const compiled = compileContract(document, schema);
  const oracle = createOracle(validateContract(document).root);
  const image = rowImager(schema);
  let failed = 0;
  const columns = rate(batches, (batch) => {
    const verdict = compiled.check(batch);
    failed = verdict.failed;
    return verdict.errors().length >= verdict.failed ? batch.numRows : 0;
  });
  const rows = rate(batches.slice(0, 2), (batch) => {
    for (let i = 0; i < ajvRows; i++) {
      const value = image(batch.data.children, i);
      if (!oracle.passes(value)) {
        oracle.errors(value);
      }
    }
    return ajvRows;
  });
  const share = ((100 * failed) / batchRows).toFixed(1);
  process.stdout.write(
    `${share} % bad: columns ${(columns / 1e6).toFixed(2)} M rows/s, ajv from Arrow ${(rows / 1e6).toFixed(3)} M rows/s, ` +
      `${(columns / rows).toFixed(1)} ×\n`,
  );
  return columns / rows;
}

for (const [name, share] of [
  ['contract_check', 0.01],
  ['contract_check_10', 0.1],
] as const) {
  const ratio = compare(share);
  const peak = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`bench ${name} ratio ${ratio.toFixed(2)} peak_mb ${peak.toFixed(0)}\n`);
}
