import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getGrant } from '../../../../exchange/access/explicit-grants.ts';
import { getRequest, listRequests, requestsWithDuty } from '../../../../exchange/access/requests/list.ts';
import { previewRequest } from '../../../../exchange/access/requests/preview.ts';
import type { Role } from '../../../../exchange/access/rights.ts';
import { encodeLeaf } from '../../../../exchange/audit/leaf.ts';
import { DATASET } from '../../publication/world.ts';
import { type Bench, batchOf, openBench } from '../support.ts';
import { AT, act, applyPolicy, draft, furnish, person, policy, submitted, terms } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({
    sharing: { class: 'conditional', basis: { zh: '疫苗管理法', en: 'Vaccine Administration Law' } },
    modes: ['bulk', 'lookup'],
    items: { 姓名: { sensitivity: 'personal', mask: 'partial' } },
    verifications: {
      'is-named': { title: { zh: '有姓名', en: 'Has a name' }, where: { not: { isNull: { column: '姓名' } } } },
      'is-early': { title: { zh: '编号靠前', en: 'Has an early number' }, where: { lt: { column: 'id', value: 9 } } },
    },
  });
  await furnish(bench.world.catalog);
  await bench.publish([
    [
      batchOf([
        [1n, '张三'],
        [2n, null],
      ]),
    ],
  ]);
});
afterAll(() => bench.close());

const viewer = (department: string, ...roles: Role[]) => ({
  principal: { tokenId: 't', department, subject: 'x', roles },
  person: person('viewer'),
});
const officer = viewer('education', 'officer');
const provider = viewer('health', 'sharing-officer');
const show = (id: string, who = officer) => getRequest(bench.world.catalog, who, id);

async function leavesOf(id: string) {
  const rows = await bench.world.catalog('audit_outbox').select('leaf');
  const moved = await bench.audit.reader.entries(0, 1_000);
  return [...moved.map(({ leaf }) => JSON.parse(leaf)), ...rows.map(({ leaf }) => leaf)].filter(
    ({ object }) => object === `request/${id}`,
  );
}

describe('a conditional request', () => {
  test('is due in ten working days, and is given in part, masked as the catalog says', async () => {
    const { id, snapshot } = await submitted(bench.world);
    expect(snapshot).toMatchObject({
      facts: { state: 'PROVIDER_REVIEW' },
      duty: { deadline: '2026-03-04T16:00:00.000Z', provisional: false, overdue: false, window: false },
    });
    expect(snapshot.duty?.remindersDue).toHaveLength(2);
    await act(bench.world, id, 'provider', { action: 'approve', decision: { expires: '2035-01-01T00:00:00.000Z' } });
    const request = await show(id);
    expect(request).toMatchObject({ state: 'ACTIVE', duty: null, decision: { items: ['id', '姓名'] } });
    const grant = await getGrant(bench.world.catalog, request.grant!);
    expect(grant).toMatchObject({ state: 'active', request: id, provider: 'health' });
    expect(grant.terms).toMatchObject({
      ...{ grantee: 'education', items: ['id', '姓名'], purpose: 'school-entry-check', notBefore: AT },
      ...{ masks: { 姓名: { mask: 'partial', shape: 'name' } }, expires: '2035-01-01T00:00:00.000Z' },
    });
    expect(request.history?.map(({ action }) => action)).toEqual([
      ...['create', 'submit', 'endorse', 'accept', 'route', 'approve', 'provision', 'activate'],
    ]);
  });

  test('is in the log with every step, without a name', async () => {
    const { id } = await submitted(bench.world);
    await bench.audit.drainOutbox();
    const leaves = await leavesOf(id);
    expect(leaves.map(({ action }) => action)).toEqual(
      ['create', 'submit', 'endorse', 'accept', 'route'].map((action) => `request.${action}`),
    );
    for (const { outbox: _, ...leaf } of leaves) expect(() => encodeLeaf(leaf)).not.toThrow();
    expect(leaves[2]).toMatchObject({ subject: person('li'), onBehalfOf: 'education', rule: 'sharing-officer' });
  });

  test('cannot be given beyond what was asked for, nor by whoever asked', async () => {
    const { id } = await submitted(bench.world, { items: ['id'] });
    const approve = (decision: object, who?: string) =>
      act(bench.world, id, 'provider', { action: 'approve', decision, person: who });
    await expect(approve({ items: ['姓名'] })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      pointer: '/decision/items/0',
    });
    await expect(approve({ modes: ['lookup'] })).rejects.toMatchObject({ pointer: '/decision/modes/0' });
    await expect(approve({ expires: '2040-01-01T00:00:00Z' })).rejects.toMatchObject({ pointer: '/decision/expires' });
    await expect(approve({ masks: { id: { mask: 'bucket' } } })).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    await expect(approve({}, 'zhang')).rejects.toMatchObject({ code: 'REQUEST_RULE', at: 'another-person' });
    expect((await show(id)).state).toBe('PROVIDER_REVIEW');
    await approve({ rowFilter: { gt: { column: 'id', value: 1 } } });
    expect((await show(id)).state).toBe('ACTIVE');
  });

  test('of questions is given in part, or without them', async () => {
    const asked = { modes: ['lookup' as const, 'verify' as const], verifications: ['is-named', 'is-early'] };
    const { id } = await submitted(bench.world, asked);
    const approve = (decision: object) => act(bench.world, id, 'provider', { action: 'approve', decision });
    await expect(approve({ verifications: ['nothing'] })).rejects.toMatchObject({
      pointer: '/decision/verifications/0',
    });
    const without = { modes: ['lookup'], verifications: ['is-named'] };
    await expect(approve(without)).rejects.toMatchObject({ pointer: '/decision/verifications' });
    const preview = await previewRequest(bench.access, {
      ...{ request: id, viewer: provider },
      decision: { modes: ['verify'], verifications: ['is-early'] },
    });
    expect(preview).toMatchObject({
      modes: { asked: ['lookup', 'verify'], given: ['verify'] },
      verifications: { asked: ['is-named', 'is-early'], given: ['is-early'] },
    });
    await approve({ verifications: ['is-early'] });
    const termsOf = async (request: string) =>
      (await getGrant(bench.world.catalog, (await show(request)).grant!)).terms;
    expect(await termsOf(id)).toMatchObject({ modes: ['lookup', 'verify'], verifications: ['is-early'] });

    const { id: plain } = await submitted(bench.world, asked);
    await act(bench.world, plain, 'provider', { action: 'approve', decision: { modes: ['lookup'] } });
    expect(await termsOf(plain)).not.toHaveProperty('verifications');
  });

  test('is refused with its basis only; the dispute is ruled upon', async () => {
    const { id } = await submitted(bench.world);
    const basis = { zh: '个人信息保护法第六条', en: 'PIPL article 6' };
    await expect(act(bench.world, id, 'provider', { action: 'refuse', reason: '超出用途' })).rejects.toMatchObject({
      ...{ code: 'REQUEST_INVALID', pointer: '/basis' },
    });
    await act(bench.world, id, 'provider', { action: 'refuse', reason: '超出用途', basis });
    expect(await show(id)).toMatchObject({ state: 'REFUSED', refusal: { reason: '超出用途', basis } });
    await act(bench.world, id, 'requester', { action: 'dispute', reason: '法律有明文' });
    await act(bench.world, id, 'supervisor', { action: 'mediate' });
    await act(bench.world, id, 'supervisor', { action: 'escalate', reason: '协调未果' });
    await act(bench.world, id, 'supervisor', { action: 'overturn', reason: '符合条件', decision: { items: ['id'] } });
    expect(await show(id)).toMatchObject({ state: 'ACTIVE', refusal: null, decision: { items: ['id'] } });
  });

  test('is extended from its deadline, not from the consent', async () => {
    const { id } = await submitted(bench.world);
    await act(bench.world, id, 'provider', { action: 'request-extension', reason: '数据量大' });
    const extended = await act(bench.world, id, 'supervisor', { action: 'extend', at: '2026-02-25T02:00:00.000Z' });
    expect(extended).toMatchObject({ facts: { state: 'EXTENDED' }, duty: { deadline: '2026-03-18T16:00:00.000Z' } });
  });

  test('suspended, resumed, revoked: so is its grant; then the copies are to be destroyed', async () => {
    const { id } = await submitted(bench.world);
    await act(bench.world, id, 'provider', { action: 'approve', decision: {} });
    const grant = async () => (await getGrant(bench.world.catalog, (await show(id)).grant!)).state;
    await act(bench.world, id, 'supervisor', { action: 'suspend', reason: '核查' });
    expect(await grant()).toBe('suspended');
    await act(bench.world, id, 'provider', { action: 'resume' });
    expect(await grant()).toBe('active');
    await act(bench.world, id, 'provider', { action: 'revoke', reason: '用途已终止' });
    expect(await grant()).toBe('revoked');
    expect(await show(id)).toMatchObject({
      state: 'DESTRUCTION_PENDING',
      duty: { duty: 'destruction', department: 'education', title: { zh: '数据销毁' } },
    });
    await act(bench.world, id, 'requester', { action: 'confirm-destruction', reason: '已粉碎介质' });
    expect(await show(id)).toMatchObject({ state: 'CLOSED', duty: null });
  });
});

describe('what else the catalog decides', () => {
  const withSharing = async (sharing: object, body: () => Promise<void>) => {
    const { catalog } = bench.world;
    const before = await catalog('dataset').where({ code: DATASET }).first('definition');
    await catalog('dataset')
      .where({ code: DATASET })
      .update({ definition: { ...before.definition, ...sharing } });
    await body();
    await catalog('dataset').where({ code: DATASET }).update({ definition: before.definition });
  };

  test('unconditional: granted at once, but not with a question, which may be about other columns', () =>
    withSharing({ sharing: { class: 'unconditional' } }, async () => {
      expect((await submitted(bench.world)).snapshot.facts.state).toBe('ACTIVE');
      const asked = { items: ['id'], modes: ['verify' as const], verifications: ['is-named'] };
      const { id, snapshot } = await submitted(bench.world, asked);
      expect(snapshot.facts.state).toBe('PROVIDER_REVIEW');
      expect((await show(id)).sharingClass).toBe('conditional');
    }));

  test('not shared: one such item stops the whole request, with the basis that the catalog cites', () =>
    withSharing(
      { items: { 姓名: { sharing: { class: 'not-shared', basis: { zh: '保密法', en: 'Secrets Law' } } } } },
      async () => {
        const { id } = await submitted(bench.world);
        expect(await show(id)).toMatchObject({
          ...{ state: 'REFUSED', sharingClass: 'not-shared', refusal: { basis: { zh: '保密法', en: 'Secrets Law' } } },
        });
        expect((await submitted(bench.world, { items: ['id'] })).snapshot.facts.state).toBe('PROVIDER_REVIEW');
      },
    ));

  test('an item that is gone sends it back to its author, and a draft can be amended', async () => {
    const id = await draft(bench.world);
    await act(bench.world, id, 'requester', { action: 'submit' });
    await bench.world.catalog('dataset').where({ code: DATASET }).update({ state: 'retired' });
    const back = await act(bench.world, id, 'sharing-officer', { action: 'endorse' });
    await bench.world.catalog('dataset').where({ code: DATASET }).update({ state: 'active' });
    expect(back.facts.state).toBe('DRAFT');
    await act(bench.world, id, 'requester', { action: 'amend', terms: { ...terms, items: ['id'] } });
    expect((await show(id)).asked.items).toEqual(['id']);
    await expect(
      act(bench.world, id, 'requester', { action: 'amend', terms: { ...terms, dataset: 'health.other' } }),
    ).rejects.toMatchObject({ pointer: '/terms/dataset' });
  });

  test.each([
    [{ items: ['nothing'] }, '/items/0'],
    [{ modes: ['changes' as const] }, '/modes/0'],
    [{ expires: '2020-01-01T00:00:00Z' }, '/expires'],
    [{ modes: ['verify' as const] }, '/verifications'],
    [{ verifications: ['is-named'] }, '/verifications'],
    [{ modes: ['verify' as const], verifications: ['is-named', 'nothing'] }, '/verifications/1'],
  ])('a request that does not fit the catalog is refused: %j', async (changes, pointer) => {
    await expect(draft(bench.world, changes)).rejects.toMatchObject({ code: 'REQUEST_INVALID', pointer });
  });
});

describe('a step', () => {
  test('that arrives twice happens once', async () => {
    const { id } = await submitted(bench.world);
    const once = { action: 'ask' as const, reason: '请说明用途', id: randomUUID() };
    const first = await act(bench.world, id, 'provider', once);
    expect(await act(bench.world, id, 'provider', once)).toEqual(first);
    const { id: other } = await submitted(bench.world);
    await expect(act(bench.world, other, 'provider', once)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('of two at the same time happens one', async () => {
    const { id } = await submitted(bench.world);
    const results = await Promise.allSettled([
      act(bench.world, id, 'provider', { action: 'ask', reason: '补正' }),
      act(bench.world, id, 'requester', { action: 'withdraw' }),
      act(bench.world, id, 'provider', { action: 'ask', reason: '补正' }),
    ]);
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    const { history } = await show(id);
    expect(history?.map(({ sequence }) => sequence)).toEqual(history?.map((_, i) => i));
  });

  test('that fails leaves nothing behind', async () => {
    const { id } = await submitted(bench.world);
    const before = await show(id);
    const bad = { rowFilter: { eq: { column: 'nothing', value: 1 } } };
    await expect(act(bench.world, id, 'provider', { action: 'approve', decision: bad })).rejects.toMatchObject({
      code: 'POLICY_INVALID',
    });
    expect(await show(id)).toEqual(before);
    await bench.audit.drainOutbox();
    expect((await leavesOf(id)).map(({ action }) => action)).not.toContain('request.approve');
  });
});

describe('time', () => {
  const late = '2026-03-05T02:00:00.000Z';

  test('reminds, escalates once, and never approves', async () => {
    const { id, snapshot } = await submitted(bench.world);
    const [half] = snapshot.duty!.remindersDue;
    const early = await act(bench.world, id, 'system', { action: 'remind' });
    expect(early).toEqual(snapshot);
    const reminded = await act(bench.world, id, 'system', { action: 'remind', at: half! });
    expect(reminded.duty?.remindersDue).toHaveLength(1);
    expect(await act(bench.world, id, 'system', { action: 'overdue', at: half! })).toEqual(reminded);
    const overdue = await act(bench.world, id, 'system', { action: 'overdue', at: late });
    expect(overdue).toMatchObject({ facts: { state: 'PROVIDER_REVIEW' }, duty: { overdue: true } });
    expect(await act(bench.world, id, 'system', { action: 'overdue', at: late })).toEqual(overdue);
    const supervised = await listRequests(bench.world.catalog, viewer('data', 'supervisor'), { overdue: true });
    expect(supervised.items.map((request) => request.id)).toEqual([id]);
  });

  test('is counted again when the policy changes; what was overdue may be in time', async () => {
    const { id } = await submitted(bench.world);
    await act(bench.world, id, 'system', { action: 'overdue', at: late });
    const unchanged = await act(bench.world, id, 'system', { action: 'recompute', at: late });
    expect(unchanged.duty?.overdue).toBe(true);
    const workingDays = { ...policy.workingDays, conditionalAnswer: 15 };
    await applyPolicy(bench.world.catalog, { ...policy, version: '1.1.0', workingDays });
    const counted = await act(bench.world, id, 'system', { action: 'recompute', at: late });
    await applyPolicy(bench.world.catalog, policy);
    expect(counted.duty).toMatchObject({ overdue: false, deadline: '2026-03-11T16:00:00.000Z' });
    const { history } = await show(id);
    expect(history?.at(-1)).toMatchObject({ action: 'recompute', policyVersion: '1.1.0', party: 'system' });
    expect(await requestsWithDuty(bench.world.catalog)).toContain(id);
  });

  test('over holidays that nobody has announced is provisional', async () => {
    const { snapshot } = await submitted(bench.world, { expires: '2096-01-01T00:00:00Z' }, '2094-03-01T02:00:00.000Z');
    expect(snapshot.duty?.provisional).toBe(true);
  });
});

describe('who sees what', () => {
  test('both departments, the supervisor and the auditor; for everybody else it does not exist', async () => {
    const { id } = await submitted(bench.world);
    for (const who of [officer, provider, viewer('data', 'supervisor'), viewer('data', 'auditor')]) {
      expect((await show(id, who)).id).toBe(id);
    }
    await expect(show(id, viewer('data', 'officer'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(show('nonsense')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const listed = await listRequests(bench.world.catalog, viewer('data', 'officer'));
    expect(listed.items).toEqual([]);
  });

  test('each is told what they can do now', async () => {
    const { id } = await submitted(bench.world);
    const actions = async (who: typeof officer) => (await show(id, who)).actions?.map(({ action }) => action);
    expect(await actions(officer)).toEqual(['withdraw']);
    expect(await actions(provider)).toEqual(['ask', 'request-extension', 'approve', 'refuse']);
    expect(await actions(viewer('data', 'auditor'))).toEqual([]);
    expect(await actions({ ...provider, person: person('zhang') })).not.toContain('approve');
  });

  test('a listing has pages, and views', async () => {
    const { catalog } = bench.world;
    const first = await listRequests(catalog, officer, { view: 'made', limit: 2 });
    expect(first.items).toHaveLength(2);
    const second = await listRequests(catalog, officer, { view: 'made', limit: 2, cursor: first.next });
    expect(second.items[0]!.id < first.items[1]!.id).toBe(true);
    expect((await listRequests(catalog, officer, { view: 'received' })).items).toEqual([]);
    const due = await listRequests(catalog, provider, { view: 'due', state: 'PROVIDER_REVIEW' });
    expect(due.items.length).toBeGreaterThan(0);
    expect(due.items.every(({ duty }) => duty?.department === 'health')).toBe(true);
  });
});
