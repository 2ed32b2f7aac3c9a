import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openCatalog } from '../../../catalog/database.ts';
import type { Access } from '../../../exchange/access/access.ts';
import {
  createGrant,
  expireGrants,
  listGrants,
  resumeGrant,
  revokeGrant,
  suspendGrant,
} from '../../../exchange/access/explicit-grants.ts';
import { openObject } from '../../../exchange/access/objects.ts';
import { maskKeyOf } from '../../../exchange/access/policy/keyed-hash.ts';
import { openRead, prepareRead, type ReadRequest } from '../../../exchange/access/read.ts';
import { impactOf } from '../../../exchange/access/usage.ts';
import { collect } from '../../../exchange/publication/collect.ts';
import type { ObjectStore } from '../../../exchange/store/store.ts';
import type { GrantTerms } from '../../../schemas/generated/grant-terms.ts';
import { DATASET } from '../publication/world.ts';
import { openOracle } from './policy/duckdb.ts';
import { type Bench, batchOf, bytesOf, letExpire, openBench, principal } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({
    sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } },
    items: { id: { sharing: { class: 'unconditional' } } },
  });
  for (const code of ['police', 'education', 'traffic', 'water', 'parks']) {
    await bench.world.catalog('department').insert({ code, name_zh: code, name_en: code, definition: {} });
  }
  await bench.publish([[batchOf(PEOPLE)], [batchOf(PEOPLE.map(([id, name]) => [id + 100n, name]))]]);
});
afterAll(() => bench.close());

const PEOPLE: [bigint, string | null][] = [
  [1n, '张三'],
  [2n, null],
  [3n, '李四'],
  [4n, '张'],
  [5n, "王'五\n"],
];
const refused = (code: string) => expect.objectContaining({ code });
const actor = { actor: 'token:officer' };

function terms(changes: Partial<GrantTerms> = {}): GrantTerms {
  return {
    grantee: 'police',
    dataset: DATASET,
    items: ['id', '姓名'],
    modes: ['bulk'],
    purpose: 'case-check',
    legalBasis: '依法',
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2099-01-01T00:00:00Z',
    ...changes,
  };
}

const make = (changes: Partial<GrantTerms> = {}) => createGrant(bench.world, { terms: terms(changes), actor });
const asked = (department: string, changes: Partial<ReadRequest> = {}): ReadRequest => ({
  principal: principal(department),
  dataset: DATASET,
  version: 'current',
  format: 'arrow',
  ...changes,
});

async function read(request: ReadRequest, access: Access = bench.access): Promise<Buffer> {
  const opened = await openRead(access, request);
  const bytes = await bytesOf(opened.stream);
  await opened.closed;
  return bytes;
}

test('terms that do not fit are refused with the place, and nothing is made', async () => {
  const cases: [Partial<GrantTerms>, code: string, pointer: string | undefined][] = [
    [{ items: ['id', '工资'] }, 'POLICY_INVALID', '/items/1'],
    [{ grantee: 'health' }, 'POLICY_INVALID', '/grantee'],
    [{ grantee: 'nowhere' }, 'POLICY_INVALID', '/grantee'],
    [{ expires: '2025-01-01T00:00:00Z' }, 'POLICY_INVALID', '/expires'],
    [{ addresses: ['10.0.0.0/33'] }, 'POLICY_INVALID', '/addresses/0'],
    [{ items: ['id'], masks: { 姓名: { mask: 'drop' } } }, 'POLICY_INVALID', '/masks'],
    [{ masks: { id: { mask: 'partial', shape: 'name' } } }, 'POLICY_INVALID', '/masks/id'],
    [{ rowFilter: { eq: { column: 'id', value: '1; drop table version' } } }, 'POLICY_INVALID', '/rowFilter/eq/value'],
    [{ rowFilter: { eq: { column: '"id" or 1=1 --', value: 1 } } }, 'POLICY_INVALID', '/rowFilter/eq/column'],
    [
      { rowFilter: { and: [{ startsWith: { column: 'id', value: '1' } }] } },
      'POLICY_INVALID',
      '/rowFilter/and/0/startsWith',
    ],
    [{ rowFilter: {} }, 'POLICY_INVALID', '/rowFilter'],
    [{ rowFilter: { sql: 'true' } as never }, 'POLICY_INVALID', '/rowFilter'],
  ];
  for (const [changes, code, pointer] of cases) {
    await expect(make(changes), JSON.stringify(changes)).rejects.toMatchObject({ code, pointer });
  }
  expect((await listGrants(bench.world.catalog)).items).toEqual([]);
});

test('an item that the catalog does not share is in no grant', async () => {
  const { catalog } = bench.world;
  const items = { 姓名: { sharing: { class: 'not-shared', basis: { zh: '依据', en: 'basis' } } } };
  const row = catalog('dataset').where({ code: DATASET });
  const { definition } = await row.clone().first('definition');
  await row.clone().update({ definition: { ...definition, items } });
  try {
    await expect(make()).rejects.toMatchObject({ code: 'ITEM_NOT_SHARED', pointer: '/items/1' });
    expect((await listGrants(catalog)).items).toEqual([]);
  } finally {
    await row.clone().update({ definition });
  }
});

test('a masked column is not filtered by, however deep the filter hides it', async () => {
  for (const mask of [{ mask: 'keyed-hash' }, { mask: 'drop' }] as const) {
    const masks = { 姓名: mask };
    const hidden = { startsWith: { column: '姓名', value: '张' } };
    for (const rowFilter of [hidden, { not: hidden }, { or: [{ isNull: { column: 'id' } }, { and: [hidden] }] }]) {
      await expect(make({ masks, rowFilter })).rejects.toMatchObject({ code: 'POLICY_INVALID' });
    }
  }
});

test('terms never change, and every step is in the log', async () => {
  const grant = await make({ grantee: 'parks', matter: 'M-1' });
  const change = { id: grant.id, actor, reason: '核查' };
  await expect(
    bench.world
      .catalog('access_grant')
      .where({ id: grant.id })
      .update({ terms: JSON.stringify(terms({ items: ['id'] })) }),
  ).rejects.toThrow(/never change/);
  expect((await suspendGrant(bench.world.catalog, change)).state).toBe('suspended');
  expect((await resumeGrant(bench.world.catalog, change)).state).toBe('active');
  expect(await revokeGrant(bench.world.catalog, change)).toMatchObject({ state: 'revoked', reason: '核查', epoch: 4 });
  expect((await revokeGrant(bench.world.catalog, change)).epoch).toBe(4);
  await expect(resumeGrant(bench.world.catalog, change)).rejects.toThrow(refused('GRANT_ENDED'));
  await expect(revokeGrant(bench.world.catalog, { ...change, id: 'x' })).rejects.toThrow(refused('NOT_FOUND'));
  // What is on its way from the outbox to the log is in neither of the two reads.
  await bench.audit.drainOutbox();
  const leaves = await bench.audit.reader.entries(0, 1_000);
  const waiting = await bench.world
    .catalog('audit_outbox')
    .select<{ leaf: { action: string; grant?: string } }[]>('leaf');
  const all = [...leaves.map(({ leaf }) => JSON.parse(leaf)), ...waiting.map(({ leaf }) => leaf)];
  const mine = all.filter((leaf) => leaf.grant === grant.id);
  expect(mine.map(({ action }) => action)).toEqual([
    'grant.created',
    'grant.suspended',
    'grant.resumed',
    'grant.revoked',
  ]);
  expect(mine[0]).toMatchObject({ purpose: 'case-check', matter: 'M-1', decision: 'allow' });
});

test('every way to read gives the same cells, and masks hold in each', async () => {
  const masks: GrantTerms['masks'] = { 姓名: { mask: 'keyed-hash' } };
  const grant = await make({ masks, rowFilter: { in: { column: 'id', values: [1, '2', 105] } } });
  const hashOf = (text: string) =>
    createHmac('sha256', maskKeyOf(bench.access.subjectKey, 'police')).update(text).digest('hex');
  const expected = [
    ['1', hashOf('张三')],
    ['2', null],
    ['105', hashOf("王'五\n")],
  ];
  const request = asked('police', { grant: grant.id });
  const arrow = tableFromIPC(await read(request));
  expect(arrow.toArray().map((row) => [String(row.id), row.姓名])).toEqual(expected);
  const lines = (await read({ ...request, format: 'json-lines' })).toString().trimEnd().split('\n');
  expect(
    lines.map((line) => Object.values(JSON.parse(line)).map((cell) => (cell === null ? null : String(cell)))),
  ).toEqual(expected);
  const csv = (await read({ ...request, format: 'csv' })).toString();
  expect(csv).toBe(`id,姓名\r\n${expected.map(([id, name]) => `${id},${name ?? ''}\r\n`).join('')}`);

  const folder = await mkdtemp(join(tmpdir(), 'huitong-parquet-'));
  const file = join(folder, 'read.parquet');
  await writeFile(file, await read({ ...request, format: 'parquet' }));
  const rows = (await (await openOracle()).runAndReadAll(`select id::varchar, "姓名" from '${file}'`)).getRows();
  await rm(folder, { recursive: true });
  expect(rows).toEqual(expected);

  const prepared = await prepareRead(bench.access, { ...request, columns: ['姓名'] });
  const whole = await bytesOf((await prepared.open()).stream);
  const range = await bytesOf((await prepared.open({ offset: 9, length: 50 })).stream);
  expect(whole.length).toBe(prepared.totalBytes);
  expect(range.equals(whole.subarray(9, 59))).toBe(true);
  expect(prepared.etag).toBe((await prepareRead(bench.access, { ...request, columns: ['姓名'] })).etag);
  // What is stored is not given, and without the grant the names are not.
  await expect(openObject(bench.access, request)).rejects.toThrow(refused('NOT_FOUND'));
  await expect(read(asked('traffic', { columns: ['姓名'] }))).rejects.toThrow(refused('COLUMN_NOT_GRANTED'));
  const other = await make({ grantee: 'traffic', masks });
  const [first] = tableFromIPC(await read(asked('traffic', { grant: other.id }))).toArray();
  expect(first?.姓名).not.toBe(hashOf('张三'));
});

test('of several grants the one that gives most is used; one that is named is used or nothing', async () => {
  const masked = await make({ grantee: 'education', masks: { 姓名: { mask: 'partial', shape: 'name' } } });
  const filtered = await make({ grantee: 'education', rowFilter: { eq: { column: 'id', value: 1 } } });
  const used = async (changes: Partial<ReadRequest> = {}) =>
    (await prepareRead(bench.access, asked('education', changes))).grant.id;
  expect(await used()).toBe(masked.id);
  expect(await used({ columns: ['id'] })).toBe('implicit:unconditional');
  expect(await used({ columns: ['姓名'] })).toBe(masked.id);
  expect(await used({ grant: filtered.id })).toBe(filtered.id);
  const whole = await make({ grantee: 'education' });
  expect(await used()).toBe(whole.id);
  await expect(used({ grant: 'nonsense' })).rejects.toThrow(refused('NOT_FOUND'));
  await expect(prepareRead(bench.access, asked('traffic', { grant: whole.id }))).rejects.toThrow(refused('NOT_FOUND'));
  await suspendGrant(bench.world.catalog, { id: whole.id, actor });
  await expect(used({ grant: whole.id })).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  expect(await used()).toBe(masked.id);
});

test('addresses, modes and times hold', async () => {
  const bound = await make({ grantee: 'water', addresses: ['10.1.0.0/16', 'fd00::/8'] });
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1']) {
    await expect(prepareRead(bench.access, asked('water', { grant: bound.id, address }))).resolves.toBeDefined();
  }
  for (const address of ['10.2.0.1', '::1', undefined]) {
    const attempt = prepareRead(bench.access, asked('water', { grant: bound.id, address }));
    await expect(attempt).rejects.toThrow(refused('NOT_FOUND'));
  }
  const lookups = await make({ grantee: 'water', modes: ['lookup'] });
  const later = await make({ grantee: 'water', notBefore: '2098-01-01T00:00:00Z' });
  for (const { id } of [lookups, later]) {
    await expect(read(asked('water', { grant: id }))).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  }
  const expires = new Date(Date.now() + 3_600_000);
  const short = await make({ grantee: 'water', expires: expires.toISOString() });
  const prepared = await prepareRead(bench.access, asked('water', { grant: short.id }));
  // The clock of this server may be an hour off (FAULTS 18): PostgreSQL's counts.
  for (const offMs of [3_600_000, -3_600_000]) {
    vi.useFakeTimers({ now: Date.now() + offMs, toFake: ['Date'] });
    try {
      const { stream, closed } = await prepared.open();
      await bytesOf(stream);
      await closed;
      await expect(read(asked('water', { grant: short.id }))).resolves.toBeDefined();
    } finally {
      vi.useRealTimers();
    }
  }
  expect(await expireGrants(bench.world.catalog)).toBe(0);
  await letExpire(bench.world.catalog, short.id);
  await expect(prepared.open()).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  await expect(read(asked('water', { grant: short.id }))).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  expect(await expireGrants(bench.world.catalog)).toBe(1);
  expect(await expireGrants(bench.world.catalog)).toBe(0);
});

test('a quota holds under concurrency, and is the grant’s own', async () => {
  const { id } = await make({ grantee: 'water', quota: { readsPerDay: 3 } });
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => read(asked('water', { grant: id }))));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  expect(new Set(codes)).toEqual(new Set(['QUOTA_EXCEEDED']));
  expect(await impactOf(bench.world.catalog, { id })).toMatchObject({ reads: 3, readingNow: 0 });
});

test('a projection is made once under many readers in two processes, and again once it was collected', async () => {
  const { id } = await make({ masks: { 姓名: { mask: 'constant', value: '保密' } } });
  const elsewhere = openCatalog(bench.world.url);
  let puts = 0;
  const store: ObjectStore = {
    ...bindAll(bench.world.store),
    put: async (...args) => {
      puts++;
      return bench.world.store.put(...args);
    },
  };
  const accesses = [bench.world.catalog, elsewhere].map((catalog) => ({
    ...bench.access,
    publication: { catalog, store },
  }));
  const readers = Array.from({ length: 20 }, (_, i) => read(asked('police', { grant: id }), accesses[i % 2]));
  const [first, ...rest] = await Promise.all(readers);
  expect(puts).toBe(1);
  expect(rest.every((bytes) => bytes.equals(first as Buffer))).toBe(true);
  expect(await bench.world.catalog('projection_build').select()).toEqual([]);

  const parts = () => bench.world.catalog('projection_part').select<{ digest: string }[]>('digest');
  const before = await parts();
  await collect(bench.world, -1_000);
  expect(await parts()).toEqual(before);
  expect(await bench.world.store.stat(before[0]!.digest)).toBeDefined();
  await bench.world.catalog('projection').update({ used_at: new Date(0) });
  await collect(bench.world, -1_000);
  expect(await parts()).toEqual([]);
  for (const { digest } of before) expect(await bench.world.store.stat(digest)).toBeUndefined();
  expect((await read(asked('police', { grant: id }), accesses[0])).equals(first as Buffer)).toBe(true);
  await elsewhere.destroy();
});

test('a revocation ends running downloads within 8 MiB, of stored parts and of projections, and the next call', async () => {
  const noise = () => randomBytes(5_000).toString('base64');
  const batches = Array.from({ length: 6 }, (_, part) =>
    batchOf(Array.from({ length: 1_000 }, (_, i) => [BigInt(part * 1_000 + i), noise()])),
  );
  await bench.publish(batches.map((batch) => [batch]));
  const plain = await make();
  const filtered = await make({ rowFilter: { ge: { column: 'id', value: 0 } } });
  for (const { id } of [plain, filtered]) {
    const request = asked('police', { grant: id });
    const { handedAfter, received, total } = await downloadWhile(request, async () => {
      await revokeGrant(bench.world.catalog, { id, actor });
    });
    expect(total).toBeGreaterThan(24 << 20);
    expect(handedAfter).toBeLessThanOrEqual(8 << 20);
    expect(received).toBeLessThan(total);
    await expect(read(request)).rejects.toThrow(refused('GRANT_NOT_USABLE'));
  }
  const closed = (await bench.leaves()).filter(
    ({ action, rule }) => action === 'dataset.read.closed' && rule === 'GRANT_NOT_USABLE',
  );
  expect(closed.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
});

/** Downloads over HTTP; after the first MiB `act` is done, and then the rest is counted. */
async function downloadWhile(request: ReadRequest, act: () => Promise<void>) {
  const prepared = await prepareRead(bench.access, request);
  let handed = 0;
  const server = createServer(async (_, response) => {
    const session = await prepared.open();
    session.stream.on('data', (chunk: Buffer) => {
      handed += chunk.byteLength;
    });
    response.writeHead(200, { 'content-length': prepared.totalBytes });
    await pipeline(session.stream, response).catch(() => {});
    await session.closed;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const response = await new Promise<IncomingMessage>((resolve) => {
    get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, resolve);
  });
  let received = 0;
  let handedBefore = 0;
  try {
    for await (const chunk of response) {
      received += chunk.byteLength;
      if (handedBefore > 0 || received < 1 << 20) continue;
      await act();
      handedBefore = handed;
    }
  } catch (e: unknown) {
    expect(e).toMatchObject({ code: 'ECONNRESET' });
  }
  await new Promise((resolve) => server.close(resolve));
  return { handedAfter: handed - handedBefore, received, total: prepared.totalBytes as number };
}

/** A store is a class: its methods need it. */
function bindAll(store: ObjectStore): ObjectStore {
  return {
    put: (...args) => store.put(...args),
    open: (...args) => store.open(...args),
    read: (...args) => store.read(...args),
    stat: (...args) => store.stat(...args),
    verify: (...args) => store.verify(...args),
    list: () => store.list(),
    remove: (...args) => store.remove(...args),
  };
}
