import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import type { Role } from '../../exchange/access/rights.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import { keyedHash } from '../../exchange/audit/leaf.ts';
import type { Case, Duty, Metering, Version } from '../../schemas/generated/api.ts';
import { exchangeQueue } from '../../workflows/messages.ts';
import { run } from '../cli/support.ts';
import { furnish } from '../exchange/access/requests/support.ts';
import { publishName } from '../exchange/duties/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { connectTemporal } from '../support/temporal.ts';
import { bundle } from '../workflows/bundle.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from './support.ts';

const CLAIM = '章三丰';
let server: TestServer;
let close: () => Promise<void>;
/** Tokens by name, for the command line. */
const secrets = new Map<string, string>();
let people: Record<'officer' | 'provider' | 'supervisor' | 'auditor' | 'stranger' | 'portal', Caller>;

beforeAll(async () => {
  server = await openServer();
  const { catalog } = server.bench.world;
  await furnish(catalog);
  await publishName(server.bench, '张三');
  const caller = async (department: string, name: string, ...roles: Role[]) => {
    const { secret } = await mintToken(catalog, { department, subject: name, roles });
    secrets.set(name, secret);
    return callerOf(server.app, secret);
  };
  people = {
    officer: await caller('education', 'officer', 'officer'),
    provider: await caller('health', 'provider', 'sharing-officer'),
    supervisor: await caller('data', 'supervisor', 'supervisor'),
    auditor: await caller('data', 'auditor', 'auditor'),
    stranger: await caller('traffic', 'stranger', 'officer', 'sharing-officer'),
    portal: await caller('data', 'portal', 'portal'),
  };
  const connection = await connectTemporal();
  const worker = await Worker.create({
    connection: connection.nativeConnection,
    namespace: server.temporal.options.namespace,
    taskQueue: exchangeQueue,
    workflowBundle: await bundle(),
    activities: createExchangeActivities({ publication: server.bench.world }),
  });
  const running = worker.run();
  close = async () => {
    worker.shutdown();
    await running;
    await connection.close();
    await server.close();
  };
});
afterAll(() => close());

const body = { dataset: DATASET, version: 1, key: { id: '1' }, item: '姓名', claim: CLAIM, reason: '与户口簿不符' };

async function filed(): Promise<string> {
  const response = await people.officer('POST', '/corrections', { body });
  expect(response.statusCode, response.body).toBe(201);
  return response.json().id;
}

async function act(who: Caller, id: string, action: object): Promise<Case> {
  const response = await who('POST', `/cases/${id}/actions`, { body: action });
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

async function read(who: Caller): Promise<number> {
  return (await who('GET', `/datasets/${DATASET}/data?format=json-lines`)).statusCode;
}

describe('corrections, ratings and recalls over HTTP', () => {
  test('a correction from its filing to the notice of its readers; each is told what they may do', async () => {
    const id = await filed();
    const seen = (await people.provider('GET', `/cases/${id}`)).json() as Case;
    expect(seen).toMatchObject({ state: 'PROVIDER_CHECK', item: '姓名' });
    expect(seen.actions!.map(({ action }) => action)).toEqual(['accept', 'reject']);
    const claim = await people.provider('GET', `/corrections/${id}/claim`);
    expect(claim.json()).toEqual({ key: { id: '1' }, claim: CLAIM, published: '"张三"' });
    expect(claim.headers['cache-control']).toBe('no-store');
    await act(people.provider, id, { action: 'accept' });
    const unproven = await people.provider('POST', `/cases/${id}/actions`, { body: { action: 'fix', version: 2 } });
    expect(problemOf(unproven).code).toBe('NOT_FOUND');
    await publishName(server.bench, CLAIM);
    const fixed = await act(people.provider, id, { action: 'fix', version: 2 });
    expect(fixed).toMatchObject({ state: 'CONSUMERS_NOTIFIED', fixedVersion: 2, fixShown: true, duty: null });
    for (const secret of [CLAIM, '户口簿']) expect(server.log()).not.toContain(secret);
  });

  test('what is no party’s business is not there, and what is not theirs to do is refused and logged', async () => {
    const id = await filed();
    expect((await people.stranger('GET', `/cases/${id}`)).statusCode).toBe(404);
    expect(problemOf(await people.stranger('GET', `/corrections/${id}/claim`)).code).toBe('NOT_FOUND');
    expect(problemOf(await people.supervisor('GET', `/corrections/${id}/claim`)).code).toBe('FORBIDDEN');
    const accepted = await people.officer('POST', `/cases/${id}/actions`, { body: { action: 'accept' } });
    expect(problemOf(accepted).code).toBe('FORBIDDEN');
    const { items } = (await people.auditor('GET', '/audit/entries?limit=50')).json();
    expect(items.map(({ leaf }: { leaf: { action: string } }) => leaf.action)).toContain('case.accept');
    const system = await people.provider('POST', `/cases/${id}/actions`, { body: { action: 'notify' } });
    expect(system.statusCode).toBe(400);
    await act(people.officer, id, { action: 'withdraw' });
  });

  test('a low rating is answered, and the catalog shows the average', async () => {
    expect(await read(people.officer)).toBe(200);
    const rating = await people.officer('POST', '/ratings', {
      body: { dataset: DATASET, version: 2, stars: 2, reasons: '字段缺失' },
    });
    expect(rating.statusCode, rating.body).toBe(201);
    await act(people.provider, rating.json().case, { action: 'answer', reason: '已补齐' });
    expect((await people.stranger('GET', `/datasets/${DATASET}`)).json().rating).toEqual({ average: 2, count: 1 });
    expect((await people.officer('GET', '/ratings')).json().items).toMatchObject([{ stars: 2, answer: '已补齐' }]);
    expect((await people.stranger('GET', '/ratings')).json().items).toEqual([]);
  });

  test('a version is held by its department, which alone sees for what; the hold is released', async () => {
    const at = `/datasets/${DATASET}/versions/1`;
    const body = { until: '2099-01-01T00:00:00Z', reason: '行政复议' };
    expect(problemOf(await people.stranger('POST', `${at}/hold`, { body })).code).toBe('NOT_FOUND');
    expect((await people.provider('POST', `${at}/hold`, { body })).statusCode).toBe(204);
    const retention = async (who: Caller) => (await who('GET', at)).json().retention;
    const held = { heldUntil: '2099-01-01T00:00:00.000Z', expiredAt: null };
    expect(await retention(people.provider)).toMatchObject({ ...held, heldFor: body.reason });
    const seen = await retention(people.stranger);
    expect(seen).toMatchObject(held);
    expect(seen).not.toHaveProperty('heldFor');
    expect(problemOf(await people.stranger('DELETE', `${at}/hold`)).code).toBe('NOT_FOUND');
    expect((await people.provider('DELETE', `${at}/hold`)).statusCode).toBe(204);
    expect(await retention(people.provider)).toMatchObject({ heldUntil: null });
  });

  test('a recalled version is gone; its readers confirm, and what they owe is in one list', async () => {
    const recall = (who: Caller) =>
      who('POST', `/datasets/${DATASET}/versions/2/recall`, { body: { reason: '字段取错' } });
    expect(problemOf(await recall(people.stranger)).code).toBe('NOT_FOUND');
    const resources = [`/datasets/${DATASET}`, `/datasets/${DATASET}/versions/2`];
    const recalled = async (path: string) => (await people.stranger('GET', path)).json().recalled;
    for (const path of resources) expect(await recalled(path)).toBeNull();
    expect((await recall(people.provider)).json()).toMatchObject({ readers: 1, confirmed: 0 });
    for (const path of resources) {
      expect(await recalled(path)).toEqual({ reason: '字段取错', at: expect.stringMatching(/Z$/) });
    }
    const listed = (await people.stranger('GET', `/datasets/${DATASET}/versions`)).json().items as Version[];
    expect(listed.map(({ version, recalled }) => [version, recalled?.reason])).toEqual([
      [2, '字段取错'],
      [1, undefined],
    ]);
    const versions = await run(
      '--url',
      await server.listen(),
      '--token',
      secrets.get('officer')!,
      'dataset',
      'versions',
      DATASET,
    );
    expect(versions.stdout).toMatch(/撤回 .+: 字段取错/);
    const gone = await people.officer('GET', `/datasets/${DATASET}/data?format=json-lines`);
    expect(problemOf(gone)).toMatchObject({ status: 410, code: 'VERSION_RECALLED' });
    const owed = (await people.officer('GET', '/duties')).json().items as Duty[];
    expect(owed).toMatchObject([{ of: 'confirmation', dataset: DATASET, department: 'education' }]);
    const printed = await run('--url', await server.listen(), '--token', secrets.get('officer')!, 'duties');
    expect(printed.stdout).toContain(owed[0]!.id);
    expect(printed.stdout).toContain('副本处置');
    await act(people.officer, owed[0]!.id, { action: 'confirm-destroyed', reason: '已删除' });
    expect((await people.officer('GET', '/duties')).json().items).toEqual([]);
    expect((await people.stranger('GET', '/recalls')).json().items).toMatchObject([{ version: 2, confirmed: 1 }]);
    await publishName(server.bench, '李四');
  });

  test('deadlines of cases are counted again with those of requests', async () => {
    await filed();
    const counted = await people.supervisor('POST', '/requests/recompute');
    expect(counted.json().cases).toBeGreaterThan(0);
  });
});

describe('metering', () => {
  const meter = async (who: Caller, query = '') => (await who('GET', `/metering${query}`)).json().items as Metering[];

  test('is the sum of the log, once: own department and own datasets for officers, all for the auditor', async () => {
    await people.stranger('GET', '/datasets/health.nothing/data');
    for (const who of [people.stranger, people.officer]) expect(await read(who)).toBe(200);
    await server.readsEnded();
    const [own] = await meter(people.stranger, '?by=department,dataset');
    expect(own).toMatchObject({ department: 'traffic' });
    expect(new Set((await meter(people.stranger, '?by=department')).map((sum) => sum.department))).toEqual(
      new Set(['traffic']),
    );
    const provided = await meter(people.provider, '?by=department');
    expect(provided.map((sum) => sum.department)).toEqual(['education', 'traffic']);
    const [all] = await meter(people.auditor, `?by=dataset&dataset=${DATASET}`);
    const leaves = await server.bench.leaves();
    const opened = leaves.filter(({ action }) => action === 'dataset.read.opened');
    const closed = leaves.filter(({ action }) => action === 'dataset.read.closed');
    expect(all).toEqual({
      dataset: DATASET,
      reads: opened.length,
      rows: closed.reduce((sum, { rows = 0 }) => sum + rows, 0),
      bytes: closed.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
      lookups: 0,
      refusals: leaves.filter(({ decision, object }) => decision === 'deny' && object === `dataset/${DATASET}`).length,
    });
    expect(await meter(people.auditor, `?by=dataset&dataset=${DATASET}`)).toEqual([all]);
    expect(await meter(people.auditor, '?from=2020-01-01&to=2020-12-31')).toEqual([]);
    expect((await people.auditor('GET', '/metering?by=subject')).statusCode).toBe(400);
    expect((await people.portal('GET', '/metering')).statusCode).toBe(403);
  });
});

describe('subject access', () => {
  test('who looked at a person’s record, when, for what; the look is logged, and the ID is nowhere', async () => {
    const id = '11010519491231002X';
    const hash = keyedHash(server.bench.access.subjectKey, id);
    const other = keyedHash(server.bench.access.subjectKey, '110101199003070134');
    const leaf = { actor: 'token:x', onBehalfOf: 'education', action: 'dataset.lookup', purpose: 'check' } as const;
    const object = `dataset/${DATASET}/version/1`;
    await server.bench.audit.append({ ...leaf, object, matter: 'M-1', decision: 'allow', keyHashes: [other, hash] });
    await server.bench.audit.append({ ...leaf, object, matter: 'M-2', decision: 'allow', keyHashes: [other] });
    const ask = (who: Caller) => who('POST', '/subjects/access', { body: { id } });
    expect((await ask(people.officer)).statusCode).toBe(403);
    for (const who of [people.portal, people.auditor]) {
      const { lookups, bulkGrants } = (await ask(who)).json();
      expect(lookups).toMatchObject([{ department: 'education', matter: 'M-1', purpose: 'check', dataset: DATASET }]);
      expect(lookups).toHaveLength(1);
      expect(bulkGrants).toEqual([]);
    }
    // Leaves of what went before may still come from the outbox.
    const { items } = (await people.auditor('GET', '/audit/entries?limit=50')).json();
    const looks = items.filter(({ leaf }: { leaf: { action: string } }) => leaf.action === 'subject.access');
    expect(looks).toHaveLength(2);
    for (const look of looks) expect(look.leaf).toMatchObject({ keyHashes: [hash], rows: 1 });
    expect(server.log()).not.toContain(id);
    server.setAuditAvailable(false);
    expect(problemOf(await ask(people.portal)).code).toBe('AUDIT_UNAVAILABLE');
    server.setAuditAvailable(true);
    const used = (await people.auditor('GET', '/metering?by=matter&department=education')).json().items as Metering[];
    expect(used.filter(({ matter }) => matter?.startsWith('M-')).map(({ lookups }) => lookups)).toEqual([2, 1]);
  });
});
