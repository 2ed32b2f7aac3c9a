import { createHmac, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGrant, revokeGrant, suspendGrant } from '../../../../exchange/access/explicit-grants.ts';
import { type LookupRequest, Lookups, type VerifyRequest } from '../../../../exchange/access/lookup/lookups.ts';
import { openRead } from '../../../../exchange/access/read.ts';
import { verifyReceipt } from '../../../../exchange/audit/verify/receipt.ts';
import { collect } from '../../../../exchange/publication/collect.ts';
import { HuitongError } from '../../../../lib/errors.ts';
import { limits } from '../../../../lib/limits.ts';
import type { AuditLeaf } from '../../../../schemas/generated/audit-leaf.ts';
import type { GrantTerms } from '../../../../schemas/generated/grant-terms.ts';
import { DATASET } from '../../publication/world.ts';
import { type Bench, batchOf, bytesOf, letExpire, openBench, principal } from '../support.ts';

const actor = { actor: 'token:officer' };
const failures: unknown[] = [];
let bench: Bench;
let lookups: Lookups;
beforeAll(async () => {
  bench = await openBench({
    sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } },
    verifications: {
      'named-zhang': {
        title: { zh: '姓张', en: 'Is a Zhang' },
        where: { startsWith: { column: '姓名', value: '张' } },
      },
      'is-named': {
        title: { zh: '姓名相符', en: 'Has this name' },
        matching: ['姓名'],
        where: { not: { isNull: { column: '姓名' } } },
      },
    },
  });
  for (const code of ['police', 'traffic', 'water', 'parks', 'education']) {
    await bench.world.catalog('department').insert({ code, name_zh: code, name_en: code, definition: {} });
  }
  await bench.publish([[batchOf(PEOPLE)], [batchOf(PEOPLE.map(([id, name]) => [id + 100n, name]))]]);
  lookups = open('lookups');
});
afterAll(async () => {
  await lookups.close();
  await bench.close();
  expect(failures).toEqual([]);
});

const PEOPLE: [bigint, string | null][] = [
  [1n, '张三'],
  [2n, null],
  [3n, '李四'],
  [9_007_199_254_740_993n, '张"\\'],
];
const refused = (code: string) => expect.objectContaining({ code });

function open(folder: string): Lookups {
  return new Lookups(bench.access, {
    directory: join(bench.world.directory, folder),
    onFailure: (_, error) => failures.push(error),
  });
}

function terms(changes: Partial<GrantTerms> = {}): GrantTerms {
  return {
    grantee: 'police',
    dataset: DATASET,
    items: ['id', '姓名'],
    modes: ['lookup'],
    purpose: 'case-check',
    legalBasis: '依法',
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2099-01-01T00:00:00Z',
    ...changes,
  };
}

const make = (changes: Partial<GrantTerms> = {}) => createGrant(bench.world, { terms: terms(changes), actor });
const asked = (changes: Partial<LookupRequest> = {}): LookupRequest => ({
  principal: principal('police'),
  dataset: DATASET,
  keys: [{ id: 1 }],
  purpose: 'case-check',
  matter: 'M-1',
  ...changes,
});

async function leaves(action: string): Promise<AuditLeaf[]> {
  const entries = await bench.audit.reader.entries(0, 10_000);
  return entries.map(({ leaf }) => JSON.parse(leaf) as AuditLeaf).filter((leaf) => leaf.action === action);
}

test('rows by key, and a receipt that proves what was looked up without saying whom', async () => {
  const grant = await make();
  const keys = [{ id: 3 }, { id: '9007199254740993' }, { id: 55 }, { id: 102 }];
  const answer = await lookups.lookUp(asked({ keys, grant: grant.id }));
  expect(answer.records).toEqual([
    '{"id":3,"姓名":"李四"}',
    '{"id":9007199254740993,"姓名":"张\\"\\\\"}',
    null,
    '{"id":102,"姓名":null}',
  ]);
  expect(answer).toMatchObject({ version: 1, grant: grant.id });
  verifyReceipt(answer.receipt, createPublicKey(bench.auditKey));
  const leaf = JSON.parse(answer.receipt.leaf) as AuditLeaf;
  const hashOf = (text: string) =>
    `hmac-sha256:${createHmac('sha256', bench.access.subjectKey).update(text).digest('hex')}`;
  expect(leaf).toMatchObject({
    action: 'dataset.lookup',
    object: `dataset/${DATASET}/version/1`,
    purpose: 'case-check',
    matter: 'M-1',
    rows: 3,
    keyHashes: ['3', '9007199254740993', '55', '102'].map(hashOf),
  });
  expect(JSON.stringify(answer.receipt)).not.toContain('李四');
  const narrow = await lookups.lookUp(asked({ columns: ['姓名'] }));
  expect(narrow.records).toEqual(['{"姓名":"张三"}']);
  await expect(lookups.lookUp(asked({ columns: ['姓名', '工资'] }))).rejects.toThrow(refused('COLUMN_NOT_GRANTED'));
});

test('bulk and look-up give the same cells under the same grant', async () => {
  const cases: Partial<GrantTerms>[] = [
    {},
    { items: ['姓名'] },
    { masks: { 姓名: { mask: 'keyed-hash' } }, rowFilter: { gt: { column: 'id', value: 2 } } },
    { masks: { id: { mask: 'keyed-hash' }, 姓名: { mask: 'partial', shape: 'name' } } },
    { masks: { id: { mask: 'drop' } }, rowFilter: { startsWith: { column: '姓名', value: '张' } } },
  ];
  for (const changes of cases) {
    const { id } = await make({ ...changes, grantee: 'education', modes: ['bulk', 'lookup'] });
    const read = await openRead(bench.access, {
      principal: principal('education'),
      dataset: DATASET,
      version: 'current',
      format: 'json-lines',
      grant: id,
    });
    const lines = (await bytesOf(read.stream)).toString().trimEnd().split('\n');
    await read.closed;
    const all = [...PEOPLE, ...PEOPLE.map(([key, name]) => [key + 100n, name] as const)];
    const { records } = await lookups.lookUp(
      asked({ principal: principal('education'), grant: id, keys: all.map(([key]) => ({ id: String(key) })) }),
    );
    expect(records.filter((record) => record !== null)).toEqual(lines);
  }
});

test('absent and forbidden are one answer, and the same work', async () => {
  const { id } = await make({ rowFilter: { lt: { column: 'id', value: 3 } } });
  const index = await lookups.shelf.newest(DATASET);
  const workOf = async (keys: LookupRequest['keys']) => {
    const before = { ...index.work };
    const answer = await lookups.lookUp(asked({ grant: id, keys }));
    const { records, receipt } = answer;
    const shape = { records, members: Object.keys(JSON.parse(receipt.leaf)) };
    const work = Object.entries(index.work).map(([name, done]) => done - before[name as keyof typeof before]);
    return { shape, work };
  };
  const forbidden = await workOf([{ id: 3 }]);
  expect(forbidden).toEqual(await workOf([{ id: 77 }]));
  expect(forbidden.shape.records).toEqual([null]);
  expect((await workOf([{ id: 1 }])).work).toEqual(forbidden.work);
  // A dataset that is not there, one that is not granted, one that is published and has no grant.
  const strangers = await Promise.all(
    [asked({ dataset: 'health.nothing' }), asked({ principal: principal('parks') })].map((request) =>
      lookups.lookUp(request).catch((e: HuitongError) => ({ code: e.code, message: e.message, at: e.at })),
    ),
  );
  expect(strangers[0]).toEqual(strangers[1]);
  expect(strangers[0]).toMatchObject({ code: 'NOT_FOUND' });
});

test('a key is whole, exact and of its type; an error never repeats it', async () => {
  await make();
  const bad: [LookupRequest['keys'], code: string, pointer: string][] = [
    [[{}], 'REQUEST_INVALID', '/keys/id'],
    [[{ id: 1 }, { id: 1, 姓名: '张三' }], 'REQUEST_INVALID', '/keys/1'],
    [[{ id: '440306199001011234 ' }], 'REQUEST_INVALID', '/keys/id'],
    [[{ id: '0440306' }], 'REQUEST_INVALID', '/keys/id'],
    [[{ id: Number('440306199001011234') }], 'ID_MUST_BE_STRING', '/keys/id'],
    [[{ id: ['1'] }], 'REQUEST_INVALID', '/keys/id'],
    [[{ id: '1%' }], 'REQUEST_INVALID', '/keys/id'],
    [[{ id: null }], 'REQUEST_INVALID', '/keys/id'],
  ];
  for (const [keys, code, pointer] of bad) {
    const error = await lookups.lookUp(asked({ keys })).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code, pointer });
    expect(JSON.stringify({ ...(error as HuitongError) }) + (error as HuitongError).message).not.toMatch(/4403|张三/);
  }
  expect((await lookups.lookUp(asked({ keys: [{ id: '1' }] }))).records).toHaveLength(1);
});

test('purpose, mode and matter hold, and each refusal is in the log', async () => {
  const traffic = principal('traffic');
  const { id } = await make({ grantee: 'traffic' });
  const other = await make({ grantee: 'traffic', purpose: 'statistics', items: ['id'] });
  const bulkOnly = await make({ grantee: 'traffic', modes: ['bulk'] });
  await expect(lookups.lookUp(asked({ principal: traffic, purpose: 'curiosity' }))).rejects.toThrow(
    refused('PURPOSE_SCOPE'),
  );
  await expect(lookups.lookUp(asked({ principal: traffic, grant: bulkOnly.id }))).rejects.toThrow(
    refused('GRANT_NOT_USABLE'),
  );
  await expect(lookups.lookUp(asked({ principal: traffic, matter: '440306199001011234' }))).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    pointer: '/matter',
  });
  // The grant for the purpose is found among several.
  expect((await lookups.lookUp(asked({ principal: traffic }))).grant).toBe(id);
  expect((await lookups.lookUp(asked({ principal: traffic, purpose: 'statistics' }))).grant).toBe(other.id);
  const rules = (await leaves('dataset.lookup')).filter((leaf) => leaf.decision === 'deny').map(({ rule }) => rule);
  expect(rules).toEqual(expect.arrayContaining(['PURPOSE_SCOPE', 'GRANT_NOT_USABLE', 'NOT_FOUND']));
});

test('a quota holds under 64 calls at once; what is refused gives nothing and is not counted', async () => {
  const { id } = await make({ grantee: 'water', quota: { lookupsPerDay: 25 } });
  const request = asked({ principal: principal('water'), grant: id });
  await expect(lookups.lookUp({ ...request, keys: Array.from({ length: 26 }, (_, i) => ({ id: i })) })).rejects.toThrow(
    refused('QUOTA_EXCEEDED'),
  );
  const results = await Promise.allSettled(Array.from({ length: 64 }, () => lookups.lookUp(request)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
  const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  expect(new Set(codes)).toEqual(new Set(['QUOTA_EXCEEDED']));
  const used = await bench.world.catalog('grant_usage').where({ grant: id, mode: 'lookup' }).first();
  expect(Number(used.used)).toBe(25);
  const given = (await leaves('dataset.lookup')).filter(({ grant, decision }) => grant === id && decision === 'allow');
  expect(given).toHaveLength(25);
});

test('suspension, revocation and expiry hold for the next call', async () => {
  const request = (grant: string) => asked({ principal: principal('parks'), grant });
  const suspended = await make({ grantee: 'parks' });
  const revoked = await make({ grantee: 'parks' });
  const short = await make({ grantee: 'parks' });
  for (const { id } of [suspended, revoked, short]) await lookups.lookUp(request(id));
  await suspendGrant(bench.world.catalog, { id: suspended.id, actor });
  await revokeGrant(bench.world.catalog, { id: revoked.id, actor });
  // Its time is over, without a step of anybody's.
  await letExpire(bench.world.catalog, short.id);
  for (const { id } of [suspended, revoked, short]) {
    await expect(lookups.lookUp(request(id))).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  }
});

test('where the log cannot be written, nothing is answered', async () => {
  const { id } = await make();
  const access = {
    ...bench.access,
    audit: {
      append: () => Promise.reject(new HuitongError('AUDIT_UNAVAILABLE', 'away')),
      appendMany: () => Promise.reject(new HuitongError('AUDIT_UNAVAILABLE', 'away')),
    },
  };
  const cut = new Lookups(access, { directory: join(bench.world.directory, 'lookups'), onFailure: () => {} });
  await expect(cut.lookUp(asked({ grant: id }))).rejects.toThrow(refused('AUDIT_UNAVAILABLE'));
  await cut.close();
});

test('verification: yes or no and nothing else, by the questions that the grant names', async () => {
  const { id } = await make({ modes: ['verify'], verifications: ['is-named'], items: ['id'] });
  const question = (changes: Partial<VerifyRequest> = {}): VerifyRequest => ({
    principal: principal('police'),
    dataset: DATASET,
    key: { id: 1 },
    verification: 'is-named',
    matching: { 姓名: '张三' },
    purpose: 'case-check',
    matter: 'M-2',
    grant: id,
    ...changes,
  });
  const results = async (list: Partial<VerifyRequest>[]) =>
    Promise.all(list.map(async (changes) => (await lookups.verify(question(changes))).result));
  expect(
    await results([
      {},
      { matching: { 姓名: '李四' } },
      { key: { id: 77 } },
      { key: { id: 2 }, matching: { 姓名: '' } },
    ]),
  ).toEqual(['yes', 'no', 'no', 'no']);
  const answer = await lookups.verify(question());
  expect(Object.keys(answer).sort()).toEqual(['grant', 'receipt', 'result', 'version']);
  const leaf = JSON.parse(answer.receipt.leaf) as AuditLeaf;
  expect(leaf.keyHashes).toHaveLength(2);
  expect(leaf.detail).toEqual({ verification: 'is-named' });
  await expect(lookups.verify(question({ verification: 'named-zhang', matching: {} }))).rejects.toThrow(
    refused('NOT_FOUND'),
  );
  await expect(lookups.verify(question({ matching: {} }))).rejects.toMatchObject({ pointer: '/matching/姓名' });
  await expect(lookups.lookUp(asked({ grant: id }))).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  await expect(make({ modes: ['verify'] })).rejects.toMatchObject({ pointer: '/verifications' });
  await expect(make({ modes: ['verify'], verifications: ['nothing'] })).rejects.toMatchObject({
    pointer: '/verifications/0',
  });
});

test('a version that its provider has recalled is not answered from', async () => {
  const { id } = await make();
  const recall = { dataset: DATASET, version: 1 };
  await lookups.lookUp(asked({ grant: id }));
  await bench.world
    .catalog('version_recall')
    .insert({ ...recall, reason: '有误', actor: 'token:officer', person: 'x', recalled_at: new Date() });
  await expect(lookups.lookUp(asked({ grant: id }))).rejects.toThrow(refused('VERSION_RECALLED'));
  await bench.world.catalog('version_recall').where(recall).delete();
  await lookups.lookUp(asked({ grant: id }));
});

test('a new version is answered from as soon as it has an index; older indexes are collected', async () => {
  const { id } = await make();
  const other = open('elsewhere');
  expect((await other.lookUp(asked({ grant: id }))).version).toBe(1);
  await bench.publish([[batchOf([...PEOPLE.slice(1), [1n, '张三丰'], [500n, '新人']])]]);
  const first = await lookups.lookUp(asked({ grant: id, keys: [{ id: 500 }] }));
  expect([1, 2]).toContain(first.version);
  expect(first.records[0] === null).toBe(first.version === 1);
  await lookups.shelf.makeMissing();
  for (const each of [lookups, other]) {
    // Where the newer copy takes longer than a call waits, the call is answered from the older one.
    await expect
      .poll(async () => (await each.lookUp(asked({ grant: id }))).records)
      .toEqual(['{"id":1,"姓名":"张三丰"}']);
    expect((await each.lookUp(asked({ grant: id }))).version).toBe(2);
  }
  const rows = () =>
    bench.world.catalog('lookup_index').orderBy('version').select('version', 'slots_digest', 'records_digest');
  const before = await rows();
  await collect(bench.world, -1_000);
  expect(await rows()).toEqual(before);
  const past = new Date(Date.now() - limits.lookupIndexKeptMs - 1_000);
  await bench.world.catalog('lookup_index').update({ built_at: past });
  await collect(bench.world, -1_000);
  expect((await rows()).map(({ version }) => version)).toEqual([2]);
  expect(await bench.world.store.stat(before[0].records_digest)).toBeUndefined();
  expect(await bench.world.store.stat(before[1].records_digest)).toBeDefined();
  // A server that starts now fetches it; made again from the same version it is the same.
  const fresh = open('fresh');
  expect((await fresh.lookUp(asked({ grant: id }))).version).toBe(2);
  await bench.world.catalog('lookup_index').delete();
  await other.shelf.makeMissing();
  expect((await rows())[0]).toEqual(before[1]);
  await fresh.close();
  await other.close();
});
