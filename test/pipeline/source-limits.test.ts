/** What an assignment's limits make of an extraction. */
import { expect, test } from 'vitest';
import type { Connector } from '../../connectors/connector.ts';
import { generateBoxKeys } from '../../lib/sealed-box.ts';
import { extract } from '../../pipeline/extract.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import type { Assignment } from '../../schemas/generated/assignment.ts';
import { type NumbersConfig, numbers } from './numbers-connector.ts';
import { withStaging } from './staging-server.ts';

async function run(config: NumbersConfig, limits: NonNullable<Assignment['source']['limits']>) {
  const assignment = {
    runId: 'run-1',
    dataset: 'health.people',
    department: 'health',
    source: { code: 'health.db', kind: 'numbers', connection: {}, limits },
    table: { name: 'people' },
    contract: { version: '1.0.0', key: ['id'], type: 'object', properties: {} },
    plan: { partitions: 2, controlTotals: true },
    quarantineKey: generateBoxKeys().publicKey,
  };
  return withStaging(assignment, async (staging) => {
    const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
    let rows = 0;
    let since: number | undefined;
    const { report } = await extract({
      session,
      connector: numbers as Connector,
      config,
      signal: new AbortController().signal,
      onProgress: (progress) => {
        rows = progress.rows;
        if (rows > 0) since ??= performance.now();
      },
      threads: 2,
      threadEntry: new URL('./thread.ts', import.meta.url),
    });
    return { report, rows, elapsedMs: performance.now() - (since ?? performance.now()) };
  });
}

test('rowsPerSecond holds over all threads of a run', async () => {
  const config = { partitions: [600, 600], batchRows: 100 };
  const { report, elapsedMs } = await run(config, { rowsPerSecond: 1_000 });
  expect(report.rowsRead).toBe(1_200);
  expect(report.plan).toMatchObject({ batchRowsMax: 1_000 });
  // 1,200 rows; those of the first progress and one batch of each thread were read before.
  expect(elapsedMs).toBeGreaterThan(500);
  const fast = await run(config, {});
  expect(fast.report.rowsRead).toBe(1_200);
  expect(fast.elapsedMs).toBeLessThan(elapsedMs);
});

test('a snapshot that is held longer than its source allows is given up', async () => {
  const config = { partitions: [100_000, 100], batchRows: 10, delayMs: 20 };
  await expect(run(config, { snapshotAgeMaxMs: 1_500 })).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
});
