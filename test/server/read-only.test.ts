/** FAULTS 25 over HTTP: while the audit log must not be written, metadata is shown and every change is refused. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { HuitongError } from '../../lib/errors.ts';
import { openServer, type TestServer } from './support.ts';

let server: TestServer;
let refusal: HuitongError | undefined;
beforeAll(async () => {
  server = await openServer();
  // Asked for with every request.
  vi.spyOn(server.bench.audit, 'refusal').mockImplementation(() => refusal);
});
afterAll(() => server.close());

test('a log that went backwards makes the exchange read-only', async () => {
  const caller = await server.as('health', 'administrator', 'officer', 'engineer');
  const changes = [
    ['POST', '/datasets/health.vaccinations/runs'],
    ['POST', '/grants'],
    ['POST', '/district/apply'],
    ['POST', '/lookups/health.vaccinations'],
    ['POST', '/sign-in'],
    ['DELETE', '/tokens/00000000-0000-0000-0000-000000000000'],
  ] as const;
  const codes = async () =>
    Promise.all(changes.map(async ([method, url]) => (await caller(method, url, { body: {} })).json().code));
  expect(await codes()).not.toContain('AUDIT_REGRESSION');
  refusal = new HuitongError('AUDIT_REGRESSION', 'the database holds 1 leaves, a head over 2 was already signed');
  expect(await codes()).toEqual(changes.map(() => 'AUDIT_REGRESSION'));
  const answer = await caller('POST', '/grants', { body: {} });
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5']);
  expect((await caller('GET', '/datasets')).json().items).toHaveLength(1);
  expect((await caller('GET', '/health')).statusCode).toBe(200);
});
