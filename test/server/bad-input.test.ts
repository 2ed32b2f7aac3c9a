/** Bad input, over the API with a real worker: one clear error with code, place and what to do; nothing half-made. */
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorCodes } from '../../lib/error-codes.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { BAD_ROWS, DATASET, exchangeFiles, openExchange, ROWS, type TestExchange } from './exchange.ts';
import { type Caller, problemOf } from './support.ts';

let exchange: TestExchange;
let engineer: Caller;
beforeAll(async () => {
  exchange = await openExchange();
  engineer = await exchange.as('health', 'engineer');
});
afterAll(() => exchange.close());

const files = (path: string, from: string, to: string) => {
  const all = exchangeFiles();
  expect(all[path]).toContain(from);
  return { ...all, [path]: all[path]!.replace(from, to) };
};
const inSource = (connection: string) => files('sources/health-his.yaml', 'url: env:HEALTH_URL', connection);
const inDataset = (from: string, to: string) => files('datasets/health/people.yaml', from, to);

/** Publishes and waits for the end; the run's failure has a code that everybody can look up. */
async function publish({ cancelled = false } = {}) {
  const started = (await engineer('POST', `/datasets/${DATASET}/runs`)).json();
  if (cancelled) await engineer('POST', `/runs/${started.id}/cancel`, { body: { reason: 'it is away' } });
  for (;;) {
    const run = (await engineer('GET', `/runs/${started.id}`)).json();
    if (run.state !== 'running') return run;
    await delay(50);
  }
}

async function staged(): Promise<{ staged: number; versions: number; leases: number; uploads: string[] }> {
  const { catalog, directory } = exchange.bench.world;
  const count = async (table: string) => Number((await catalog(table).count({ n: '*' }))[0]?.n);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const uploads = entries
    .filter((entry) => entry.isFile() && !/^[0-9a-f]{64}$/.test(entry.name))
    .map(({ name }) => name);
  return {
    staged: await count('staged_object'),
    versions: await count('version'),
    leases: await count('lease'),
    uploads,
  };
}

const wrongPassword = () => exchange.secrets.HEALTH_URL!.replace(/:\/\/([^:@]*)(:[^@]*)?@/, '://nobody:canary-pw@');
const wrongPort = () => exchange.secrets.HEALTH_URL!.replace(/:(\d+)\//, ':1/');
const wrongDatabase = () => exchange.secrets.HEALTH_URL!.replace(/\/[^/]*$/, '/absent');

const sources: [what: string, connection: () => string, code: ErrorCode, step: string, says: RegExp][] = [
  ['a reference to a secret that is not there', () => 'env:NOT_SET', 'SECRET_MISSING', 'resolve', /NOT_SET/],
  ['a wrong user', wrongPassword, 'SOURCE_AUTH', 'authenticate', /SQLSTATE 28P01/],
  ['a database that does not answer', wrongPort, 'SOURCE_UNREACHABLE', 'connect', /./],
  ['a database that is not there', wrongDatabase, 'SOURCE_DATABASE_MISSING', 'authenticate', /SQLSTATE 3D000/],
];
test.each(sources)('%s', async (_, connection, code, step, says) => {
  const value = connection();
  exchange.secrets.WRONG = value;
  await exchange.apply(inSource(`url: ${value.startsWith('env:') ? value : 'env:WRONG'}`));
  const before = await staged();

  const report = (await engineer('POST', '/sources/health-his/check')).json();
  expect(report.ok).toBe(false);
  const failed = report.steps.find(({ ok }: { ok: boolean }) => !ok);
  expect([failed.name, failed.code]).toEqual([step, code]);
  expect(failed.message).toMatch(says);
  const discovered = problemOf(await engineer('POST', '/sources/health-his/discover'));
  expect(discovered).toMatchObject({ code, hint: expect.stringMatching(/./), at: expect.stringMatching(/./) });

  // What may pass is tried again for half a minute: nobody needs to wait for its end.
  const away = errorCodes[code].recovery === 'retriable';
  const run = await publish({ cancelled: away });
  const failure = away ? { code: 'CANCELLED', message: /it is away/ } : { code, message: says };
  expect(run).toMatchObject({ version: null, account: null, failure: { code: failure.code } });
  expect(run.failure.message).toMatch(failure.message);
  expect(await staged()).toEqual(before);
  expect(JSON.stringify([report, discovered, run]) + exchange.log()).not.toContain('canary-pw');
});

const tables: [what: string, definitions: () => Record<string, string>, code: ErrorCode, says: RegExp][] = [
  ['a table that is not there', () => inDataset('name: 人口', 'name: 无此表'), 'TABLE_NOT_FOUND', /无此表/],
  ['a column of a type without a mapping', () => inDataset('name: 人口', 'name: shapes'), 'TYPE_UNMAPPED', /备注/],
  [
    'a contract with a property that is no column',
    () => inDataset('name: 人口', 'name: few'),
    'CONTRACT_MISMATCH',
    /余额/,
  ],
];
test.each(tables)('%s', async (_, definitions, code, says) => {
  await exchange.sql('create table if not exists shapes (like "人口")');
  await exchange.sql('alter table shapes drop column if exists "备注", add column "备注" gtsvector');
  await exchange.sql('create table if not exists few (id bigint primary key, "姓名" text)');
  await exchange.apply(definitions());
  const before = await staged();
  const run = await publish();
  expect(run).toMatchObject({ state: 'failed', version: null, failure: { code } });
  expect(run.failure.message).toMatch(says);
  expect(errorCodes[code].hint.zh).not.toBe('');
  expect(await staged()).toEqual(before);
});

test.each([
  ['an unknown member', inDatasetLater('openness: open', 'opennes: open'), '/opennes'],
  ['a secret written out', inSourceLater('url: postgres://u:canary-pw@h/d'), '/connection/url'],
  ['an unknown source', inDatasetLater('source: health-his', 'source: health-none'), '/source'],
])('a wrong definition: %s', async (_, definitions, pointer) => {
  const administrator = await exchange.as('data', 'administrator');
  const before = (await engineer('GET', `/datasets/${DATASET}`)).json();
  const answer = await administrator('POST', '/district/plan', { body: { files: definitions() } });
  const problem = problemOf(answer);
  const findings = (problem.errors ?? []) as { at: string; pointer: string }[];
  expect(findings).toContainEqual(expect.objectContaining({ at: expect.stringMatching(/\.yaml:\d+/), pointer }));
  expect(answer.body).not.toContain('canary-pw');
  expect((await engineer('GET', `/datasets/${DATASET}`)).json()).toEqual(before);
});

test('and when all is right, the same dataset is published', async () => {
  await exchange.apply(exchangeFiles());
  expect((await engineer('POST', '/sources/health-his/check')).json()).toMatchObject({ ok: true });
  const { tables: found } = (await engineer('POST', '/sources/health-his/discover')).json();
  expect(found.map(({ name }: { name: string }) => name)).toContain('人口');
  const run = await publish();
  expect(run).toMatchObject({
    state: 'published',
    version: 1,
    account: { rowsRead: ROWS, rowsPublished: ROWS - BAD_ROWS, rowsQuarantined: BAD_ROWS },
    quarantinedByCode: { MINIMUM: BAD_ROWS },
  });
  const quarantine = await engineer('GET', `/runs/${run.id}/quarantine?limit=3`);
  expect(quarantine.json().items).toHaveLength(3);
  const rows = await engineer('GET', `/runs/${run.id}/quarantine`, { headers: { accept: 'application/x-ndjson' } });
  expect(rows.body.trimEnd().split('\n')).toHaveLength(BAD_ROWS);
});

test('above its tolerance nothing is published, and the version before stands', async () => {
  await exchange.sql(`update "人口" set "余额" = -5 where id % 4 = 0`);
  const run = await publish();
  expect(run).toMatchObject({ state: 'rejected', failure: { code: 'TOLERANCE_EXCEEDED' } });
  expect((await engineer('GET', `/datasets/${DATASET}`)).json().currentVersion).toBe(1);
});

function inDatasetLater(from: string, to: string) {
  return () => inDataset(from, to);
}

function inSourceLater(connection: string) {
  return () => inSource(connection);
}
