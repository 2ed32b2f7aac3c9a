/** A catalog entry from its proposal to its revocation: over HTTP, with Temporal, and with a department's database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../exchange/access/rights.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import type { Case, Duty, EntryImpact, EntryReview, Run } from '../../schemas/generated/api.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import { tend } from '../../server/case-workflow.ts';
import { run } from '../cli/support.ts';
import { exchangeFiles, openExchange, type TestExchange } from './exchange.ts';
import { type Caller, callerOf, problemOf } from './support.ts';

const DATASET = 'health.names';
const EDUCATION = '- code: education\n  name: { zh: 教育局, en: Education }\n';
const YAML = 'datasets/health/names.yaml';
const CONTRACT = 'datasets/health/names.contract.json';

/** A dataset that the district's folder does not have. */
const files = {
  [YAML]: `code: ${DATASET}
title: { zh: 姓名登记, en: Register of names }
abstract: { zh: 居民姓名, en: Names of residents }
keywords: [花名册]
source: health-his
table: { name: 人口 }
columns: [id, 姓名]
contract: names.contract.json
sharing: { class: conditional, basis: { zh: 个人信息保护法第三十四条, en: "PIPL, article 34" } }
openness: not-open
updateCycle: monthly
schedule: { cron: "30 2 1 * *" }
securityGrade: important
partitions: 1
items:
  姓名: { sensitivity: personal, mask: partial }
`,
  [CONTRACT]: JSON.stringify({
    ...{ version: '1.0.0', key: ['id'], type: 'object', required: ['id'] },
    properties: { id: { type: 'integer' }, 姓名: { type: ['string', 'null'], maxLength: 8 } },
  }),
};

/** After the source has called its column by another name. */
const renamed = files[YAML]!.replaceAll('姓名]', '名字]').replace('  姓名:', '  名字:');

let exchange: TestExchange;
let people: Record<'engineer' | 'sharing' | 'reviewer' | 'proposer' | 'officer' | 'endorser', Caller>;
/** Their tokens, for the command line. */
let secrets: Map<string, string>;
beforeAll(async () => {
  exchange = await openExchange();
  await exchange.apply(exchangeFiles());
  const made: string[] = [];
  const caller = async (department: string, subject: string, ...roles: Role[]) => {
    const { secret } = await mintToken(exchange.bench.world.catalog, { department, subject, roles });
    made.push(secret);
    return callerOf(exchange.app, secret);
  };
  people = {
    engineer: await caller('health', '张工', 'engineer'),
    sharing: await caller('health', '李专员', 'sharing-officer', 'officer'),
    reviewer: await caller('data', '王审核', 'supervisor'),
    // Has come over from the department, and is a supervisor now.
    proposer: await caller('data', '张工', 'supervisor'),
    officer: await caller('police', '赵警官', 'officer'),
    endorser: await caller('police', '孙专员', 'sharing-officer'),
  };
  secrets = new Map(Object.keys(people).map((name, i) => [name, made[i]!]));
});
afterAll(() => exchange.close());

async function ok<T>(answer: ReturnType<Caller>, status = 200): Promise<T> {
  const response = await answer;
  expect(response.statusCode, response.body).toBe(status);
  return response.json();
}

const act = (who: Caller, id: string, body: object) => ok<Case>(who('POST', `/cases/${id}/actions`, { body }));
const refused = async (who: Caller, id: string, body: object) =>
  problemOf(await who('POST', `/cases/${id}/actions`, { body })).code;
const propose = (body: Record<string, string> = files) =>
  people.engineer('POST', '/entries', { body: { files: body } });
const review = (id: string) => ok<EntryReview>(people.reviewer('GET', `/entries/${id}`));
const read = (who: Caller) => who('GET', `/datasets/${DATASET}/data?format=json-lines`);
const listed = async () => {
  const { items } = await ok<{ items: { code: string }[] }>(people.officer('GET', '/datasets?q=花名册'));
  return items.map(({ code }) => code);
};

async function leaves(): Promise<AuditLeaf[]> {
  await exchange.bench.audit.drainOutbox();
  const { size } = await exchange.bench.audit.reader.head();
  return (await exchange.bench.audit.reader.entries(0, size)).map(({ leaf }) => JSON.parse(leaf) as AuditLeaf);
}

async function leavesOf(id: string): Promise<string[]> {
  const steps = (await leaves()).filter(
    ({ object, action }) => object === `case/${id}` && action.startsWith('case.entry-'),
  );
  return steps.map(({ action }) => action.split('.').at(-1) as string);
}

/** Through the whole review; gives the case's id. */
async function published(body: Record<string, string> = files): Promise<string> {
  const { id } = await ok<Case>(propose(body), 201);
  await act(people.sharing, id, { action: 'submit' });
  const { digest } = await review(id);
  expect((await act(people.reviewer, id, { action: 'publish', digest })).state).toBe('PUBLISHED');
  return id;
}

async function publishRun(): Promise<Run> {
  const { id } = await ok<Run>(people.engineer('POST', `/datasets/${DATASET}/runs`), 202);
  const now = () => ok<Run>(people.engineer('GET', `/runs/${id}`));
  await expect.poll(async () => (await now()).state, { timeout: 60_000 }).not.toBe('running');
  return now();
}

async function granted(): Promise<string> {
  const terms = {
    ...{ dataset: DATASET, items: ['id', '姓名'], modes: ['bulk'], purpose: 'name-check', legalBasis: '户口登记条例' },
    expires: '2099-01-01T00:00:00.000Z',
  };
  const { id } = await ok<{ id: string }>(people.officer('POST', '/requests', { body: terms }), 201);
  const step = (who: Caller, body: object) => ok<{ state: string }>(who('POST', `/requests/${id}/actions`, { body }));
  await step(people.officer, { action: 'submit' });
  await step(people.endorser, { action: 'endorse' });
  const approved = await step(people.sharing, { action: 'approve', decision: {} });
  expect(approved.state).toBe('ACTIVE');
  return id;
}

describe('a catalog entry', () => {
  let id: string;

  test('is proposed by its department, and nothing of it is in force before it was reviewed by somebody else', async () => {
    expect(problemOf(await people.officer('POST', '/entries', { body: { files } })).code).toBe('FORBIDDEN');
    const stranger = await exchange.as('police', 'engineer');
    expect(problemOf(await stranger('POST', '/entries', { body: { files } })).code).toBe('NOT_FOUND');
    const wrong = { ...files, [YAML]: files[YAML]!.replace('openness:', 'openess:') };
    expect(problemOf(await propose(wrong)).errors).toContainEqual(expect.objectContaining({ pointer: '/openess' }));

    ({ id } = await ok<Case>(propose(), 201));
    expect(problemOf(await propose()).code).toBe('ENTRY_UNDER_REVIEW');
    const seen = await review(id);
    expect(seen).toMatchObject({
      ...{ dataset: DATASET, stale: false, files },
      plan: { added: [{ kind: 'dataset', code: DATASET }], changed: [], contracts: [{ level: 'new' }], problems: [] },
      sharing: { after: { class: 'conditional' } },
    });
    expect(seen.items.map(({ name, change, after }) => [name, change, after?.mask])).toEqual([
      ['id', 'added', undefined],
      ['姓名', 'added', 'partial'],
    ]);
    expect(problemOf(await stranger('GET', `/entries/${id}`)).code).toBe('NOT_FOUND');
    expect(await refused(people.engineer, id, { action: 'submit' })).toBe('FORBIDDEN');
    const { digest } = seen;
    expect(await refused(people.reviewer, id, { action: 'publish', digest })).toBe('CASE_STATE');
    const submitted = await act(people.sharing, id, { action: 'submit' });
    expect(submitted.duty).toMatchObject({ duty: 'publication-review', department: 'data' });
    expect(await refused(people.sharing, id, { action: 'publish', digest })).toBe('FORBIDDEN');
    expect(await refused(people.proposer, id, { action: 'publish', digest })).toBe('CASE_RULE');
    expect(await refused(people.reviewer, id, { action: 'publish', digest: 'f'.repeat(64) })).toBe('PLAN_STALE');
    expect(await listed()).toEqual([]);
    expect((await people.engineer('POST', `/datasets/${DATASET}/runs`)).statusCode).toBe(404);

    expect((await act(people.reviewer, id, { action: 'publish', digest })).state).toBe('PUBLISHED');
    expect(await listed()).toEqual([DATASET]);
    expect(await leavesOf(id)).toEqual(['open', 'submit', 'publish']);
  });

  test('that a review has published is not undone by an apply of a folder that does not know it', async () => {
    const administrator = await exchange.as('data', 'administrator');
    const plan = (await administrator('POST', '/district/plan', { body: { files: exchangeFiles() } })).json();
    expect(plan).toMatchObject({ empty: true, removed: [], kept: [DATASET], problems: [] });
    await exchange.apply({
      ...exchangeFiles(),
      'departments.yaml': `${exchangeFiles()['departments.yaml']}${EDUCATION}`,
    });
    expect(await listed()).toEqual([DATASET]);
    const [leaf] = (await leaves()).filter(({ action }) => action === 'district.apply').slice(-1);
    expect(leaf).toMatchObject({ rule: 'administrator', detail: { added: 1, changed: 0, removed: 0, kept: 1 } });
  });

  test('is published from, asked for and read; revoked, it is gone for everybody but its owner', async () => {
    expect(await publishRun()).toMatchObject({ state: 'published', dataset: DATASET });
    const request = await granted();
    expect((await read(people.officer)).statusCode).toBe(200);

    const impact = await ok<EntryImpact>(people.sharing('GET', `/datasets/${DATASET}/impact`));
    expect(impact).toMatchObject({
      ...{ grants: [{ grantee: 'police', request }], requests: [{ id: request, state: 'ACTIVE' }] },
      readers: [{ department: 'police', version: 1 }],
    });
    const body = { reason: '该数据改由公安提供' };
    expect((await people.officer('POST', `/datasets/${DATASET}/revoke`, { body })).statusCode).toBe(403);
    const filed = await ok<Case>(people.sharing('POST', `/datasets/${DATASET}/revoke`, { body }), 201);
    expect(filed).toMatchObject({ state: 'REVOKE_REVIEW', duty: { department: 'data' } });
    expect((await read(people.officer)).statusCode).toBe(200);
    expect((await act(people.reviewer, filed.id, { action: 'revoke' })).state).toBe('REVOKED');
    expect(await leavesOf(filed.id)).toEqual(['open', 'revoke']);

    for (const path of ['data', 'versions/1/data', 'changes?since=1']) {
      const response = await people.officer('GET', `/datasets/${DATASET}/${path}`);
      const absent = await people.officer('GET', `/datasets/health.nomes/${path}`);
      expect(problemOf(response)).toEqual(problemOf(absent));
    }
    expect(await listed()).toEqual([]);
    expect((await read(people.engineer)).statusCode).toBe(200);
    expect((await people.engineer('POST', `/datasets/${DATASET}/runs`)).statusCode).toBe(404);
    const terms = { dataset: DATASET, items: ['id'], modes: ['bulk'], purpose: 'p', legalBasis: 'l' };
    const expires = '2099-01-01T00:00:00.000Z';
    expect((await people.officer('POST', '/requests', { body: { ...terms, expires } })).statusCode).toBe(404);
    const ended = () => ok<{ state: string }>(people.officer('GET', `/requests/${request}`));
    await expect.poll(async () => (await ended()).state, { timeout: 30_000 }).toBe('DESTRUCTION_PENDING');
    await exchange.apply(exchangeFiles());
    expect((await ok<{ state: string }>(people.officer('GET', `/datasets/${DATASET}`))).state).toBe('revoked');
  });

  test('that was revoked is published again through review, with its versions, and its grants stay ended', async () => {
    await published();
    expect((await ok<{ state: string }>(people.officer('GET', `/datasets/${DATASET}`))).state).toBe('active');
    expect((await read(people.engineer)).statusCode).toBe(200);
    expect(problemOf(await read(people.officer)).code).toBe('GRANT_NOT_USABLE');
    expect((await publishRun()).state).toBe('unchanged');
  });

  test('whose source has changed is to be brought up to date within ten working days; a reviewed change does it', async () => {
    const rename = (from: string, to: string) => exchange.sql(`alter table "人口" rename column "${from}" to "${to}"`);
    const due = async () => {
      await tend(exchange.bench.access, exchange.temporal);
      return (await ok<{ items: Duty[] }>(people.sharing('GET', '/duties?of=entry-update'))).items;
    };
    await rename('姓名', '名字');
    expect((await publishRun()).state).toBe('failed');
    const [first] = await due();
    expect(first).toMatchObject({ dataset: DATASET, duty: 'entry-update', department: 'health', overdue: false });
    expect(await due()).toEqual([first]);
    await act(people.sharing, first!.id, { action: 'entry-stands', reason: '来源库改名有误，将改回' });
    expect((await publishRun()).state).toBe('failed');
    expect(await due()).toEqual([]);
    await rename('名字', '姓名');
    expect((await publishRun()).state).toBe('unchanged');
    await rename('姓名', '名字');
    expect((await publishRun()).state).toBe('failed');
    const [second] = await due();

    const contract = JSON.parse(files[CONTRACT]!.replace('姓名', '名字').replace('1.0.0', '2.0.0'));
    await published({ [YAML]: renamed, [CONTRACT]: JSON.stringify(contract) });
    expect(await due()).toEqual([]);
    const told = await ok<Case>(people.sharing('GET', `/cases/${second!.id}`));
    expect(told).toMatchObject({ state: 'ENTRY_UPDATED', cause: expect.stringMatching(/^run\//) });
    expect((await publishRun()).state).toBe('published');
  });

  test('is rejected with a reason, which its department reads; the command says the same as the API', async () => {
    const changed = { [YAML]: renamed.replace('花名册', '名册') };
    const folder = await exchange.folderOf(changed);
    const command = async (who: keyof typeof people, ...args: string[]) =>
      run('--lang', 'zh', '--url', exchange.url, '--token', secrets.get(who)!, 'entry', ...args);
    const proposed = await command('engineer', 'propose', `${folder}/datasets/health`, '--reason', '关键字更准');
    expect(proposed.stdout).toContain('条目草稿 ENTRY_DRAFT');
    const [another] = (await ok<{ items: Case[] }>(people.sharing('GET', '/cases?kind=entry-publication'))).items;
    const { id } = another!;
    expect((await command('sharing', 'submit', id)).stdout).toContain('PUBLISH_REVIEW');
    const shown = await command('reviewer', 'show', id);
    expect(shown.stdout).toMatch(/~ dataset health.names\n +\/keywords: \["花名册"\] → \["名册"\]/);
    expect(shown.stdout).toContain('可办理 you may: 准予发布 publish (digest)');
    expect((await command('reviewer', 'publish', id)).code).toBe(2);
    expect((await command('reviewer', 'reject', id)).code).toBe(2);
    expect(await refused(people.reviewer, id, { action: 'reject-entry' })).toBe('REQUEST_INVALID');
    await command('reviewer', 'reject', id, '--reason', '关键字不规范');
    const told = await ok<Case>(people.engineer('GET', `/cases/${id}`));
    expect(told).toMatchObject({ state: 'ENTRY_REJECTED', duty: null });
    expect(told.history!.at(-1)).toMatchObject({ action: 'reject-entry', reason: '关键字不规范' });
    expect(await listed()).toEqual([DATASET]);

    const next = await ok<Case>(propose(changed), 201);
    await command('sharing', 'submit', next.id);
    expect((await command('reviewer', 'publish', next.id, '--yes')).stdout).toContain('PUBLISHED');
    expect(await listed()).toEqual([]);
    expect((await command('engineer', 'propose', `${folder}/datasets`)).stderr).toContain('ENTRY_SAME');
    const impact = await command('sharing', 'impact', DATASET);
    expect(impact.stdout).toContain('用数部门 reader police');
    const filed = await command('sharing', 'revoke', DATASET, '--reason', '停止提供', '--yes');
    expect(filed.stdout).toContain('撤销审核 REVOKE_REVIEW');
  });
});
