/** Receipts: for both departments of an access and nobody else, and worth something without the exchange. */
import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyReceipt } from '../../exchange/audit/verify/receipt.ts';
import { batchOf } from '../exchange/access/support.ts';
import { callerOf, openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
let index: string;
beforeAll(async () => {
  server = await openServer();
  await server.bench.world.catalog('department').insert({
    code: 'education',
    name_zh: '教育局',
    name_en: 'Education',
    definition: {},
  });
  await server.bench.publish([[batchOf([[1n, '王']])]]);
  const reader = await server.as('traffic', 'officer');
  const read = await reader('GET', '/datasets/health.vaccinations/data');
  index = String(read.headers['x-huitong-audit-index']);
});
afterAll(() => server.close());

const receiptFor = async (department: string, role: 'officer' | 'auditor' | 'engineer') =>
  (await server.as(department, role))('GET', `/receipts/${index}`);

test('the reader and the provider get the same leaf, which the public key alone verifies', async () => {
  const pem = await callerOf(server.app, undefined)('GET', '/audit/key');
  expect(pem.headers['content-type']).toBe('application/x-pem-file');
  const key = createPublicKey(pem.body);
  for (const response of [await receiptFor('traffic', 'officer'), await receiptFor('health', 'engineer')]) {
    expect(response.statusCode).toBe(200);
    const receipt = response.json();
    expect(verifyReceipt(receipt, key).size).toBeGreaterThan(Number(index));
    expect(JSON.parse(receipt.leaf)).toMatchObject({ action: 'dataset.read.opened', onBehalfOf: 'traffic' });
    const forged = { ...receipt, leaf: receipt.leaf.replace('traffic', 'nobody') };
    expect(() => verifyReceipt(forged, key)).toThrow(expect.objectContaining({ code: 'AUDIT_VERIFY_FAILED' }));
  }
  expect((await receiptFor('traffic', 'auditor')).statusCode).toBe(200);
});

test('to any other department it is as if there were none', async () => {
  const stranger = await server.as('education', 'officer');
  const forbidden = problemOf(await stranger('GET', `/receipts/${index}`));
  const absent = problemOf(await stranger('GET', '/receipts/999999'));
  expect(forbidden.code).toBe('NOT_FOUND');
  expect(JSON.stringify(absent).replaceAll('999999', index)).toBe(JSON.stringify(forbidden));
});
