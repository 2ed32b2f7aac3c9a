/** FAULTS 16 as callers of the API see it: Temporal is away. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  // Nobody listens there; without the client's own retries, which take some twenty seconds.
  const connection = Connection.lazy({ address: '127.0.0.1:1', connectTimeout: 500, interceptors: [] });
  server = await openServer({}, { temporal: new Client({ connection }) });
});
afterAll(() => server.close());

test('what needs Temporal is 503 TEMPORAL_UNREACHABLE, and nothing was begun; what does not goes on', async () => {
  const engineer = await server.as('health', 'engineer');
  const started = await engineer('POST', '/datasets/health.vaccinations/runs', { body: {} });
  expect(problemOf(started)).toMatchObject({ code: 'TEMPORAL_UNREACHABLE', status: 503 });
  expect(started.headers['retry-after']).toBe('5');
  expect((await engineer('GET', '/runs')).json().items).toEqual([]);
  expect((await engineer('GET', '/datasets')).json().items).toHaveLength(1);
});
