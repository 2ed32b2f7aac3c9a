/** A dataset inferred from a real table: what it says, what it keeps to itself, and that it can be applied as it is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { parseDistrict } from '../../../catalog/district/parse.ts';
import type { Connector } from '../../../connectors/connector.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import type { ContractDocument } from '../../../contracts/contract.ts';
import { type InferRequest, inferDataset } from '../../../pipeline/infer/infer.ts';
import { datasetName } from '../../../pipeline/infer/infer-definition.ts';
import { previewDataset } from '../../../pipeline/preview.ts';
import type { DatasetDefinition } from '../../../schemas/generated/dataset.ts';
import { districtFiles } from '../../catalog/support.ts';
import { contextOf, execute } from '../../connectors/postgres/support.ts';
import { createDatabase } from '../../support/postgres.ts';

/** Resident IDs with right check characters: GB 11643, by SQL. */
const SCHEMA = `
  create function resident_id(n int) returns text language sql as $$
    select body || substr('10X98765432', 1 + (select (sum(substr(body, i::int, 1)::int * w) % 11)::int
      from unnest(array[7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2]) with ordinality weights(w, i)), 1)
    from (select '440306' || to_char(date '1960-01-01' + n * 7, 'YYYYMMDD') || lpad((n % 1000)::text, 3, '0') as body) b $$;
  create table people (
    no int primary key, id_no text not null, name text, grade text, phone text, score numeric(5,2),
    kind text check (kind in ('甲', '乙')), amount int, registered timestamptz not null, secret text,
    serial text, doctor text, tags text[], empty text, ratio float8, seen date);
  comment on table people is '居民';
  comment on column people.grade is '等级';
  insert into people select n, resident_id(n), (array['王伟', '李娜', '张敏'])[1 + n % 3], (array['A', 'B', 'C'])[1 + n % 3],
    '138' || lpad(n::text, 8, '0'), n % 100, (array['甲', '乙'])[1 + n % 2], 5 + n % 700, now() - n * interval '1 hour',
    'zz-canary-' || n % 4, 'SN-' || lpad(n::text, 6, '0'), (array['欧阳修', '王安石'])[1 + n % 2], array['x', 'y'], null,
    case when n % 50 = 0 then 'NaN' else n / 3.0 end, case when n % 90 = 0 then 'infinity' else date '2024-01-01' + n end
    from generate_series(1, 3000) n;
  create table pairs as select n / 40 as a, n % 40 as b, 1.5::float8 as c from generate_series(0, 999) n;
  create table same as select 1 as a, 'x' as b from generate_series(1, 50);
  create table nothing (a int, b text);
  create table 病历 (编号 bigint primary key, 诊断 text);
  insert into 病历 select n, (array['感冒', '肺炎'])[1 + n % 2] from generate_series(1, 100) n;
`;

let database: Awaited<ReturnType<typeof createDatabase>>;
beforeAll(async () => {
  database = await createDatabase();
  await execute(database.url, SCHEMA);
});
afterAll(() => database.drop());

function opened() {
  return { connector: postgres as Connector, config: { url: database.url }, context: contextOf() };
}

async function infer(table: string, more: Partial<InferRequest> = {}) {
  const result = await inferDataset(opened(), {
    department: 'health',
    source: 'health-his',
    table: { name: table },
    ...more,
  });
  const [definition, contract] = Object.values(result.files) as [string, string];
  return {
    ...result,
    text: definition,
    definition: parseYaml(definition) as DatasetDefinition,
    contract: JSON.parse(contract) as ContractDocument & { properties: Record<string, Record<string, unknown>> },
  };
}

describe('inferDataset', () => {
  test('what the source guarantees is in force, what the sample shows is a suggestion', async () => {
    const { contract, definition, key, sample } = await infer('people');
    expect(sample).toEqual({ rows: 3000, complete: true });
    expect(key).toEqual({ columns: ['no'], guaranteed: true });
    expect(contract.properties).toMatchObject({
      no: { type: 'integer' },
      id_no: { type: 'string', format: 'resident-id' },
      grade: { title: '等级', type: ['string', 'null'], 'x-huitong-inferred': { enum: ['A', 'B', 'C'], nullShare: 0 } },
      kind: { enum: ['甲', '乙', null] },
      amount: { 'x-huitong-inferred': { minimum: 0, maximum: 10_000 } },
      registered: { type: 'string', format: 'date-time' },
      serial: { 'x-huitong-inferred': { pattern: '^[A-Z]{2}-[0-9]{6}$' } },
      tags: { type: ['array', 'null'] },
      ratio: { type: ['number', 'string', 'null'], 'x-huitong-inferred': { inForce: ['type'] } },
      empty: { 'x-huitong-inferred': { nullShare: 1 } },
      seen: { type: ['string', 'null'] },
    });
    for (const name of ['grade', 'amount', 'serial']) {
      expect(Object.keys(contract.properties[name]!)).not.toEqual(expect.arrayContaining(['enum']));
      expect(contract.properties[name]).not.toHaveProperty('maximum');
      expect(contract.properties[name]).not.toHaveProperty('pattern');
    }
    expect(definition).toMatchObject({
      code: 'health.people',
      title: { zh: '居民', en: 'people' },
      sharing: { class: 'not-shared' },
      overrides: { seen: { as: 'text' } },
      items: { grade: { title: { zh: '等级', en: 'grade' } } },
    });
  });

  test('likely personal columns get a class and a mask, and leave no value behind', async () => {
    const { definition, contract, text, sensitive } = await infer('people');
    expect(definition.items).toMatchObject({
      id_no: { sensitivity: 'sensitive-personal', mask: 'partial' },
      name: { sensitivity: 'personal', mask: 'partial' },
      phone: { sensitivity: 'personal', mask: 'partial' },
      doctor: { sensitivity: 'personal' },
    });
    expect(sensitive.map(({ column }) => column)).toEqual(['id_no', 'name', 'phone', 'doctor']);
    expect(text).toMatch(/# suggested: the sample holds resident IDs/);
    const written = text + JSON.stringify(contract);
    for (const value of ['王伟', '李娜', '欧阳修', '13800000001', '440306', '2999'])
      expect(written).not.toContain(value);
    // A column that is not personal, and whose few values occur often, does leave them: they are codes.
    expect(written).toContain('zz-canary-1');
  });

  test('strict puts the suggestions into force, and the sample still passes', async () => {
    const { contract } = await infer('people', { strict: true });
    expect(contract.properties).toMatchObject({
      grade: { type: 'string', enum: ['A', 'B', 'C'] },
      amount: { minimum: 0, maximum: 10_000 },
      serial: { pattern: '^[A-Z]{2}-[0-9]{6}$' },
    });
    const report = await previewDataset(opened(), {
      request: { table: { name: 'people' }, overrides: { seen: { as: 'text' } } },
      contract,
      masked: [],
    });
    expect(report).toMatchObject({ rowsRead: 3000, rowsQuarantined: 0 });
  });

  test('a table without a key gets the smallest set of columns that tells its rows apart, or a coded error', async () => {
    const pairs = await infer('pairs');
    expect(pairs.key).toEqual({ columns: ['a', 'b'], guaranteed: false });
    expect(pairs.text).toContain('Suggested: the key a, b');
    expect((await infer('nothing')).key.columns).toEqual(['a']);
    await expect(infer('same')).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    expect((await infer('same', { key: ['a'] })).key).toEqual({ columns: ['a'], guaranteed: false });
    await expect(infer('absent')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });

  test('Chinese tables keep their names, and get a code that differs for each', async () => {
    const { definition, dataset } = await infer('病历');
    expect(definition.table.name).toBe('病历');
    expect(definition.items).toMatchObject({ 诊断: { sensitivity: 'sensitive-personal', mask: 'drop' } });
    expect(dataset).toMatch(/^health\.table-[0-9a-f]{8}$/);
    const names = ['姓名', '地址', '地 址'].map((name) => datasetName({ name }));
    expect(new Set(names).size).toBe(3);
    expect(datasetName({ schema: 'Sales', name: 'OrderLines_2024' })).toBe('sales-order-lines-2024');
    expect(datasetName({ schema: 'public', name: '2024' })).toMatch(/^[a-z][a-z0-9-]*$/);
  });

  test('the files are a dataset that a district takes as it is', async () => {
    const inferred = await Promise.all(['people', 'pairs', 'nothing', '病历'].map((table) => infer(table)));
    const { district, problems } = parseDistrict(Object.assign(districtFiles(), ...inferred.map(({ files }) => files)));
    expect(problems).toEqual([]);
    expect(district?.datasets.map(({ definition }) => definition.code)).toEqual(
      expect.arrayContaining(['health.people', 'health.pairs', 'health.nothing']),
    );
  });
});

describe('previewDataset', () => {
  test('counts what breaks the contract by code and pointer, and hides masked cells', async () => {
    const { contract } = await infer('people');
    contract.properties.amount = { type: ['integer', 'null'], maximum: 103 };
    contract.key = ['grade', 'amount'];
    const report = await previewDataset(opened(), {
      request: { table: { name: 'people' }, overrides: { seen: { as: 'text' } } },
      contract,
      masked: ['name', 'phone', 'empty'],
    });
    const [{ rows: tooLarge, duplicates }] = (
      await execute(
        database.url,
        `select count(*) filter (where amount > 103)::int as rows,
                (count(*) filter (where amount <= 103) - count(distinct (grade, amount)) filter (where amount <= 103))::int as duplicates
           from people`,
      )
    ).rows;
    expect(report.violations).toEqual([
      { code: 'MAXIMUM', pointer: '/amount', rows: tooLarge },
      { code: 'DUPLICATE_KEY', pointer: '', rows: duplicates },
    ]);
    expect(report).toMatchObject({
      rowsRead: 3000,
      rowsQuarantined: tooLarge + duplicates,
      rowsPublished: 3000 - tooLarge - duplicates,
      complete: true,
      guarantee: 'snapshot',
    });
    expect(report.rows).toHaveLength(20);
    const first = JSON.parse(report.rows[0]!.row);
    expect(first).toMatchObject({ no: 1, name: '***', phone: '***', empty: null, grade: 'B' });
    expect(report.rows.map(({ row }) => row).join()).not.toContain('王伟');
    expect(report.bytesStored).toBeGreaterThan(1_000);
    expect(report.bytesStored).toBeLessThan(report.bytesDecoded);
  });
});
