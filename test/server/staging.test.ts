import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import { until } from '../support/until.ts';
import { callerOf, openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
});
afterAll(() => server.close());

interface Opened {
  run: string;
  token: string;
  headers: Record<string, string>;
}

/** A run with an open generation, as a worker of the department sees it. */
async function opened(): Promise<Opened> {
  const { runId } = await server.bench.world.begin();
  const worker = await server.as('health', 'worker');
  const answer = await worker('POST', `/staging/${runId}/generations`);
  expect(answer.statusCode).toBe(201);
  const { token, generation, assignment } = answer.json();
  expect(assignment).toMatchObject({ runId, generation, dataset: 'health.vaccinations' });
  return { run: runId, token, headers: headersOf(generation) };
}

function headersOf(generation: number): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'x-huitong-generation': String(generation) };
}

async function objects(): Promise<string[]> {
  const entries = await readdir(server.bench.world.directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test('an object is hashed as it arrives, and read back by its generation', async () => {
  const { run, token, headers } = await opened();
  const caller = callerOf(server.app, token);
  const bytes = randomBytes(100_000);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const stored = await caller('POST', `/staging/${run}/objects?kind=part`, { body: bytes, headers });
  expect([stored.statusCode, stored.json()]).toEqual([201, { digest, sizeBytes: bytes.length }]);
  const read = await caller('GET', `/staging/${run}/objects/${digest}`, { headers });
  expect(read.rawPayload.equals(bytes)).toBe(true);
  expect(problemOf(await caller('GET', `/staging/${run}/objects/${'0'.repeat(64)}`, { headers })).code).toBe(
    'NOT_FOUND',
  );
  expect(problemOf(await caller('POST', `/staging/${run}/objects?kind=secret`, { body: bytes, headers })).pointer).toBe(
    '/kind',
  );
});

test('only the generation’s own token stages: not the worker’s, not another run’s, not another generation’s', async () => {
  const one = await opened();
  const two = await opened();
  const url = `/staging/${one.run}/objects?kind=part`;
  const worker = await server.token('health', 'worker');
  for (const token of [undefined, worker, two.token, `${one.token}x`]) {
    const refused = await callerOf(server.app, token)('POST', url, { body: Buffer.from('x'), headers: one.headers });
    expect(problemOf(refused).code).toBe('UNAUTHENTICATED');
  }
  const caller = callerOf(server.app, two.token);
  for (const generation of ['7', 'x', '']) {
    const headers = { ...two.headers, 'x-huitong-generation': generation };
    const refused = await caller('POST', `/staging/${two.run}/objects?kind=part`, { body: Buffer.from('x'), headers });
    expect(problemOf(refused).code).toBe('UNAUTHENTICATED');
  }
  expect(
    (await caller('POST', `/staging/${two.run}/objects?kind=part`, { body: Buffer.from('x'), headers: two.headers }))
      .statusCode,
  ).toBe(201);
});

test('a newer generation fences the older one', async () => {
  const { run, token, headers } = await opened();
  const worker = await server.as('health', 'worker');
  const next = (await worker('POST', `/staging/${run}/generations`)).json();
  const body = Buffer.from('late');
  const fenced = await callerOf(server.app, token)('POST', `/staging/${run}/objects?kind=part`, { body, headers });
  expect(problemOf(fenced)).toMatchObject({ code: 'FENCED', status: 409 });
  const current = await callerOf(server.app, next.token)('POST', `/staging/${run}/objects?kind=part`, {
    body,
    headers: headersOf(next.generation),
  });
  expect(current.statusCode).toBe(201);
});

test('a generation’s token is never kept for an Idempotency-Key', async () => {
  const { runId } = await server.bench.world.begin();
  const worker = await server.as('health', 'worker');
  const headers = { 'idempotency-key': 'generation' };
  const first = (await worker('POST', `/staging/${runId}/generations`, { headers })).json();
  const second = (await worker('POST', `/staging/${runId}/generations`, { headers })).json();
  expect(second.generation).toBe(first.generation + 1);
  expect(server.log()).not.toContain(second.token);
});

test('a department’s worker is checked again, the exchange’s own is not', async () => {
  const { catalog } = server.bench.world;
  const { run } = await opened();
  expect(await catalog('run').where({ id: run }).select('trusted')).toEqual([{ trusted: false }]);
  await (await server.as('health', 'operator', 'worker'))('POST', `/staging/${run}/generations`);
  expect(await catalog('run').where({ id: run }).select('trusted')).toEqual([{ trusted: true }]);
});

test('an upload that breaks off leaves nothing, in the store or the catalog', async () => {
  const { run, token, headers } = await opened();
  const before = await objects();
  const url = `${await server.listen()}/v1/staging/${run}/objects?kind=part`;
  const upload = request(url, { method: 'POST', headers: { ...headers, authorization: `Bearer ${token}` } });
  upload.on('error', () => {});
  await new Promise((resolve) => upload.write(randomBytes(300_000), resolve));
  await until('a file of the upload', async () => (await objects()).length > before.length);
  upload.destroy();
  await until('its end', async () => (await objects()).length === before.length);
  expect(await objects()).toEqual(before);
  expect(await server.bench.world.catalog('staged_object').where({ run })).toEqual([]);
});

test('the pipeline’s own client streams what is far larger than the heap would like', async () => {
  const { runId } = await server.bench.world.begin();
  const client = httpStagingClient({ url: await server.listen(), token: await server.token('health', 'worker') });
  const session = await client.openGeneration(runId);
  const writer = await session.openObject('part');
  const chunk = randomBytes(4 << 20);
  const hash = createHash('sha256');
  // What is garbage already is not held: when it is collected is the engine's affair.
  setFlagsFromString('--expose-gc');
  const held = () => {
    runInNewContext('gc')();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  let peak = 0;
  const chunks = 40;
  for (let i = 0; i < chunks; i++) {
    await writer.write(chunk);
    hash.update(chunk);
    if (i % 8 === 7) peak = Math.max(peak, held() - before);
  }
  expect(await writer.finish()).toEqual({ digest: hash.digest('hex'), sizeBytes: chunks * chunk.length });
  expect(peak).toBeLessThan((chunks * chunk.length) / 2);
});
