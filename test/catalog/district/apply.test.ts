import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Catalog, migrate, openCatalog } from '../../../catalog/database.ts';
import { applyDistrict } from '../../../catalog/district/apply.ts';
import { planDistrict, toApiPlan } from '../../../catalog/district/plan.ts';
import { createDatabase } from '../../support/postgres.ts';
import { apply, changed, contract, districtFiles, emptyCatalog, parsed, withContract } from '../support.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let catalog: Catalog;
beforeAll(async () => {
  database = await createDatabase();
  catalog = openCatalog(database.url);
  await migrate(catalog);
});
beforeEach(() => emptyCatalog(catalog));
afterAll(async () => {
  await catalog.destroy();
  await database.drop();
});

const vaccinations = 'datasets/health/vaccinations.yaml';

function without(...paths: string[]) {
  return Object.fromEntries(Object.entries(districtFiles()).filter(([path]) => !paths.includes(path)));
}
const withoutClinics = () => without('datasets/health/clinics.yaml', 'datasets/health/clinics.contract.json');

describe('plan and apply', () => {
  test('the first plan adds everything; applied, the next plan is empty and a second apply writes nothing', async () => {
    const district = parsed(districtFiles());
    const plan = await planDistrict(catalog, district);
    expect(toApiPlan(plan)).toMatchObject({
      district: 'longhua',
      empty: false,
      changed: [],
      removed: [],
      problems: [],
    });
    expect(plan.added.map(({ kind, code }) => `${kind} ${code}`)).toEqual([
      'district longhua',
      'policy policy',
      'department data',
      'department health',
      'department police',
      'source health-his',
      'dataset health.clinics',
      'dataset health.vaccinations',
    ]);
    expect(plan.contracts.map(({ dataset, to, level }) => `${dataset} ${to} ${level}`)).toEqual([
      'health.clinics 1.0.0 new',
      'health.vaccinations 1.0.0 new',
    ]);
    expect(await applyDistrict(catalog, plan, 'token:1')).toMatchObject({ changed: true });

    const again = await planDistrict(catalog, district);
    expect(toApiPlan(again)).toMatchObject({ empty: true });
    expect(await applyDistrict(catalog, again, 'token:1')).toEqual({ changed: false });
    expect(await catalog('district_apply').select('actor', 'district')).toEqual([
      { actor: 'token:1', district: 'longhua' },
    ]);
  });

  test('a change is shown by member, and only what changed is written', async () => {
    await apply(catalog, districtFiles());
    const before = await catalog('dataset').where({ code: 'health.clinics' }).first();
    const plan = await planDistrict(catalog, parsed(changed(vaccinations, 'daily', 'weekly')));
    expect(toApiPlan(plan)).toMatchObject({ added: [], removed: [], contracts: [] });
    expect(plan.changed).toEqual([
      {
        kind: 'dataset',
        code: 'health.vaccinations',
        changes: [{ pointer: '/updateCycle', from: 'daily', to: 'weekly' }],
      },
    ]);
    await applyDistrict(catalog, plan, 'test');
    expect(await catalog('dataset').where({ code: 'health.clinics' }).first()).toEqual(before);
    const after = await catalog('dataset').where({ code: 'health.vaccinations' }).first();
    expect(after.definition.updateCycle).toBe('weekly');
  });

  test('what is gone from the files is retired, keeps its epoch, and comes back with them', async () => {
    await apply(catalog, districtFiles());
    await catalog('dataset').where({ code: 'health.clinics' }).update({ epoch: 7 });
    const plan = await planDistrict(catalog, parsed(withoutClinics()));
    expect(plan.removed).toEqual([{ kind: 'dataset', code: 'health.clinics' }]);
    await applyDistrict(catalog, plan, 'test');
    const state = () => catalog('dataset').where({ code: 'health.clinics' }).first('state', 'epoch');
    expect(await state()).toEqual({ state: 'retired', epoch: 7 });
    await apply(catalog, districtFiles());
    expect(await state()).toEqual({ state: 'active', epoch: 7 });
  });

  test('a credit code passes from a department that is gone to its successor, and between two', async () => {
    await apply(catalog, districtFiles());
    const line = '  creditCode: 91350100M000100Y43\n';
    const moved = changed('departments.yaml', line, '');
    moved['departments.yaml'] += line;
    expect(await apply(catalog, moved)).toMatchObject({ changed: true });
    const renamed = changed('departments.yaml', 'code: police', 'code: public-security', moved);
    expect(await apply(catalog, renamed)).toMatchObject({ changed: true });
    expect(await catalog('department').whereNotNull('credit_code').pluck('code')).toEqual(['public-security']);
  });

  test('a plan made against an older state is PLAN_STALE and changes nothing', async () => {
    await apply(catalog, districtFiles());
    const stale = await planDistrict(catalog, parsed(changed(vaccinations, 'daily', 'weekly')));
    await apply(catalog, changed(vaccinations, 'daily', 'monthly'));
    await expect(applyDistrict(catalog, stale, 'test')).rejects.toMatchObject({ code: 'PLAN_STALE' });
    const { definition } = await catalog('dataset').where({ code: 'health.vaccinations' }).first('definition');
    expect(definition.updateCycle).toBe('monthly');
  });

  test('of two applies of plans made at the same time, one wins and the other is stale', async () => {
    const plan = await planDistrict(catalog, parsed(districtFiles()));
    const results = await Promise.allSettled([applyDistrict(catalog, plan, 'a'), applyDistrict(catalog, plan, 'b')]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'PLAN_STALE' } });
  });

  test('another district’s files would retire everything: DISTRICT_MISMATCH', async () => {
    await apply(catalog, districtFiles());
    const plan = await planDistrict(catalog, parsed(changed('district.yaml', 'code: longhua', 'code: nanshan')));
    expect(plan.problems).toEqual([expect.objectContaining({ code: 'DISTRICT_MISMATCH', at: 'district.yaml' })]);
    await expect(applyDistrict(catalog, plan, 'test')).rejects.toMatchObject({ code: 'DISTRICT_MISMATCH' });
    expect(await catalog('district_apply')).toHaveLength(1);
  });

  test('an apply that fails half way leaves nothing behind', async () => {
    await catalog.raw(`alter table district_apply add constraint refuse check (actor <> 'test')`);
    await expect(apply(catalog, districtFiles())).rejects.toThrow('refuse');
    await catalog.raw('alter table district_apply drop constraint refuse');
    expect(await catalog('department')).toEqual([]);
  });
});

describe('contracts', () => {
  const narrowed = (version: string) => ({ ...contract, version, required: ['record_id', 'dose'], key: ['dose'] });
  const apart = (version: string) => ({ ...contract, version, title: version });

  test('a breaking change needs a new major version', async () => {
    await apply(catalog, districtFiles());
    const plan = await planDistrict(catalog, parsed(withContract(narrowed('1.1.0'))));
    expect(plan.contracts).toEqual([expect.objectContaining({ from: '1.0.0', to: '1.1.0', level: 'major' })]);
    expect(plan.contracts[0]?.findings.length).toBeGreaterThan(0);
    expect(plan.problems).toEqual([
      expect.objectContaining({
        code: 'BREAKING_CONTRACT',
        at: 'datasets/health/vaccinations.contract.json:2',
        pointer: '/version',
        message: expect.stringContaining('2.0.0'),
      }),
    ]);
    await expect(applyDistrict(catalog, plan, 'test')).rejects.toMatchObject({ code: 'BREAKING_CONTRACT' });

    expect(await apply(catalog, withContract(narrowed('2.0.0')))).toMatchObject({ changed: true });
    const versions = await catalog('contract')
      .where({ dataset: 'health.vaccinations' })
      .orderBy('version')
      .pluck('version');
    expect(versions).toEqual(['1.0.0', '2.0.0']);
  });

  test('a version, once applied, never has other content, and a version never goes back', async () => {
    await apply(catalog, districtFiles());
    const code = async (document: unknown) =>
      (await planDistrict(catalog, parsed(withContract(document)))).problems.map((problem) => problem.code);
    expect(await code({ ...contract, title: 'other' })).toEqual(['CONTRACT_VERSION']);
    expect(await code(apart('0.9.0'))).toEqual(['CONTRACT_VERSION']);
    expect(await code(apart('1.0.1'))).toEqual([]);
    await apply(catalog, withContract(apart('1.0.1')));
    expect(await code(contract)).toEqual(['CONTRACT_VERSION']);
  });

  test('the past of a retired dataset’s contract still counts when it comes back', async () => {
    await apply(catalog, districtFiles());
    await apply(catalog, withoutClinics());
    const files = changed('datasets/health/clinics.contract.json', '"type":"object"', '"type":"object","title":"x"');
    const plan = await planDistrict(catalog, parsed(files));
    expect(plan.problems.map(({ code }) => code)).toEqual(['CONTRACT_VERSION']);
  });
});
