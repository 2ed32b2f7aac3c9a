import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getDataset } from '../../../catalog/datasets.ts';
import { createGrant, revokeGrant } from '../../../exchange/access/explicit-grants.ts';
import { resolveGrant } from '../../../exchange/access/grants.ts';
import { countUse } from '../../../exchange/access/usage.ts';
import { isMendedIn, openClaim, requireMended } from '../../../exchange/duties/corrections.ts';
import { listDuties } from '../../../exchange/duties/duties.ts';
import { getCase, listCases, requireCase } from '../../../exchange/duties/list.ts';
import { averageRating, giveRating, listRatings } from '../../../exchange/duties/ratings.ts';
import { listRecalls, recallVersion } from '../../../exchange/duties/recalls.ts';
import { findMended, tendCases } from '../../../exchange/duties/tend.ts';
import { resolveVersion } from '../../../exchange/publication/versions.ts';
import type { Case } from '../../../schemas/generated/api.ts';
import { type Bench, principal } from '../access/support.ts';
import { DATASET } from '../publication/world.ts';
import { actOn, CLAIM, fileOne, openDutyBench, publishName, read, viewer } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openDutyBench();
});
afterAll(() => bench.close());

const catalog = () => bench.world.catalog;
const provider = () => viewer(bench, 'health', 'li', 'sharing-officer');
const newest = async () => (await resolveVersion(bench.world, DATASET, 'current')).number;
const show = (id: string) => getCase(catalog(), viewer(bench, 'education'), id);
const happened = ({ history }: Case) => history!.map(({ action }) => action);
const tended = async (fixes: [string, number][] = []) =>
  tendCases({
    access: bench.access,
    fix: async (id, version) => {
      fixes.push([id, version]);
      await actOn(bench, id, 'system', 'fix', { version, shown: true });
    },
    start: async () => {},
    changed: async () => {},
    end: async () => {},
  });

describe('a correction', () => {
  test('goes to the provider at once, with ten working days; the claim is sealed, and nobody else’s to see', async () => {
    const id = await fileOne(bench);
    const filed = await show(id);
    expect(happened(filed)).toEqual(['open', 'route']);
    expect(filed).toMatchObject({
      ...{ kind: 'correction', state: 'PROVIDER_CHECK', item: '姓名', version: 1, provider: 'health' },
      duty: { duty: 'correction-answer', department: 'health', overdue: false },
    });
    const stored = await catalog()('correction').where({ case: id }).first();
    expect(stored.claim.includes(Buffer.from(CLAIM))).toBe(false);
    expect(await openClaim(bench.access, provider(), id)).toEqual({
      ...{ key: { id: '1' }, claim: CLAIM, published: '"张三"' },
    });
    await expect(openClaim(bench.access, viewer(bench, 'education'), id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(openClaim(bench.access, viewer(bench, 'data', 'wu', 'sharing-officer'), id)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await actOn(bench, id, 'claimant', 'withdraw');
  });

  test('whether the row exists is not told to who files it', async () => {
    const id = await fileOne(bench, { key: { id: '404' } });
    expect((await openClaim(bench.access, provider(), id)).published).toBeNull();
    await actOn(bench, id, 'claimant', 'withdraw');
  });

  test.each([
    ['an item that is not there', { item: '住址' }, 'COLUMN_NOT_GRANTED'],
    ['a key that is not the contract’s', { key: { 姓名: '张三' } }, 'REQUEST_INVALID'],
    ['a version that is not there', { version: 99 }, 'NOT_FOUND'],
    ['a dataset that is not there', { dataset: 'health.nothing' }, 'NOT_FOUND'],
  ])('is refused for %s, without the value', async (_, changes, code) => {
    const refusal = await fileOne(bench, changes).catch((e: unknown) => e);
    expect(refusal).toMatchObject({ code });
    expect(String(refusal)).not.toContain('张三');
  });

  test('is mended by the version in which the row differs in the item, and its readers are asked', async () => {
    const id = await fileOne(bench);
    await read(bench, 'data');
    await actOn(bench, id, 'provider', 'accept');
    expect((await show(id)).duty).toMatchObject({ duty: 'correction-fix', department: 'health' });
    const fixes: [string, number][] = [];
    expect((await tended(fixes)).mended).toBe(0);
    // A version in which another row differs does not count.
    await publishName(bench, '张三');
    await tended(fixes);
    expect(fixes).toEqual([]);
    await publishName(bench, CLAIM);
    const number = await newest();
    await tended(fixes);
    expect(fixes).toEqual([[id, number]]);
    expect(await show(id)).toMatchObject({
      ...{ state: 'CONSUMERS_NOTIFIED', fixedVersion: number, fixShown: true, duty: null },
    });
    const { items } = await listCases(catalog(), viewer(bench, 'data'), { cause: `correction/${id}` });
    expect(items).toMatchObject([
      { kind: 'confirmation', department: 'data', state: 'CONFIRMATION_DUE', duty: { department: 'data' } },
    ]);
    expect((await tended(fixes)).mended).toBe(0);
    await actOn(bench, items[0]!.id, 'holder', 'confirm-replaced', { reason: '已更新' });
  });

  test('is found mended by the new version at once, in that dataset only; who comes second finds it done', async () => {
    const id = await fileOne(bench, { key: { id: '1' }, version: await newest() });
    await actOn(bench, id, 'provider', 'accept');
    await publishName(bench, `${CLAIM.slice(0, 2)}三`);
    const fix = (done: string, version: number) => actOn(bench, done, 'system', 'fix', { version, shown: true });
    expect(await findMended(bench.access, fix, ['health.other'])).toBe(0);
    expect((await show(id)).state).toBe('ACCEPTED');
    const twice = async (done: string, version: number) => {
      await fix(done, version);
      return fix(done, version);
    };
    expect(await findMended(bench.access, twice, [DATASET])).toBe(0);
    expect(await show(id)).toMatchObject({ state: 'CONSUMERS_NOTIFIED', fixedVersion: await newest(), fixShown: true });
  });

  test('is mended in the provider’s word only with a reason, where the rows do not show it', async () => {
    const id = await fileOne(bench, { key: { id: '2' } });
    await actOn(bench, id, 'provider', 'accept');
    const row = await requireCase(catalog(), provider().principal, id);
    expect(await isMendedIn(bench.access, row, 2)).toBe(false);
    const say = { case: id, version: 2 };
    await expect(requireMended(bench.access, provider().principal, say)).rejects.toMatchObject({
      ...{ code: 'REQUEST_INVALID', pointer: '/reason' },
    });
    await expect(requireMended(bench.access, provider().principal, { ...say, version: 1 })).rejects.toMatchObject({
      pointer: '/version',
    });
    await requireMended(bench.access, provider().principal, { ...say, reason: '以户籍系统为准' });
    await actOn(bench, id, 'provider', 'fix', { version: 2, reason: '以户籍系统为准' });
    expect(await show(id)).toMatchObject({ state: 'CONSUMERS_NOTIFIED', fixedVersion: 2, fixShown: false });
  });

  test('one message sent twice is one step; a late one is refused', async () => {
    const id = await fileOne(bench);
    const message = { id: '01990000-0000-7000-8000-000000000001', reason: '属实' };
    await actOn(bench, id, 'provider', 'accept', message);
    await actOn(bench, id, 'provider', 'accept', message);
    expect(happened(await show(id))).toEqual(['open', 'route', 'accept']);
    await expect(actOn(bench, id, 'provider', 'accept')).rejects.toMatchObject({ code: 'CASE_STATE' });
  });

  test('every step is in the log, without the row, the claim or a name', async () => {
    const id = await fileOne(bench);
    await actOn(bench, id, 'provider', 'reject', { reason: '以出生证为准' });
    await bench.audit.drainOutbox();
    const all = (await bench.audit.reader.entries(0, 1_000)).map(({ leaf }) => leaf);
    const own = all.map((leaf) => JSON.parse(leaf)).filter(({ object }) => object === `case/${id}`);
    expect(own.map(({ action, decision }) => [action, decision])).toEqual([
      ['case.correction.open', 'allow'],
      ['case.correction.route', 'allow'],
      ['case.correction.reject', 'deny'],
    ]);
    for (const secret of [CLAIM, '户口簿', '出生证', '张三']) expect(all.join('\n')).not.toContain(secret);
  });
});

describe('a rating', () => {
  const give = (department: string, version: number, stars: number, grant?: string) =>
    giveRating(bench.world, {
      ...{ viewer: viewer(bench, department), dataset: DATASET, version, stars, reasons: '字段缺失' },
      ...(grant === undefined ? {} : { grant }),
    });

  test('is given once for each grant and version, by who has read it; a low one wants an answer', async () => {
    await expect(give('education', 1, 1)).rejects.toMatchObject({ code: 'CASE_RULE' });
    await read(bench, 'education', 1);
    const low = await give('education', 1, 1);
    expect(low).toMatchObject({ grant: 'implicit:unconditional', stars: 1, answer: null });
    await expect(give('education', 1, 5)).rejects.toMatchObject({ code: 'RATING_GIVEN' });
    await read(bench, 'education', 2);
    const high = await give('education', 2, 4);
    expect(high.case).toBeNull();
    expect(await averageRating(catalog(), DATASET)).toEqual({ average: 2.5, count: 2 });
    expect(await averageRating(catalog(), 'health.nothing')).toBeNull();
    await actOn(bench, low.case!, 'provider', 'answer', { reason: '下月补齐' });
    const { items } = await listRatings(catalog(), principal('education'));
    expect(items.map(({ id, answer }) => [id, answer])).toEqual([
      [high.id, null],
      [low.id, '下月补齐'],
    ]);
    expect((await listRatings(catalog(), principal('data'))).items).toEqual([]);
  });

  test('is not given by the provider itself, nor under another’s grant', async () => {
    await expect(give('health', 1, 5)).rejects.toMatchObject({ code: 'CASE_RULE' });
    await expect(give('data', 1, 5, '01990000-0000-7000-8000-00000000000f')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('a recall', () => {
  test('ends the serving of a version, never gives another instead, and asks every reader', async () => {
    await publishName(bench, '李四');
    const number = await newest();
    await read(bench, 'education', number);
    await read(bench, 'health', number);
    const recall = () =>
      recallVersion(bench.world, { viewer: provider(), dataset: DATASET, version: number, reason: '字段取错' });
    expect(await recall()).toMatchObject({ version: number, provider: 'health', readers: 1, confirmed: 0 });
    await recall();
    for (const which of ['current', number] as const) {
      const refusal = await read(bench, 'education', which).catch((e: unknown) => e);
      expect(refusal).toMatchObject({ code: 'VERSION_RECALLED', message: expect.stringContaining(String(number - 1)) });
    }
    await expect(read(bench, 'health')).rejects.toMatchObject({ code: 'VERSION_RECALLED' });
    await read(bench, 'education', number - 1);
    const leaves = await bench.leaves();
    expect(leaves.filter(({ rule }) => rule === 'VERSION_RECALLED')).toHaveLength(3);

    const cause = `recall/${DATASET}/${number}`;
    const { items } = await listCases(catalog(), viewer(bench, 'education'), { cause });
    expect(items).toMatchObject([{ kind: 'confirmation', department: 'education' }]);
    await actOn(bench, items[0]!.id, 'holder', 'confirm-destroyed', { reason: '已删除' });
    expect((await listRecalls(catalog(), { dataset: DATASET })).items).toMatchObject([
      { version: number, readers: 1, confirmed: 1, overdue: 0 },
    ]);

    await publishName(bench, '李四五');
    await read(bench, 'education');
  });

  test('finds a read that was on the way while the version was recalled', async () => {
    const number = await newest();
    await recallVersion(bench.world, { viewer: provider(), dataset: DATASET, version: number, reason: '重复' });
    const leaf = { actor: 'token:late', onBehalfOf: 'data', action: 'dataset.read.opened', decision: 'allow' } as const;
    await bench.audit.append({ ...leaf, object: `dataset/${DATASET}/version/${number}` });
    await tended();
    const { items } = await listCases(catalog(), viewer(bench, 'data'), { cause: `recall/${DATASET}/${number}` });
    expect(items).toHaveLength(1);
  });
});

describe('the end of a grant that answers no request', () => {
  const grant = async () =>
    createGrant(bench.world, {
      actor: { actor: 'token:li' },
      terms: {
        ...{ grantee: 'education', dataset: DATASET, items: ['id'], modes: ['bulk'], purpose: 'check' },
        ...{ legalBasis: '法', notBefore: '2026-01-01T00:00:00.000Z', expires: '2036-01-01T00:00:00.000Z' },
      },
    });

  test('asks for the destruction of the copies once, counted from its end; one that was never used leaves none', async () => {
    const [used, unused] = [await grant(), await grant()];
    const dataset = await getDataset(catalog(), DATASET);
    const query = { principal: principal('education'), dataset, mode: 'bulk', grant: used.id } as const;
    await countUse(catalog(), await resolveGrant(catalog(), query), 'read');
    await tended();
    for (const { id } of [used, unused]) await revokeGrant(catalog(), { id, actor: { actor: 'token:li' } });
    await tended();
    await tended();
    const { items } = await listCases(catalog(), viewer(bench, 'education'), { kind: 'destruction' });
    expect(items).toMatchObject([
      {
        cause: `grant/${used.id}`,
        state: 'DESTRUCTION_PENDING',
        duty: { duty: 'copies-destruction', department: 'education' },
      },
    ]);
    await actOn(bench, items[0]!.id, 'holder', 'confirm-destruction', { reason: '已销毁并留存记录' });
    expect((await show(items[0]!.id)).state).toBe('CLOSED');
  });
});

describe('duties', () => {
  test('one list, the most urgent first, each department its own, the supervisor all', async () => {
    const id = await fileOne(bench);
    const mine = (department: string, ...roles: Parameters<typeof principal>[1][]) =>
      listDuties(catalog(), principal(department, ...roles), { limit: 100 });
    const provided = (await mine('health', 'sharing-officer')).items;
    expect(provided.map((duty) => duty.id)).toContain(id);
    expect(new Set(provided.map(({ department }) => department))).toEqual(new Set(['health']));
    const deadlines = provided.map(({ deadline }) => deadline);
    expect(deadlines).toEqual(deadlines.toSorted());
    expect((await mine('education')).items.map((duty) => duty.id)).not.toContain(id);
    const all = (await mine('data', 'supervisor')).items;
    expect(all.length).toBeGreaterThanOrEqual(provided.length);
    const one = await listDuties(catalog(), principal('data', 'supervisor'), { limit: 1 });
    const next = await listDuties(catalog(), principal('data', 'supervisor'), { limit: 1, cursor: one.next });
    expect([one.items[0]!.id, next.items[0]!.id]).toEqual(all.slice(0, 2).map((duty) => duty.id));
    expect((await listDuties(catalog(), principal('data', 'supervisor'), { overdue: true })).items).toEqual([]);
  });
});
