import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getContract, listContracts } from '../../catalog/contracts.ts';
import { type Catalog, migrate, openCatalog } from '../../catalog/database.ts';
import { getDataset, listDatasets } from '../../catalog/datasets.ts';
import { getDepartment, listDepartments } from '../../catalog/departments.ts';
import { assignmentParts, listSchedules } from '../../catalog/publishing.ts';
import { getSource, listSources, sourceDefinition } from '../../catalog/sources.ts';
import { createDatabase } from '../support/postgres.ts';
import { apply, changed, contract, districtFiles, withContract } from './support.ts';

/** What an entry may say besides what it must. */
const described = changed(
  'datasets/health/vaccinations.yaml',
  'items:\n',
  `format: database
category: theme
opennessConditions: { zh: 统计结果, en: Aggregates only }
coverage: { area: { zh: 龙华区, en: Longhua }, from: "2021" }
contact: { office: { zh: 疾控科, en: Disease control }, phone: "0755-00000000" }
items:
  dose: { description: { zh: 第几剂, en: Which dose it was } }
`,
);

let database: Awaited<ReturnType<typeof createDatabase>>;
let catalog: Catalog;
beforeAll(async () => {
  database = await createDatabase();
  catalog = openCatalog(database.url);
  await migrate(catalog);
  await apply(catalog, described);
});
afterAll(async () => {
  await catalog.destroy();
  await database.drop();
});

const notFound = expect.objectContaining({ code: 'NOT_FOUND' });

test('departments with the number of their datasets', async () => {
  const departments = await listDepartments(catalog);
  expect(departments.map(({ code, datasets }) => [code, datasets])).toEqual([
    ['data', 0],
    ['health', 2],
    ['police', 0],
  ]);
  expect(await getDepartment(catalog, 'health')).toEqual(departments[1]);
  await expect(getDepartment(catalog, 'heath')).rejects.toThrow(notFound);
});

test('sources by department; the connection only in the definition', async () => {
  const [source] = await listSources(catalog, { department: 'health' });
  expect(source).toMatchObject({ code: 'health-his', kind: 'postgres' });
  expect(JSON.stringify(source)).not.toContain('HEALTH_URL');
  expect(await listSources(catalog, { department: 'police' })).toEqual([]);
  expect(await getSource(catalog, 'health-his')).toEqual(source);
  expect((await sourceDefinition(catalog, 'health-his')).connection).toEqual({ url: 'env:HEALTH_URL' });
  await expect(getSource(catalog, 'x')).rejects.toThrow(notFound);
});

describe('datasets', () => {
  const found = async (search: string) => (await listDatasets(catalog, { search })).items.map(({ code }) => code);

  test.each([
    ['疫苗', ['health.vaccinations']],
    ['接种', ['health.clinics', 'health.vaccinations']],
    ['VACCINATION records', ['health.vaccinations']],
    ['Ｖａｃｃｉｎａｔｉｏｎ', ['health.vaccinations']],
    ['身份证', ['health.vaccinations']],
    ['resident id', ['health.vaccinations']],
    ['register', ['health.clinics']],
    ['', ['health.clinics', 'health.vaccinations']],
    ['疾控科', ['health.vaccinations']],
    ['第几 剂', ['health.vaccinations']],
    ['which dose', ['health.vaccinations']],
    ['卫生健康 名录', ['health.clinics']],
    ['bureau clinics', ['health.clinics']],
    ['100%', []],
    ['health_clinics', []],
  ])('searched for %s', async (search, codes) => {
    expect(await found(search)).toEqual(codes);
  });

  test('by class and department', async () => {
    const codes = async (request: Parameters<typeof listDatasets>[1]) =>
      (await listDatasets(catalog, request)).items.map(({ code }) => code);
    expect(await codes({ sharingClass: 'unconditional' })).toEqual(['health.clinics']);
    expect(await codes({ department: 'police' })).toEqual([]);
  });

  test('page by page: every dataset once, and no cursor on the last page', async () => {
    const first = await listDatasets(catalog, { limit: 1 });
    expect(first.items.map(({ code }) => code)).toEqual(['health.clinics']);
    const second = await listDatasets(catalog, { limit: 1, cursor: first.next });
    expect(second.items.map(({ code }) => code)).toEqual(['health.vaccinations']);
    expect(second.next).toBeUndefined();
    await expect(listDatasets(catalog, { cursor: 'mine' })).rejects.toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });

  test('one, with its items in the contract’s order', async () => {
    const dataset = await getDataset(catalog, 'health.vaccinations');
    expect(dataset).toMatchObject({
      sharingClass: 'conditional',
      key: ['record_id'],
      modes: ['bulk'],
      currentVersion: null,
      ...{ format: 'database', category: 'theme', opennessConditions: { zh: '统计结果', en: 'Aggregates only' } },
      ...{ coverage: { area: { zh: '龙华区', en: 'Longhua' }, from: '2021' }, review: null },
      contact: { office: { zh: '疾控科', en: 'Disease control' }, phone: '0755-00000000' },
      retention: { versionsMin: 2, versionDays: 365 },
    });
    expect(dataset.items).toEqual([
      expect.objectContaining({ name: 'record_id', key: true, sensitivity: 'none', sharingClass: 'conditional' }),
      expect.objectContaining({ name: '身份证号', key: false, mask: 'partial', format: 'resident-id' }),
      expect.objectContaining({ name: 'dose', type: 'integer' }),
    ]);
    await expect(getDataset(catalog, 'health.vaccination')).rejects.toThrow(notFound);
  });

  test('one conditional item makes the whole dataset conditional', async () => {
    const files = districtFiles();
    files['datasets/health/clinics.yaml'] += `items:
  record_id: { sharing: { class: conditional, basis: { zh: 规定, en: Rule } } }
`;
    await apply(catalog, files);
    expect((await getDataset(catalog, 'health.clinics')).sharingClass).toBe('conditional');
    await apply(catalog, districtFiles());
    expect((await getDataset(catalog, 'health.clinics')).sharingClass).toBe('unconditional');
  });
});

test('contracts, newest first by number, with members in their author’s order', async () => {
  for (const version of ['1.9.0', '1.10.0']) await apply(catalog, withContract({ ...contract, version }));
  const all = await listContracts(catalog, 'health.vaccinations');
  expect(all.map(({ version }) => version)).toEqual(['1.10.0', '1.9.0', '1.0.0']);
  const { document } = await getContract(catalog, 'health.vaccinations', '1.9.0');
  expect(Object.keys(document)).toEqual(Object.keys(contract));
  await expect(getContract(catalog, 'health.vaccinations', '3.0.0')).rejects.toThrow(notFound);
});

test('what a run needs: the assignment without what belongs to the run, and the rules with their defaults', async () => {
  const publishable = await assignmentParts(catalog, 'health.clinics');
  expect(publishable).toMatchObject({
    assignment: {
      dataset: 'health.clinics',
      department: 'health',
      source: { code: 'health-his', kind: 'postgres', connection: { url: 'env:HEALTH_URL' } },
      table: { name: 'clinic' },
      contract: { version: '1.0.0' },
      plan: { partitions: 1, controlTotals: true },
    },
    contractVersion: '1.0.0',
    worker: 'department',
    rules: { quarantinedShareMax: 0.05, emptyAllowed: false, lostShareMax: 0.5, quarantineDays: 30 },
  });
  await expect(assignmentParts(catalog, 'health.nothing')).rejects.toThrow(notFound);
});

test('schedules have the district’s time zone where they name none', async () => {
  expect(await listSchedules(catalog)).toEqual([
    { dataset: 'health.vaccinations', department: 'health', cron: '30 2 * * *', timeZone: 'Asia/Shanghai' },
  ]);
});
