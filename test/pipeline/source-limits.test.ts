/** What an assignment's limits make of an extraction. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import type { Connector } from '../../connectors/connector.ts';
import { postgres } from '../../connectors/postgres/index.ts';
import { generateBoxKeys } from '../../lib/sealed-box.ts';
import { extract } from '../../pipeline/extract.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import type { Assignment } from '../../schemas/generated/assignment.ts';
import { withDatabase } from '../support/postgres.ts';
import { type NumbersConfig, numbers } from './numbers-connector.ts';
import { withStaging } from './staging-server.ts';

function assignmentOf(source: Assignment['source']) {
  return {
    runId: 'run-1',
    dataset: 'health.people',
    department: 'health',
    source,
    table: { name: 'people' },
    contract: { version: '1.0.0', key: ['id'], type: 'object', properties: {} },
    plan: { partitions: 2, controlTotals: true },
    quarantineKey: generateBoxKeys().publicKey,
  };
}

async function run(config: NumbersConfig, limits: NonNullable<Assignment['source']['limits']>) {
  const assignment = assignmentOf({ code: 'health.db', kind: 'numbers', connection: {}, limits });
  return withStaging(assignment, async (staging) => {
    const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
    const { report } = await extract({
      session,
      connector: numbers as Connector,
      config,
      signal: new AbortController().signal,
      threads: 2,
      threadEntry: new URL('./thread.ts', import.meta.url),
    });
    return report;
  });
}

test('rowsPerSecond holds over all threads of a run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-limits-'));
  try {
    const times = join(folder, 'times');
    const report = await run({ partitions: [600, 600], batchRows: 100, times }, { rowsPerSecond: 1_000 });
    expect(report.rowsRead).toBe(1_200);
    expect(report.plan).toMatchObject({ batchRowsMax: 1_000 });
    const readAt = (await readFile(times, 'utf8')).trim().split('\n').map(Number);
    expect(readAt).toHaveLength(12);
    // Before the last batch 1,100 rows were read, all of them paid for but one batch of the other thread.
    expect(Math.max(...readAt) - Math.min(...readAt)).toBeGreaterThanOrEqual(950);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a snapshot that is held longer than its source allows is given up', async () => {
  const config = { partitions: [100_000, 100], batchRows: 10, delayMs: 20 };
  await expect(run(config, { snapshotAgeMaxMs: 1_500 })).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
});

test('an extraction opens no more connections than it was granted, as PostgreSQL counts them', async () => {
  await withDatabase(async (url) => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      await client.query('create table people (id bigint primary key, pad text)');
      await client.query(
        `insert into people select n, repeat('x', 900) from generate_series(1, 6000) n; analyze people`,
      );
      const source = { code: 'health.db', kind: 'postgres', connection: { url } };
      const limits = { connections: 3, rowsPerSecond: 3_000 };
      const properties = { id: { type: 'integer' }, pad: { type: 'string' } };
      const assignment = {
        ...assignmentOf({ ...source, limits }),
        contract: { version: '1.0.0', key: ['id'], type: 'object', properties },
        plan: { partitions: 6, controlTotals: true },
      };
      const seen: number[] = [];
      await withStaging(assignment, async (staging) => {
        const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
        const { signal } = new AbortController();
        const extracting = extract({ session, connector: postgres as Connector, config: { url }, signal, threads: 6 });
        const done = extracting.then(() => true);
        do {
          const { rows } = await client.query<{ n: number }>(
            `select count(*)::int as n from pg_stat_activity
             where application_name like 'huitong/health.people/%' and datname = current_database()`,
          );
          seen.push(rows[0]!.n);
        } while (!(await Promise.race([done, wait(20, false)])));
        expect((await extracting).report.rowsRead).toBe(6_000);
      });
      // One holds the snapshot and two read, though there are six partitions and six threads are allowed; on a busy machine
      // the second reader may come when the first is done.
      expect(Math.max(...seen)).toBeGreaterThanOrEqual(2);
      expect(Math.max(...seen)).toBeLessThanOrEqual(3);
    } finally {
      await client.end();
    }
  });
});
