/** The kit and the protocol's corners, against a server in Python whose files pyarrow writes (`server.py`). */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Fixture, testConnector } from '../../../connectors/conformance/kit.ts';
import type { DeltaSharingConfig } from '../../../connectors/delta-sharing/config.ts';
import { deltaSharing } from '../../../connectors/delta-sharing/index.ts';
import { limits } from '../../../lib/limits.ts';
import { pythonLacks, startPython } from '../../support/python.ts';

const TOKEN = 'canary-delta-5b1c';
const NAMES = ['Id', 'with space', 'quo"te', '姓名', 'a.b', 'select'];
const context = { signal: new AbortController().signal, label: 'huitong/test', loopbackAllowed: true };
const request = (name: string) => ({ table: { schema: 'city.main', name } });
const lacks = pythonLacks('pyarrow');
if (lacks !== undefined) console.warn(`Delta Sharing is not tested: ${lacks}`);

interface Ready {
  port: number;
  expected: Record<string, (string | null)[]>;
}

async function startServer() {
  const server = await startPython<Ready>(fileURLToPath(new URL('./server.py', import.meta.url)), TOKEN);
  const origin = `http://127.0.0.1:${server.ready.port}`;
  const profile = (token: string, more: object = {}) =>
    JSON.stringify({ shareCredentialsVersion: 1, endpoint: `${origin}/ds`, bearerToken: token, ...more });
  const control = (state: object) => fetch(`${origin}/control/state`, { method: 'POST', body: JSON.stringify(state) });
  return { ...server, origin, profile, control, config: { profile: profile(TOKEN) } satisfies DeltaSharingConfig };
}

testConnector(deltaSharing, async () => {
  if (lacks !== undefined) return { lacks };
  const { ready, close, origin, profile, config } = await startServer();
  const at = (endpoint: string): DeltaSharingConfig => ({ endpoint, bearerToken: TOKEN });
  const failures: Fixture<DeltaSharingConfig>['failures'] = [
    { name: 'token', config: { profile: profile(`${TOKEN}x`) }, step: 'authenticate', code: 'SOURCE_AUTH' },
    {
      name: 'ended',
      config: { profile: profile(TOKEN, { expirationTime: '2020-01-01T00:00:00Z' }) },
      step: 'authenticate',
      code: 'SOURCE_AUTH',
    },
    {
      name: 'version 2',
      config: { profile: profile(TOKEN, { shareCredentialsVersion: 2 }) },
      step: 'resolve',
      code: 'CONFIG_INVALID',
    },
    { name: 'not JSON', config: { profile: `{${TOKEN}` }, step: 'resolve', code: 'CONFIG_INVALID' },
    { name: 'host', config: at('http://no-such-host.invalid/ds'), step: 'connect', code: 'SOURCE_UNREACHABLE' },
    { name: 'metadata service', config: at('http://169.254.169.254/'), step: 'resolve', code: 'SSRF_BLOCKED' },
    { name: 'both', config: { ...at(origin), profile: profile(TOKEN) }, step: 'resolve', code: 'CONFIG_INVALID' },
  ];
  return {
    close,
    fixture: {
      config,
      canary: TOKEN,
      failures,
      large: { request: request('large'), rows: 3_000, idColumn: 'id', partitions: 3, bare: true },
      disturb: { lacks: 'a version never changes; what new ones do is tried below' },
      empty: { request: request('empty'), columns: ['id', 'name'] },
      names: { request: request('Names 表'), columns: NAMES },
      comments: { request: request('Names 表'), table: '名称表', column: '注释 姓名', of: '姓名' },
      wide: { request: request('wide'), columns: 1_600 },
      bigCell: { fits: request('big'), tooLarge: request('bigger'), column: 'cell' },
      torture: {
        request: request('torture'),
        expected: ready.expected,
        unrepresentable: [{ column: 'nanos', row: 2, code: 'OUT_OF_RANGE' }],
      },
      unmapped: { request: request('unmapped'), columns: ['tags', 'attributes'] },
      cursor: { lacks: 'this kind has no cursors' },
      missing: [
        { request: request('nothing'), code: 'TABLE_NOT_FOUND' },
        { request: { table: { name: 'large' } }, code: 'TABLE_NOT_FOUND' },
        { request: { ...request('large'), columns: ['id', 'no such'] }, code: 'COLUMN_NOT_FOUND' },
        { request: request('own-format'), code: 'TYPE_UNMAPPED' },
        { request: request('vectors'), code: 'TYPE_UNMAPPED' },
      ],
      revoked: { lacks: 'what is no longer shared is missing' },
      slow: request('slow'),
      busyStatements: async () => ((await (await fetch(`${origin}/control/busy`)).json()) as { busy: number }).busy,
    },
  };
});

describe.skipIf(lacks !== undefined)('the protocol', () => {
  async function rowsOf(config: DeltaSharingConfig, plan: Awaited<ReturnType<typeof deltaSharing.plan>>) {
    const rows: unknown[][] = [];
    const reported: unknown[] = [];
    const { batchRowsMax, batchBytesMax } = limits;
    for (const partition of plan.partitions) {
      const reading = deltaSharing.read(config, { plan, partition, batchRowsMax, batchBytesMax }, context);
      for await (const { batch, unrepresentable } of reading) {
        reported.push(...unrepresentable.map((cell) => ({ ...cell, row: cell.row + rows.length })));
        for (const row of batch)
          rows.push([...row].map(([, value]) => (value instanceof Uint32Array ? Number(value[0]) : value)));
      }
    }
    return { rows, reported };
  }

  test('partition columns, columns that older files lack, and partition values that do not fit', async () => {
    const { close, config } = await startServer();
    const snapshot = await deltaSharing.openSnapshot(config, context);
    try {
      const plan = structuredClone(await deltaSharing.plan(snapshot, request('parted'), { partitions: 1 }));
      const { rows, reported } = await rowsOf(config, plan);
      const day = Date.UTC(2026, 2, 1);
      expect(
        rows.map(([id, added, city, date, n]) => [id, added, city, date === null ? null : Number(date), n]),
      ).toEqual([
        [1n, null, '昆山', day, 150],
        [2n, null, '昆山', day, 150],
        [3n, 'yes', null, null, null],
      ]);
      expect(reported).toEqual([{ row: 2, column: 4, code: 'OUT_OF_RANGE' }]);
      expect(await snapshot.controlTotals(request('parted'))).toEqual({ rows: 3, sums: {} });
      const narrow = await deltaSharing.plan(
        snapshot,
        { ...request('parted'), columns: ['city', 'added'] },
        { partitions: 1 },
      );
      expect((await rowsOf(config, narrow)).rows).toEqual([
        ['昆山', null],
        ['昆山', null],
        [null, 'yes'],
      ]);
    } finally {
      await snapshot.close();
      await close();
    }
  });

  test('a file whose URL ended while others were read is asked for again', async () => {
    const { close, config, control } = await startServer();
    const snapshot = await deltaSharing.openSnapshot(config, context);
    try {
      const plan = await deltaSharing.plan(snapshot, request('large'), { partitions: 1 });
      const { batchRowsMax, batchBytesMax } = limits;
      const partition = plan.partitions[0]!;
      let rows = 0;
      for await (const { batch } of deltaSharing.read(
        config,
        { plan, partition, batchRowsMax, batchBytesMax },
        context,
      )) {
        if (rows === 0) await control({ signature: 'n3w' });
        rows += batch.numRows;
      }
      expect(rows).toBe(3_000);
    } finally {
      await snapshot.close();
      await close();
    }
  });

  test('a plan reads its version, from the history where that is shared, or SNAPSHOT_LOST', async () => {
    const { close, config, control } = await startServer();
    const snapshot = await deltaSharing.openSnapshot(config, context);
    try {
      const plan = await deltaSharing.plan(snapshot, request('large'), { partitions: 2 });
      expect(plan).toMatchObject({ snapshotToken: '1', description: { version: 1, files: 3 } });
      // No URL of a file is in the plan: it would open the file to whoever reads the run's record.
      expect(JSON.stringify(plan)).not.toContain('Signature');
      await control({ version: 2 });
      expect((await rowsOf(config, plan)).rows).toHaveLength(3_000);
      const next = await deltaSharing.openSnapshot(config, context);
      expect(
        (await rowsOf(config, await deltaSharing.plan(next, request('large'), { partitions: 2 }))).rows,
      ).toHaveLength(2_000);
      await next.close();
      await control({ history: false });
      await expect(rowsOf(config, plan)).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
    } finally {
      await snapshot.close();
      await close();
    }
  });
});
