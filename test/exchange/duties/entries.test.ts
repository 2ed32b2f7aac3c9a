/** Reviews of catalog entries, without Temporal: what may be published when, and what is in force. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Catalog, migrate, openCatalog } from '../../../catalog/database.ts';
import { getDataset, listDatasets } from '../../../catalog/datasets.ts';
import type { DistrictFiles } from '../../../catalog/district/district.ts';
import { planDistrict } from '../../../catalog/district/plan.ts';
import type { Role } from '../../../exchange/access/rights.ts';
import { applyCaseAction } from '../../../exchange/duties/apply.ts';
import type { CaseContent, CaseRow } from '../../../exchange/duties/cases.ts';
import { listDuties } from '../../../exchange/duties/duties.ts';
import { fileRevocation, proposeEntry } from '../../../exchange/duties/entries/file.ts';
import { entryImpact, getEntryReview } from '../../../exchange/duties/entries/show.ts';
import { getCase } from '../../../exchange/duties/list.ts';
import { casePartiesOf } from '../../../exchange/duties/parties.ts';
import { isHuitongError } from '../../../lib/errors.ts';
import type { CaseAction } from '../../../lib/pure/case-transitions.ts';
import { apply, changed, districtFiles, emptyCatalog, parsed } from '../../catalog/support.ts';
import { createDatabase } from '../../support/postgres.ts';
import { personOf } from './support.ts';

const CLINICS = 'datasets/health/clinics.yaml';
const VACCINATIONS = 'datasets/health/vaccinations.yaml';
const CONTRACT = 'datasets/health/vaccinations.contract.json';

let database: Awaited<ReturnType<typeof createDatabase>>;
let catalog: Catalog;
beforeAll(async () => {
  database = await createDatabase();
  catalog = openCatalog(database.url);
  await migrate(catalog);
});
afterAll(async () => {
  await catalog.destroy();
  await database.drop();
});
beforeEach(async () => {
  await emptyCatalog(catalog);
  await catalog('audit_outbox').delete();
  await apply(catalog, districtFiles());
});

function someone(department: string, subject: string, ...roles: Role[]) {
  return {
    principal: { tokenId: subject, department, subject, roles },
    actor: `token:${subject}`,
    person: personOf(subject),
  };
}

const engineer = someone('health', 'zhang', 'engineer');
const sharing = someone('health', 'li', 'sharing-officer');
const reviewer = someone('data', 'wang', 'supervisor');

type Someone = typeof engineer;

const fileOf = (path: string, from: string, to: string): DistrictFiles => ({ [path]: changed(path, from, to)[path]! });
const propose = (files: DistrictFiles, viewer = engineer) => proposeEntry(catalog, { viewer, files });

async function act(who: Someone, id: string, action: CaseAction, content: CaseContent & { at?: string } = {}) {
  const row = (await catalog<CaseRow>('duty_case').where({ id }).first())!;
  return applyCaseAction(catalog, {
    ...{ at: new Date().toISOString(), ...content, case: id, id: randomUUID(), action },
    ...{ parties: casePartiesOf(who.principal, row), person: who.person, actor: who.actor },
    department: who.principal.department,
  });
}

async function submitted(files: DistrictFiles): Promise<string> {
  const id = await propose(files);
  await act(sharing, id, 'submit');
  return id;
}

const seen = async (id: string) => (await getEntryReview(catalog, reviewer, id)).digest;
const publish = async (id: string) => act(reviewer, id, 'publish', { digest: await seen(id) });
const abstractOf = async (code: string) => (await getDataset(catalog, code)).abstract.zh;

async function revoked(code: string): Promise<string> {
  const id = await fileRevocation(catalog, { viewer: sharing, dataset: code, reason: '停止提供' });
  await act(reviewer, id, 'revoke');
  return id;
}

describe('a proposal', () => {
  test('is one dataset of the district’s folder; what is wrong with it is told as for an apply, with its line', async () => {
    const one = fileOf(CLINICS, '接种点名录', '全区接种点名录');
    for (const files of [{}, { ...one, 'policy.yaml': '' }, { ...one, [VACCINATIONS]: '' }, { [CONTRACT]: '{}' }]) {
      expect(() => propose(files as DistrictFiles)).toThrow(expect.objectContaining({ code: 'PATH' }));
    }
    const stranger = fileOf(CLINICS, 'source: health-his', 'source: police-db');
    await expect(propose(stranger)).rejects.toMatchObject({ code: 'REFERENCE_UNKNOWN', at: `${CLINICS}:4` });
    const bare = fileOf(CLINICS, '{ class: unconditional }', '{ class: not-shared }');
    await expect(propose(bare)).rejects.toMatchObject({ code: 'CLASS_BASIS_MISSING' });
    await expect(propose(fileOf(CLINICS, 'contract: clinics', 'contract: other'))).resolves.toEqual(expect.any(String));
  });

  test('brings its contract only where that is new; a breaking one needs its major version', async () => {
    const without = JSON.parse(districtFiles()[CONTRACT]!);
    delete without.properties.dose;
    const same = { [VACCINATIONS]: districtFiles()[VACCINATIONS]! };
    await expect(propose(same)).rejects.toMatchObject({ code: 'ENTRY_SAME' });
    const unversioned = { ...same, [CONTRACT]: JSON.stringify({ ...without, version: '1.1.0' }) };
    await expect(propose(unversioned)).rejects.toMatchObject({ code: 'BREAKING_CONTRACT' });
    const id = await submitted({ ...same, [CONTRACT]: JSON.stringify({ ...without, version: '2.0.0' }) });
    const { plan } = await getEntryReview(catalog, reviewer, id);
    expect(plan.contracts).toMatchObject([{ from: '1.0.0', to: '2.0.0', level: 'major' }]);
    await publish(id);
    expect((await getDataset(catalog, 'health.vaccinations')).contractVersion).toBe('2.0.0');
  });

  test('shows the reviewer what items change, why one is closed, and what is collected twice', async () => {
    const text = districtFiles()[VACCINATIONS]!.replace('mask: partial', 'mask: keyed-hash');
    const basis = '{ zh: 生物安全法, en: Biosecurity Law }';
    const id = await propose({
      [VACCINATIONS]: `${text}  dose: { sharing: { class: not-shared, basis: ${basis} } }\n`,
    });
    const review = await getEntryReview(catalog, reviewer, id);
    expect(review.items).toMatchObject([
      { name: '身份证号', change: 'changed', before: { mask: 'partial' }, after: { mask: 'keyed-hash' } },
      {
        name: 'dose',
        change: 'changed',
        before: { sharingClass: 'conditional' },
        after: { sharingClass: 'not-shared' },
      },
    ]);
    expect(review.notShared).toEqual([{ item: 'dose', basis: { zh: '生物安全法', en: 'Biosecurity Law' } }]);
    expect(review).toMatchObject({
      stale: false,
      duplicates: [],
      plan: { changed: [{ code: 'health.vaccinations' }] },
    });
  });

  test('that would make another department’s entry a duplicate is refused, and told whose', async () => {
    const police = {
      'sources/police-db.yaml': districtFiles()
        ['sources/health-his.yaml']!.replaceAll('health', 'police')
        .replace('-his', '-db'),
      'datasets/police/residents.yaml': districtFiles()
        [CLINICS]!.replace('health.clinics', 'police.residents')
        .replace('health-his', 'police-db')
        .replace(/related.*\n/, '')
        .concat('items: { 身份证号: { element: resident.id } }\n')
        .replace('clinics.contract', 'residents.contract'),
      'datasets/police/residents.contract.json': districtFiles()[CONTRACT]!,
    };
    await apply(catalog, { ...districtFiles(), ...police });
    const claim = fileOf(VACCINATIONS, 'mask: partial,', 'mask: partial, authoritativeFor: resident.id,');
    await expect(propose(claim)).rejects.toMatchObject({
      ...{ code: 'ELEMENT_DUPLICATE', at: 'datasets/police/residents.yaml', pointer: '/items/身份证号' },
    });
  });
});

describe('a publication', () => {
  test('is of exactly what was seen: of another proposal’s, or an older look, it is PLAN_STALE and changes nothing', async () => {
    const id = await submitted(fileOf(CLINICS, '接种点名录', '全区接种点名录'));
    const other = await seen(await submitted(fileOf(VACCINATIONS, '全区接种', '接种记录')));
    for (const digest of [other, 'f'.repeat(64)]) {
      await expect(act(reviewer, id, 'publish', { digest })).rejects.toMatchObject({ code: 'PLAN_STALE' });
    }
    await expect(act(reviewer, id, 'publish')).rejects.toMatchObject({ code: 'REQUEST_INVALID', pointer: '/digest' });
    expect(await abstractOf('health.clinics')).toBe('接种点名录');
    await publish(id);
    expect(await abstractOf('health.clinics')).toBe('全区接种点名录');
  });

  test('is not hindered by other departments’ changes, and is by one of its own entry since it was proposed', async () => {
    const id = await submitted(fileOf(CLINICS, '接种点名录', '全区接种点名录'));
    const digest = await seen(id);
    await apply(catalog, changed(VACCINATIONS, '全区接种', '接种记录'));
    expect(await seen(id)).toBe(digest);
    await apply(catalog, changed(CLINICS, 'openness: open', 'openness: not-open'));
    expect(await getEntryReview(catalog, reviewer, id)).toMatchObject({ stale: true });
    await expect(publish(id)).rejects.toMatchObject({ code: 'PLAN_STALE', at: 'health.clinics' });
    await act(engineer, id, 'withdraw');
    expect(await abstractOf('health.clinics')).toBe('接种点名录');
  });

  test('stands against later applies: the plan says what it keeps, and a folder without its source is refused', async () => {
    await publish(await submitted(fileOf(CLINICS, '接种点名录', '全区接种点名录')));
    const old = await planDistrict(catalog, parsed(districtFiles()));
    expect(old).toMatchObject({ kept: ['health.clinics'], added: [], changed: [], removed: [], problems: [] });
    const caughtUp = parsed(changed(CLINICS, '接种点名录', '全区接种点名录'));
    expect((await planDistrict(catalog, caughtUp)).kept).toEqual([]);
    const { [CLINICS]: _c, 'datasets/health/clinics.contract.json': _d, ...without } = districtFiles();
    const { [VACCINATIONS]: _v, [CONTRACT]: _w, 'sources/health-his.yaml': _s, ...bare } = without;
    const { problems, kept } = await planDistrict(catalog, parsed(bare));
    expect(kept).toEqual(['health.clinics']);
    expect(problems).toMatchObject([
      { code: 'REFERENCE_UNKNOWN', at: CLINICS, pointer: '/source' },
      { code: 'REFERENCE_UNKNOWN', at: CLINICS, pointer: '/related/0' },
    ]);
  });

  test('is the only way where the policy demands it: an apply then changes no entry, and everything else', async () => {
    const required = changed('policy.yaml', 'smallCellMin: 5', 'smallCellMin: 5\ncatalog: { review: required }');
    await apply(catalog, required);
    const next = changed(CLINICS, '接种点名录', '全区接种点名录', {
      ...required,
      'departments.yaml': required['departments.yaml']!.replace('Police', 'Public security'),
    });
    const plan = await planDistrict(catalog, parsed(next));
    expect(plan).toMatchObject({ kept: ['health.clinics'], changed: [{ kind: 'department', code: 'police' }] });
    await apply(catalog, next);
    expect(await abstractOf('health.clinics')).toBe('接种点名录');
    await publish(await submitted({ [CLINICS]: next[CLINICS]! }));
    expect(await abstractOf('health.clinics')).toBe('全区接种点名录');
  });
});

test('a review is owed within two working days, reminded of, and then overdue in the supervisor’s list', async () => {
  const id = await propose(fileOf(CLINICS, '名录', '名册'));
  const at = '2026-03-05T02:00:00.000Z';
  await act(sharing, id, 'submit', { at });
  const duty = async () => (await getCase(catalog, reviewer, id)).duty!;
  // A Thursday; the second working day is the Monday, and it ends where Tuesday begins in Shanghai.
  expect(await duty()).toMatchObject({
    duty: 'publication-review',
    department: 'data',
    deadline: '2026-03-09T16:00:00.000Z',
  });
  const system = { parties: ['system'], person: null, actor: 'system:cases', department: null } as const;
  for (const [action, time] of [
    ['remind', '2026-03-08'],
    ['overdue', '2026-03-10'],
  ] as const) {
    await applyCaseAction(catalog, { ...system, case: id, id: randomUUID(), action, at: `${time}T00:00:00.000Z` });
  }
  expect((await duty()).overdue).toBe(true);
  const { items } = await listDuties(catalog, reviewer.principal, { overdue: true });
  expect(items).toMatchObject([{ of: 'entry-publication', id, dataset: 'health.clinics' }]);
  const { history } = await getCase(catalog, reviewer, id);
  expect(history!.map(({ action }) => action)).toEqual(['open', 'submit', 'remind', 'overdue']);
});

describe('a revocation', () => {
  test('ends what there is, is kept by applies, leaves those who name it unblamed, and is undone by review alone', async () => {
    await apply(catalog, changed(VACCINATIONS, 'mask: partial,', 'mask: partial, authoritativeFor: resident.id,'));
    expect(await entryImpact(catalog, 'health.vaccinations')).toEqual({
      ...{ dataset: 'health.vaccinations', grants: [], requests: [], readers: [] },
      ...{ elements: [{ element: 'resident.id', citedBy: [] }], namedBy: ['health.clinics'] },
    });
    const id = await revoked('health.vaccinations');
    expect((await getCase(catalog, reviewer, id)).state).toBe('REVOKED');
    expect((await getDataset(catalog, 'health.vaccinations')).state).toBe('revoked');
    expect((await listDatasets(catalog)).items.map(({ code }) => code)).toEqual(['health.clinics']);
    const again = { viewer: sharing, dataset: 'health.vaccinations', reason: '再次' };
    await expect(fileRevocation(catalog, again)).rejects.toMatchObject({ code: 'ENTRY_NOT_IN_FORCE' });
    await apply(catalog, districtFiles());
    expect((await getDataset(catalog, 'health.vaccinations')).state).toBe('revoked');
    // It names the revoked entry as related: that is no fault of what is proposed now.
    await publish(await submitted(fileOf(CLINICS, '接种点名录', '全区接种点名录')));
    await publish(await submitted({ [VACCINATIONS]: districtFiles()[VACCINATIONS]! }));
    expect((await getDataset(catalog, 'health.vaccinations')).state).toBe('active');
  });

  test('waits for the capture of its source’s log to be given back', async () => {
    await apply(catalog, changed(CLINICS, 'partitions: 1', 'partitions: 1\nmode: { kind: changes }'));
    const filed = fileRevocation(catalog, { viewer: sharing, dataset: 'health.clinics', reason: '停止提供' });
    await expect(filed).rejects.toMatchObject({ code: 'CAPTURE_OPEN' });
  });

  test('that the supervisor does not confirm changes nothing', async () => {
    const id = await fileRevocation(catalog, { viewer: sharing, dataset: 'health.clinics', reason: '停止提供' });
    await expect(propose(fileOf(CLINICS, '名录', '名册'))).rejects.toMatchObject({ code: 'ENTRY_UNDER_REVIEW' });
    await act(reviewer, id, 'keep-entry', { reason: '其他部门仍在使用' });
    expect((await getDataset(catalog, 'health.clinics')).state).toBe('active');
    await propose(fileOf(CLINICS, '名录', '名册'));
  });
});

test('over random acts by anybody: in force is what somebody else than its proposers has published, and each step is in the log', async () => {
  const everybody = [
    ...[engineer, sharing, reviewer, someone('data', 'zhang', 'supervisor'), someone('police', 'zhao', 'supervisor')],
    ...[someone('health', 'qian', 'sharing-officer', 'engineer'), someone('data', 'li', 'supervisor', 'auditor')],
  ];
  const step = fc.record({
    who: fc.constantFrom(...everybody),
    action: fc.constantFrom<CaseAction | 'propose' | 'file' | 'apply'>(
      ...([
        'propose',
        'file',
        'apply',
        'submit',
        'publish',
        'reject-entry',
        'revoke',
        'keep-entry',
        'withdraw',
      ] as const),
    ),
  });
  let texts = 0;
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
    await emptyCatalog(catalog);
    await catalog('audit_outbox').delete();
    await apply(catalog, districtFiles());
    let expected = { abstract: '接种点名录', state: 'active' };
    const proposals = new Map<string, string>();
    let open: string | undefined;
    for (const { who, action } of steps) {
      try {
        if (action === 'apply') await apply(catalog, districtFiles());
        else if (action === 'propose' || action === 'file') {
          const own = who.principal.department === 'health';
          if (!own) continue;
          const text = `名录 ${++texts}`;
          open =
            action === 'propose'
              ? await propose(fileOf(CLINICS, '接种点名录', text), who)
              : await fileRevocation(catalog, { viewer: who, dataset: 'health.clinics', reason: '停止提供' });
          if (action === 'propose') proposals.set(open, text);
        } else if (open !== undefined) {
          const digest = action === 'publish' && proposals.has(open) ? await seen(open) : undefined;
          await act(who, open, action, { reason: '理由', ...(digest && { digest }) });
          if (action === 'publish') expected = { abstract: proposals.get(open)!, state: 'active' };
          if (action === 'revoke') expected = { ...expected, state: 'revoked' };
          if (action === 'publish' || action === 'revoke') {
            const spoke = await catalog('duty_case_event')
              .where({ case: open })
              .whereIn('action', ['open', 'submit'])
              .pluck('person');
            expect(spoke).not.toContain(who.person);
            expect(who.principal).toMatchObject({ department: 'data', roles: expect.arrayContaining(['supervisor']) });
          }
        }
      } catch (e: unknown) {
        const refusals = [
          'FORBIDDEN',
          'CASE_STATE',
          'CASE_RULE',
          'ENTRY_UNDER_REVIEW',
          'ENTRY_NOT_IN_FORCE',
          'REQUEST_INVALID',
        ];
        if (!refusals.some((code) => isHuitongError(e, code as 'FORBIDDEN'))) throw e;
      }
      const { abstract, state } = await getDataset(catalog, 'health.clinics');
      expect({ abstract: abstract.zh, state }).toEqual(expected);
    }
    const [events] = await catalog('duty_case_event').count<{ count: number }[]>('id as count');
    const [leaves] = await catalog('audit_outbox')
      .whereRaw(`leaf::jsonb ->> 'action' like 'case.entry-%'`)
      .count<{ count: number }[]>('id as count');
    expect(leaves).toEqual(events);
  });
  await fc.assert(property, { numRuns: 6 });
});
