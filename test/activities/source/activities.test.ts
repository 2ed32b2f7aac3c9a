import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import {
  createSourceActivities,
  type ExtractResult,
  type SourceActivityDeps,
} from '../../../activities/source/index.ts';
import type { Connector } from '../../../connectors/connector.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { generateBoxKeys } from '../../../lib/sealed-box.ts';
import { httpStagingClient } from '../../../pipeline/http-staging.ts';
import { type NumbersConfig, numbers } from '../../pipeline/numbers-connector.ts';
import { type TestStaging, withStaging } from '../../pipeline/staging-server.ts';

const staging = httpStagingClient({ url: 'http://127.0.0.1:9', token: 'worker-token' });

function activitiesWith(deps: Partial<SourceActivityDeps> = {}) {
  return createSourceActivities({
    staging,
    resolveSecret: async (reference, at) => {
      throw new HuitongError('SECRET_MISSING', `${reference} is not set`, { at });
    },
    threads: 1,
    loopbackAllowed: false,
    connectorOf: () => numbers as Connector,
    threadEntry: new URL('../../pipeline/thread.ts', import.meta.url),
    ...deps,
  });
}

const sourceWith = (connection: Record<string, unknown>) => ({ code: 'health.db', kind: 'numbers', connection });

async function withRun<T>(
  config: NumbersConfig,
  body: (activities: ReturnType<typeof activitiesWith>, run: TestStaging) => Promise<T>,
) {
  const assignment = {
    runId: 'run-1',
    dataset: 'health.people',
    department: 'health',
    source: sourceWith({ ...config }),
    table: { name: 'people' },
    contract: { version: '1.0.0', key: ['id'], type: 'object', properties: {} },
    plan: { partitions: 1, controlTotals: true },
    quarantineKey: generateBoxKeys().publicKey,
  };
  return withStaging(assignment, (run) =>
    body(activitiesWith({ staging: httpStagingClient({ url: run.url, token: 'worker-token' }) }), run),
  );
}

describe('source activities', () => {
  test('extract gives references only, and tells its progress as heartbeats', async () => {
    await withRun({ partitions: [500], batchRows: 100, bad: [4] }, async (activities, run) => {
      const environment = new MockActivityEnvironment();
      const beats: unknown[] = [];
      environment.on('heartbeat', (details) => beats.push(details));
      const result: ExtractResult = await environment.run(activities.extract, { runId: 'run-1' });
      expect(result).toEqual({
        generation: 1,
        reportDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
        rowsRead: 500,
        rowsPublished: 499,
        rowsQuarantined: 1,
        parts: 1,
      });
      expect(run.objects.get(result.reportDigest)!.kind).toBe('report');
      expect(beats.at(-1)).toMatchObject({ generation: 1, rows: 500, partitions: 1, partitionsDone: 1 });
    });
  });

  test('cancelling ends an extract as cancelled', async () => {
    await withRun({ partitions: [100_000], batchRows: 10, delayMs: 10 }, async (activities) => {
      const environment = new MockActivityEnvironment();
      const running = environment.run(activities.extract, { runId: 'run-1' });
      setTimeout(() => environment.cancel(), 500);
      await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
    });
  });

  test('failures carry our code, and are retried only where that can help', async () => {
    await withRun({ partitions: [100], batchRows: 100, sumError: 1 }, async (activities) => {
      const running = new MockActivityEnvironment().run(activities.extract, { runId: 'run-1' });
      await expect(running).rejects.toMatchObject({ type: 'RECONCILIATION_MISMATCH', nonRetryable: true });
    });
  });

  test('checkSource tells a missing secret and a blocked address as steps, and otherwise what the connector found', async () => {
    const check = (connection: Record<string, unknown>) =>
      new MockActivityEnvironment().run(activitiesWith().checkSource, { source: sourceWith(connection) });
    expect(await check({ password: 'env:HEALTH_PW' })).toMatchObject({
      ok: false,
      steps: [{ code: 'SECRET_MISSING' }],
    });
    expect(await check({ host: '127.0.0.1' })).toMatchObject({ ok: false, steps: [{ code: 'SSRF_BLOCKED' }] });
    expect(await check({ host: '10.0.0.1' })).toMatchObject({ ok: true });
  });

  test('discoverSource lists tables; a list too long for Temporal is refused', async () => {
    const discover = (connectorOf?: SourceActivityDeps['connectorOf']) =>
      new MockActivityEnvironment().run(activitiesWith(connectorOf && { connectorOf }).discoverSource, {
        source: sourceWith({}),
      });
    expect(await discover()).toMatchObject([{ name: 'people', primaryKey: ['id'] }]);
    const many = {
      ...numbers,
      discover: async () => Array.from({ length: 40_000 }, (_, i) => ({ name: `表${i}`.repeat(9) })),
    };
    await expect(discover(() => many as unknown as Connector)).rejects.toMatchObject({ type: 'OBJECT_TOO_LARGE' });
  });
});
