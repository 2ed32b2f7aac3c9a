/** Two exchanges: the far one shares a version under a grant that masks and filters, ours reads it and publishes. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { huitong } from '../../../connectors/huitong/index.ts';
import { batchOf } from '../../exchange/access/support.ts';
import { DATASET, exchangeFiles, openExchange, type TestExchange } from '../../server/exchange.ts';
import { openServer, type TestServer } from '../../server/support.ts';

const FAR = 'health.vaccinations';
const terms = {
  grantee: 'traffic',
  dataset: FAR,
  items: ['id', '姓名'],
  masks: { 姓名: { mask: 'partial', shape: 'name' } },
  rowFilter: { gt: { column: 'id', value: 1 } },
  modes: ['bulk'],
  purpose: 'accident-aid',
  legalBasis: '依法',
  addresses: ['127.0.0.0/8'],
  notBefore: '2026-01-01T00:00:00Z',
  expires: '2099-01-01T00:00:00Z',
};

let far: TestServer;
let ours: TestExchange;
let farUrl: string;
let token: string;
beforeAll(async () => {
  [far, ours] = await Promise.all([
    openServer({ sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } } }),
    openExchange(),
  ]);
  await far.bench.publish([
    [batchOf([[1n, '王五']])],
    [batchOf([[9_007_199_254_740_993n, '欧阳娜']]), batchOf([[3n, null]])],
  ]);
  farUrl = await far.listen();
  token = await far.token('traffic', 'officer');
  const provider = await far.as('health', 'officer');
  expect((await provider('POST', '/grants', { body: terms })).statusCode).toBe(201);
});
afterAll(() => Promise.all([far?.close(), ours?.close()]));

test('what our exchange publishes are the cells that the far grant shows, and the plan names the far version', async () => {
  ours.secrets.NEIGHBOUR_TOKEN = token;
  const files = exchangeFiles();
  await ours.apply({
    ...files,
    'sources/health-his.yaml': `code: health-his
department: health
kind: huitong
title: { zh: 邻市汇通, en: The neighbour city's Huitong }
connection: { url: "${farUrl}", token: env:NEIGHBOUR_TOKEN }
`,
    'datasets/health/people.yaml': files['datasets/health/people.yaml']!.replace('人口 }', `${FAR} }`),
    'datasets/health/people.contract.json': JSON.stringify({
      version: '1.0.0',
      key: ['id'],
      type: 'object',
      properties: { id: { type: 'integer' }, 姓名: { type: ['string', 'null'] } },
      required: ['id'],
    }),
  });
  const engineer = await ours.as('health', 'engineer');
  const { id } = (await engineer('POST', `/datasets/${DATASET}/runs`)).json();
  while ((await engineer('GET', `/runs/${id}`)).json().state === 'running') await delay(50);
  const run = (await engineer('GET', `/runs/${id}`)).json();
  expect(run, JSON.stringify(run)).toMatchObject({ state: 'published' });
  const officer = await ours.as('health', 'officer');
  const csv = await officer('GET', `/datasets/${DATASET}/data`, { headers: { accept: 'text/csv' } });
  expect(csv.body).toBe('id,姓名\r\n9007199254740993,欧**\r\n3,\r\n');
  const manifest = (await officer('GET', `/datasets/${DATASET}/versions/1/manifest`)).json();
  expect(manifest).toMatchObject({
    guarantee: 'snapshot',
    plan: {
      connector: 'huitong',
      source: {
        format: 'arrow-stream',
        far: {
          dataset: FAR,
          version: 1,
          manifestDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
          receipt: { auditIndex: expect.stringMatching(/^\d+$/) },
        },
      },
    },
  });
  expect(ours.log()).not.toContain(token);
});

test('a grant that is suspended after planning is SNAPSHOT_LOST, and SOURCE_FORBIDDEN in the next plan', async () => {
  const context = { signal: new AbortController().signal, label: 'huitong/test', loopbackAllowed: true };
  const config = { url: farUrl, token };
  const request = { table: { name: FAR } };
  const snapshot = await huitong.openSnapshot(config, context);
  const plan = await huitong.plan(snapshot, request, { partitions: 4 });
  // Only the whole version has totals, parts and a proved key.
  expect(await snapshot.controlTotals(request)).toBeUndefined();
  expect(plan).toMatchObject({ partitions: [{ dataset: FAR, version: 1 }], uniqueKeys: [] });
  const provider = await far.as('health', 'officer');
  const [grant] = (await provider('GET', '/grants')).json().items;
  await provider('POST', `/grants/${grant.id}/suspend`, { body: { reason: '核查' } });
  const reading = huitong.read(
    config,
    { plan, partition: plan.partitions[0]!, batchRowsMax: 9, batchBytesMax: 999 },
    context,
  );
  await expect(reading.next()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
  const next = await huitong.openSnapshot(config, context);
  await expect(huitong.plan(next, request, { partitions: 1 })).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
  await next.close();
  await snapshot.close();
});
