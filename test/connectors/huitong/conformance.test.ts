/** The kit, against a whole exchange on a port: catalog, store, audit log and grants are real. */
import { expect, test } from 'vitest';
import { type Fixture, testConnector } from '../../../connectors/conformance/kit.ts';
import type { HuitongConfig } from '../../../connectors/huitong/config.ts';
import { huitong } from '../../../connectors/huitong/index.ts';
import { batchOf } from '../../exchange/access/support.ts';
import { openServer } from '../../server/support.ts';

const DATASET = 'health.vaccinations';
const ROWS = 3_200;
const request = { table: { name: DATASET } };

type Row = [id: bigint, name: string | null];
const special: Row[] = [
  [-9_223_372_036_854_775_808n, ''],
  [9_223_372_036_854_775_807n, '汇通😀\0"\n'],
  [9_007_199_254_740_993n, null],
];
const rows: Row[] = [
  ...special,
  ...Array.from({ length: ROWS - special.length }, (_, i): Row => [BigInt(i), `row ${i}`]),
];

testConnector(huitong, async () => {
  const server = await openServer();
  await server.bench.publish([[batchOf(rows)]]);
  const token = await server.token('traffic', 'officer');
  const config: HuitongConfig = { url: await server.listen(), token };
  const failures: Fixture<HuitongConfig>['failures'] = [
    { name: 'token', config: { ...config, token: `${token}x` }, step: 'authenticate', code: 'SOURCE_AUTH' },
    {
      name: 'host',
      config: { ...config, url: 'http://no-such-host.invalid' },
      step: 'connect',
      code: 'SOURCE_UNREACHABLE',
    },
    { name: 'not an exchange', config: { ...config, url: `${config.url}/v9` }, step: 'read', code: 'SOURCE_FAILED' },
    {
      name: 'metadata service',
      config: { ...config, url: 'http://169.254.169.254' },
      step: 'resolve',
      code: 'SSRF_BLOCKED',
    },
    { name: 'setting', config: { ...config, tokne: 'x' } as HuitongConfig, step: 'resolve', code: 'CONFIG_INVALID' },
  ];
  const lacks = (what: string) => ({ lacks: what });
  return {
    close: () => server.close(),
    fixture: {
      config,
      canary: token,
      failures,
      large: { request, rows: rows.length, idColumn: 'id', partitions: 1 },
      disturb: lacks('a version never changes; what new ones do is tried below'),
      empty: lacks('the far exchange has one dataset'),
      names: { request, columns: ['id', '姓名'] },
      comments: lacks('the far dataset has no titles of items'),
      wide: lacks('the far exchange has one dataset'),
      bigCell: lacks('cells are bounded where they are published'),
      torture: {
        request,
        expected: { id: rows.map(([id]) => String(id)), 姓名: rows.map(([, name]) => name) },
        unrepresentable: [],
      },
      unmapped: lacks('every column is Arrow’s own'),
      cursor: { lacks: 'this kind has no cursors' },
      missing: [
        { request: { table: { name: 'health.nothing' } }, code: 'TABLE_NOT_FOUND' },
        { request: { ...request, columns: ['id', 'no such'] }, code: 'COLUMN_NOT_FOUND' },
      ],
      revoked: lacks('grants that end are tried by the exchange’s own tests'),
      slow: lacks('an exchange answers at once'),
      busyStatements: lacks('an exchange answers at once'),
    },
  };
});

const context = { signal: new AbortController().signal, label: 'huitong/test', loopbackAllowed: true };

test('a version that is planned is read whole, and proved by its digests, although newer ones were published', async () => {
  const server = await openServer();
  try {
    const [first, second]: Row[][] = [[[1n, '一']], [[2n, '二']]];
    await server.bench.publish([[batchOf(first!)], [batchOf(second!)]]);
    const config = { url: await server.listen(), token: await server.token('traffic', 'officer') };
    const snapshot = await huitong.openSnapshot(config, context);
    const plan = structuredClone(await huitong.plan(snapshot, request, { partitions: 2 }));
    expect(await snapshot.controlTotals(request)).toMatchObject({ rows: 2 });
    await server.bench.publish([[batchOf([[3n, '三']])]]);
    await snapshot.close();
    const ids: unknown[] = [];
    for (const partition of plan.partitions) {
      const reading = huitong.read(config, { plan, partition, batchRowsMax: 10, batchBytesMax: 1000 }, context);
      for await (const { batch } of reading) ids.push(...(batch.getChild('id') ?? []));
    }
    expect(ids).toEqual([1n, 2n]);
    expect(plan).toMatchObject({
      guarantee: 'snapshot',
      description: {
        format: 'arrow-parts',
        far: { dataset: DATASET, version: 1, manifestDigest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    });
    const [digest] = plan.partitions[0]?.parts ?? [];
    const forged = { ...plan.partitions[0]!, parts: [digest!.replace(/^./, (c) => (c === '0' ? '1' : '0'))] };
    const reading = huitong.read(config, { plan, partition: forged, batchRowsMax: 10, batchBytesMax: 1000 }, context);
    await expect(reading.next()).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
  } finally {
    await server.close();
  }
});
