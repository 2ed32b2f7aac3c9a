import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import type { Role } from '../../exchange/access/rights.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import type { Request } from '../../schemas/generated/api.ts';
import { exchangeQueue } from '../../workflows/messages.ts';
import { run } from '../cli/support.ts';
import { furnish, terms } from '../exchange/access/requests/support.ts';
import { batchOf } from '../exchange/access/support.ts';
import { connectTemporal } from '../support/temporal.ts';
import { bundle } from '../workflows/bundle.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
let close: () => Promise<void>;
/** Tokens by person, for the command line. */
const secrets = new Map<string, string>();
/** People of education, health and the supervisor; `strangers` are of another department. */
let people: Record<'officer' | 'endorser' | 'provider' | 'supervisor' | 'stranger', Caller>;

beforeAll(async () => {
  server = await openServer({ sharing: { class: 'conditional', basis: { zh: '疫苗管理法', en: 'Vaccine Law' } } });
  const { catalog } = server.bench.world;
  await furnish(catalog);
  await server.bench.publish([
    [
      batchOf([
        [1n, '张三'],
        [2n, '李四'],
      ]),
    ],
  ]);
  const caller = async (department: string, subject: string, ...roles: Role[]) => {
    const { secret } = await mintToken(catalog, { department, subject, roles });
    secrets.set(subject, secret);
    return callerOf(server.app, secret);
  };
  people = {
    officer: await caller('education', '张三', 'officer', 'sharing-officer'),
    endorser: await caller('education', '李四', 'sharing-officer'),
    provider: await caller('health', '王五', 'sharing-officer'),
    supervisor: await caller('data', '赵六', 'supervisor'),
    stranger: await caller('traffic', '孙七', 'officer', 'sharing-officer', 'supervisor'),
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

async function draft(): Promise<string> {
  const response = await people.officer('POST', '/requests', { body: terms });
  expect(response.statusCode, response.body).toBe(201);
  return response.json().id;
}

async function act(who: Caller, id: string, body: object): Promise<Request> {
  const response = await who('POST', `/requests/${id}/actions`, { body });
  expect(response.statusCode, response.body).toBe(200);
  return response.json();
}

async function submitted(): Promise<string> {
  const id = await draft();
  await act(people.officer, id, { action: 'submit' });
  expect((await act(people.endorser, id, { action: 'endorse' })).state).toBe('PROVIDER_REVIEW');
  return id;
}

describe('/v1/requests', () => {
  test('from the draft to data, and to the refusal of it', async () => {
    const read = () => people.officer('GET', `/datasets/${terms.dataset}/data?format=json-lines`);
    expect((await read()).statusCode).toBe(404);
    const id = await submitted();
    const approved = await act(people.provider, id, { action: 'approve', decision: { items: ['id'] } });
    expect(approved).toMatchObject({ state: 'ACTIVE', stateTitle: { zh: '授权有效' }, decision: { items: ['id'] } });
    expect(
      (await read()).body
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toHaveLength(2);
    const [grant] = (await people.provider('GET', '/grants?state=active')).json().items;
    expect(grant.request).toBe(id);
    const behind = await people.provider('POST', `/grants/${grant.id}/revoke`);
    expect(problemOf(behind)).toMatchObject({ status: 409, code: 'GRANT_OF_REQUEST' });
    await act(people.supervisor, id, { action: 'revoke', reason: '用途终止' });
    expect(problemOf(await read()).code).toBe('GRANT_NOT_USABLE');
  });

  test('the provider sees first what the requester would see, and the look is in the log', async () => {
    const id = await submitted();
    const decision = {
      masks: { 姓名: { mask: 'partial', shape: 'name' } },
      rowFilter: { gt: { column: 'id', value: 1 } },
    };
    const seen = await people.provider('POST', `/requests/${id}/preview`, { body: decision });
    expect(seen.json()).toMatchObject({
      ...{ version: 1, rows: 2, rowsRead: 2, rowsGiven: 1, sample: ['{"id":2,"姓名":"李*"}'] },
      columns: [
        { name: 'id', given: true, mask: null },
        { name: '姓名', given: true, mask: decision.masks.姓名 },
      ],
      rowFilter: { asked: null, given: decision.rowFilter },
    });
    const asAsked = (await people.provider('GET', `/requests/${id}/preview`)).json();
    expect(asAsked).toMatchObject({ rowsGiven: 2, sample: ['{"id":1,"姓名":"张三"}', '{"id":2,"姓名":"李四"}'] });
    for (const who of [people.officer, people.supervisor]) {
      expect((await who('GET', `/requests/${id}/preview`)).statusCode).toBe(403);
    }
    const entries = await server.bench.audit.reader.entries(0, 1_000);
    const looks = entries.map(({ leaf }) => JSON.parse(leaf)).filter(({ action }) => action === 'request.previewed');
    expect(looks).toMatchObject([{ rows: 1, columns: ['id', '姓名'] }, { rows: 2 }]);
    await act(people.provider, id, { action: 'approve', decision });
    const read = await people.officer('GET', `/datasets/${terms.dataset}/data?format=json-lines`);
    expect(read.body.trim()).toBe(seen.json().sample[0]);
    await act(people.provider, id, { action: 'revoke', reason: '测试结束' });
  });

  test('nobody endorses or decides what they asked for', async () => {
    const id = await draft();
    await act(people.officer, id, { action: 'submit' });
    const own = await people.officer('POST', `/requests/${id}/actions`, { body: { action: 'endorse' } });
    expect(problemOf(own)).toMatchObject({ status: 409, code: 'REQUEST_RULE', title: '规则不允许' });
    expect(problemOf(own).detail).toBe('不得由申请经办人本人办理');
  });

  test('an action that is not theirs is refused, and the refusal is in the log', async () => {
    const id = await submitted();
    const refused = await people.officer('POST', `/requests/${id}/actions`, {
      body: { action: 'approve', decision: {} },
    });
    expect(problemOf(refused)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const entries = await server.bench.audit.reader.entries(0, 1_000);
    const leaves = entries.map(({ leaf }) => JSON.parse(leaf));
    expect(leaves).toContainEqual(
      expect.objectContaining({
        action: 'request.approve',
        object: `request/${id}`,
        decision: 'deny',
        rule: 'FORBIDDEN',
      }),
    );
    const late = await people.provider('POST', `/requests/${id}/actions`, { body: { action: 'suspend', reason: 'x' } });
    expect(problemOf(late)).toMatchObject({ status: 409, code: 'REQUEST_STATE' });
  });

  test('a decision that cannot be granted is refused with its place, and the request waits on', async () => {
    const id = await submitted();
    const decision = { rowFilter: { eq: { column: 'nothing', value: 1 } } };
    const refused = await people.provider('POST', `/requests/${id}/actions`, { body: { action: 'approve', decision } });
    expect(problemOf(refused).code).toBe('POLICY_INVALID');
    expect((await act(people.provider, id, { action: 'approve', decision: {} })).state).toBe('ACTIVE');
  });

  test('for other departments a request does not exist', async () => {
    const id = await submitted();
    for (const [method, url] of [
      ['GET', `/requests/${id}`],
      ['POST', `/requests/${id}/actions`],
    ] as const) {
      const body = method === 'POST' ? { body: { action: 'withdraw' } } : {};
      const mine = await callerOf(server.app, await server.token('traffic', 'officer'))(method, url, body);
      expect(problemOf(mine)).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    const seen = await people.supervisor('GET', `/requests/${id}`);
    expect(seen.json().actions).toEqual([]);
  });

  test('a supervisor of another district’s kind decides nothing', async () => {
    const id = await submitted();
    await act(people.provider, id, { action: 'request-extension', reason: '数据量大' });
    const refused = await people.stranger('POST', `/requests/${id}/actions`, { body: { action: 'extend' } });
    expect(problemOf(refused).code).toBe('FORBIDDEN');
    expect((await act(people.supervisor, id, { action: 'extend' })).state).toBe('EXTENDED');
  });

  test('listings show whose turn it is; open deadlines are counted again on demand', async () => {
    const id = await submitted();
    const due = (await people.provider('GET', '/requests?view=due')).json();
    expect(due.items.map((item: Request) => item.id)).toContain(id);
    expect((await people.officer('GET', '/requests?view=received')).json().items).toEqual([]);
    const counted = await people.supervisor('POST', '/requests/recompute');
    expect(counted.statusCode).toBe(202);
    expect(counted.json().requests).toBeGreaterThan(0);
    expect((await people.provider('POST', '/requests/recompute')).statusCode).toBe(403);
  });

  test.each([
    [{ action: 'activate' }, '/action'],
    [{ action: 'approve', decision: { everything: true } }, '/decision/everything'],
    [{ action: 'approve' }, '/decision'],
    [{ action: 'refuse', reason: '无依据' }, '/basis'],
  ])('%j is refused with its place', async (body, pointer) => {
    const id = await submitted();
    const refused = await people.provider('POST', `/requests/${id}/actions`, { body });
    expect(problemOf(refused)).toMatchObject({ status: 400, code: 'REQUEST_INVALID', pointer });
  });

  test('a purpose is no place for a person’s number', async () => {
    const refused = await people.officer('POST', '/requests', { body: { ...terms, purpose: '核验 13800138000' } });
    expect(problemOf(refused)).toMatchObject({ code: 'REQUEST_INVALID', pointer: '/purpose' });
    expect(refused.body).not.toContain('13800138000');
  });
});

describe('huitong request', () => {
  const huitong = async (who: string, ...args: string[]) =>
    run('request', ...args, '--url', await server.listen(), '--token', secrets.get(who) ?? '');
  const terms = ['--items', 'id,姓名', '--purpose', 'school-entry-check', '--basis', '疫苗管理法'];

  test('asks, decides and shows, Chinese first', async () => {
    const asked = ['create', 'health.vaccinations', ...terms, '--expires', '2036-01-01T00:00:00Z'];
    const made = await huitong('张三', ...asked, '--json');
    expect(made, made.stderr).toMatchObject({ code: 0 });
    const { id, state } = JSON.parse(made.stdout);
    expect(state).toBe('OFFICER_REVIEW');
    expect(await huitong('李四', 'endorse', id)).toMatchObject({ code: 0, stderr: '' });
    expect((await huitong('王五', 'list', '--view', 'due')).stdout).toMatch(new RegExp(`${id}.*提供部门审核`));
    expect((await huitong('王五', 'preview', id, '--items', 'id')).stdout).toMatch(/姓名 +否 no/);
    const refusal = ['--reason', '超出用途', '--basis-zh', '个人信息保护法第六条', '--basis-en', 'PIPL article 6'];
    expect((await huitong('张三', 'refuse', id, ...refusal)).stderr).toContain('FORBIDDEN: not yours to refuse');
    expect((await huitong('张三', 'refuse', id, ...refusal, '--lang', 'zh')).stderr).toContain('FORBIDDEN: 您不能');
    expect((await huitong('王五', 'refuse', id, ...refusal)).stdout).toContain('不予共享 REFUSED');
    const shown = await huitong('张三', 'show', id);
    expect(shown.stdout).toContain('个人信息保护法第六条 · PIPL article 6: 超出用途');
    expect(shown.stdout).toContain('可办理 you may: 提出异议 dispute (reason)');
    expect((await huitong('张三', 'dispute', id)).code).toBe(2);
    expect((await huitong('张三', 'dispute', id, '--reason', '法律有明文')).stdout).toContain('DISPUTED');
  });
});
