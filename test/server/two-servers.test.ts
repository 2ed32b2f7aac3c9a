/** Two servers of one exchange: each with its own connections, caches and copies, over one catalog, store and log. */
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCatalog } from '../../catalog/database.ts';
import { createGrant, revokeGrant } from '../../exchange/access/explicit-grants.ts';
import { Lookups } from '../../exchange/access/lookup/lookups.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import type { AuditLog } from '../../exchange/audit/audit-log.ts';
import { exportLog } from '../../exchange/audit/export.ts';
import { verifyExport } from '../../exchange/audit/verify/export.ts';
import { readPublicKey } from '../../exchange/audit/verify/head.ts';
import { type Receipt, verifyReceipt } from '../../exchange/audit/verify/receipt.ts';
import { openFileStore } from '../../exchange/store/file-store.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import { buildApp } from '../../server/app.ts';
import { createSessionTokens } from '../../server/session-tokens.ts';
import { batchOf } from '../exchange/access/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from './support.ts';

interface SecondServer {
  app: TestServer['app'];
  audit: AuditLog;
  lookups: Lookups;
  /** How many objects this server has put into the store. */
  puts(): number;
  close(): Promise<void>;
}

let first: TestServer;
let second: SecondServer;
let token: string;
/** An officer of `traffic`, at either server. */
let callers: [Caller, Caller];
const publicKey = () => readPublicKey(first.bench.auditKey);
const actor = { actor: 'token:officer' };

beforeAll(async () => {
  first = await openServer({ sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } } });
  await first.bench.publish([
    [
      batchOf([
        [1n, '张三'],
        [2n, '李四'],
        [3n, null],
      ]),
    ],
  ]);
  second = await openSecond(first);
  token = await first.token('traffic', 'officer');
  callers = [callerOf(first.app, token), callerOf(second.app, token)];
});
afterAll(async () => {
  await second.close();
  await first.close();
});

async function openSecond({ bench, temporal }: TestServer): Promise<SecondServer> {
  const catalog = openCatalog(bench.world.url);
  const store = await openFileStore(bench.world.directory);
  const put = store.put.bind(store);
  let puts = 0;
  store.put = (...what) => {
    puts++;
    return put(...what);
  };
  const publication = { catalog, store };
  const audit = await bench.openAudit();
  const access = { ...bench.access, publication, audit };
  const directory = join(bench.world.directory, 'lookups-of-the-second');
  const lookups = new Lookups(access, { directory, onFailure: (_, error) => bench.alarms.push(error as never) });
  const app = await buildApp({
    ...{ logger: pino({ level: 'silent' }), publication, access, audit, lookups, temporal },
    ...{ quarantineKey: bench.quarantineKey, sessions: createSessionTokens(), health: async () => ({}) },
  });
  await app.ready();
  return {
    ...{ app, audit, lookups },
    puts: () => puts,
    async close() {
      await app.close();
      await lookups.close();
      await audit.close();
      await catalog.destroy();
    },
  };
}

const terms = (changes: Partial<GrantTerms> = {}) => ({
  ...{ grantee: 'traffic', dataset: DATASET, items: ['id', '姓名'], modes: ['bulk', 'lookup'] },
  ...{ purpose: 'case-check', legalBasis: '依法' },
  ...{ notBefore: '2026-01-01T00:00:00Z', expires: '2099-01-01T00:00:00Z' },
  ...changes,
});
const make = (changes: Partial<GrantTerms> = {}) => createGrant(first.bench.world, { actor, terms: terms(changes) });
const lookUp = (server: number, grant: string, id = 1) =>
  (callers[server] as Caller)('POST', `/lookups/${DATASET}`, {
    body: { keys: { id }, purpose: 'case-check', matter: 'M-1', grant },
  });
const read = (server: number, grant: string, format = 'application/x-ndjson') =>
  (callers[server] as Caller)('GET', `/datasets/${DATASET}/data?grant=${grant}`, { headers: { accept: format } });

test('an index for look-ups is made once, however many servers are asked for it at the same time', async () => {
  const { id } = await make();
  const answers = await Promise.all([lookUp(0, id), lookUp(1, id), lookUp(1, id), lookUp(0, id)]);
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
  // Its two objects were put by one of them.
  expect([0, 2]).toContain(second.puts());
  expect(await first.bench.world.catalog('lookup_index').select('version')).toEqual([{ version: 1 }]);
  expect(await first.bench.world.catalog('projection_build').select()).toEqual([]);
});

test('a masked version is projected once, and both servers give the same bytes', async () => {
  const { id } = await make({ masks: { 姓名: { mask: 'partial', shape: 'name' } } });
  const format = 'application/vnd.apache.arrow.stream';
  const answers = await Promise.all([read(0, id, format), read(1, id, format), read(0, id, format)]);
  for (const answer of answers) {
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.equals(answers[0]!.rawPayload)).toBe(true);
  }
  expect(await first.bench.world.catalog('projection').count('* as n')).toEqual([{ n: 1 }]);
});

test('random calls at both: every receipt verifies offline, and the log has neither a gap nor a leaf too many', async () => {
  const { id: grant } = await make();
  const { size: before } = await first.bench.audit.reader.head();
  const receipts: Receipt[] = [];
  let leaves = 0;
  const call = fc.record({ server: fc.nat(1), kind: fc.constantFrom('lookup', 'read', 'denied') });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 12 }), async (calls) => {
      await Promise.all(
        calls.map(async ({ server, kind }) => {
          if (kind === 'lookup') {
            receipts.push((await lookUp(server, grant)).json().receipt);
            leaves += 1;
          } else if (kind === 'read') {
            const answer = await read(server, grant);
            expect(answer.body.trim().split('\n')).toHaveLength(3);
            const index = Number(answer.headers['x-huitong-audit-index']);
            // Asked of the other server: what one has written the other proves.
            const receipt = await (callers[1 - server] as Caller)('GET', `/receipts/${index}`);
            receipts.push(receipt.json());
            leaves += 2;
          } else {
            const wrong = { keys: { id: 1 }, purpose: 'other', matter: 'M-1', grant };
            const answer = await (callers[server] as Caller)('POST', `/lookups/${DATASET}`, { body: wrong });
            expect(problemOf(answer).code).toBe('PURPOSE_SCOPE');
            leaves += 1;
          }
        }),
      );
    }),
    { numRuns: 6 },
  );
  for (const receipt of receipts) verifyReceipt(receipt, publicKey());
  expect(new Set(receipts.map(({ index }) => index)).size).toBe(receipts.length);
  const log = second.audit.reader;
  const ofThese = async () => {
    const entries = await log.entries(before, (await log.head()).size);
    const found = entries.map(({ leaf }) => JSON.parse(leaf) as AuditLeaf);
    const ours = found.filter((leaf) => leaf.grant === grant || leaf.decision === 'deny');
    // Not the leaf of the grant's own making, which comes by the outbox.
    return ours.filter(({ action }) => action.startsWith('dataset.')).length;
  };
  // The leaf that closes a read follows its last byte.
  await expect.poll(ofThese).toBe(leaves);
  const verified = await verifyExport(exportLog(log), { publicKey: publicKey(), receipts });
  expect(verified.receipts).toBe(receipts.length);
});

test('a quota holds across both, also when they are asked at once', async () => {
  const { id } = await make({ quota: { lookupsPerDay: 11, readsPerDay: 5 } });
  const codes = async (calls: Promise<{ statusCode: number }>[]) =>
    (await Promise.all(calls)).map(({ statusCode }) => statusCode);
  const looked = await codes(Array.from({ length: 30 }, (_, i) => lookUp(i % 2, id)));
  expect(looked.filter((code) => code === 200)).toHaveLength(11);
  const wasRead = await codes(Array.from({ length: 14 }, (_, i) => read(i % 2, id)));
  expect(wasRead.filter((code) => code === 200)).toHaveLength(5);
  for (const server of [0, 1]) expect(problemOf(await lookUp(server, id)).code).toBe('QUOTA_EXCEEDED');
});

test('what is revoked at one is refused at the other by the next call: a grant, a token', async () => {
  const { id } = await make();
  for (const server of [0, 1]) expect((await lookUp(server, id)).statusCode).toBe(200);
  await revokeGrant(first.bench.world.catalog, { id, actor, reason: '测试' });
  for (const server of [0, 1]) expect(problemOf(await lookUp(server, id)).code).toBe('GRANT_NOT_USABLE');

  const administrator = await first.as('data', 'administrator');
  const minted = await mintToken(first.bench.world.catalog, {
    department: 'traffic',
    subject: 's',
    roles: ['officer'],
  });
  const bearer = callerOf(second.app, minted.secret);
  expect((await bearer('GET', '/datasets')).statusCode).toBe(200);
  expect((await administrator('DELETE', `/tokens/${minted.token.id}`)).statusCode).toBeLessThan(300);
  expect(problemOf(await bearer('GET', '/datasets')).code).toBe('UNAUTHENTICATED');
});

test('a write with an Idempotency-Key is done once, at whichever server it arrives again', async () => {
  const secret = await first.token('health', 'officer');
  const officers = [callerOf(first.app, secret), callerOf(second.app, secret)] as const;
  const grants = async () => (await first.bench.world.catalog('access_grant').select('id')).length;
  const before = await grants();
  const give = (server: 0 | 1) =>
    officers[server]('POST', '/grants', { body: terms(), headers: { 'idempotency-key': 'the same' } });
  const answers = await Promise.all([give(0), give(1), give(1), give(0)]);
  const done = answers.find(({ statusCode }) => statusCode === 201);
  for (const answer of [...answers, await give(0), await give(1)]) {
    if (answer.statusCode === 201) expect(answer.body).toBe(done?.body);
    else expect(problemOf(answer).code).toBe('IDEMPOTENCY_IN_PROGRESS');
  }
  expect((await give(1)).headers['idempotency-replayed']).toBe('true');
  expect(await grants()).toBe(before + 1);
});

test('when the server that holds the log goes, the other answers everything', async () => {
  const { id } = await make();
  expect([first.bench.audit.isHolder(), second.audit.isHolder()]).toEqual([true, false]);
  await first.bench.audit.close();
  await expect.poll(() => second.audit.isHolder()).toBe(true);
  const answer = await lookUp(1, id, 2);
  expect(answer.json()).toMatchObject({ results: [{ found: true, record: { id: 2, 姓名: '李四' } }] });
  verifyReceipt(answer.json().receipt, publicKey());
  expect(problemOf(await lookUp(0, id)).code).toBe('AUDIT_UNAVAILABLE');
});
