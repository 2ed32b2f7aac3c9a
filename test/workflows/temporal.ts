/** A real Temporal with our workflows and mocked activities. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { exchangeQueue } from '../../lib/pure/task-queues.ts';
import { type RunningTemporal, startTemporal } from '../../runtime/embedded/temporal.ts';
import type { ExchangeActivities, SourceActivities } from '../../workflows/activity-types.ts';
import { bundle } from './bundle.ts';

const { History } = proto.temporal.api.history.v1;

export const historiesPath = join(import.meta.dirname, 'histories');

/** Activities are replaced one by one; one that a test did not expect fails the run. */
export type Activities = Partial<ExchangeActivities & SourceActivities>;

export interface TestTemporal {
  client: Client;
  address: string;
  /** Runs `body` while workers serve queue `exchange` and `source-health` with these activities. */
  withWorkers<T>(activities: Activities, body: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

export async function openTemporal(): Promise<TestTemporal> {
  const [server, workflowBundle]: [RunningTemporal, Awaited<ReturnType<typeof bundle>>] = await Promise.all([
    startTemporal({}),
    bundle(),
  ]);
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  return {
    client: new Client({ connection, identity: 'client' }),
    address: server.address,
    async withWorkers(activities, body) {
      // The throttle is how late a cancellation may reach an activity.
      const common = { connection: native, activities, identity: 'worker', maxHeartbeatThrottleInterval: 100 };
      const exchange = await Worker.create({ ...common, taskQueue: exchangeQueue, workflowBundle });
      return exchange.runUntil(async () => {
        const source = await Worker.create({ ...common, taskQueue: 'source-health' });
        return source.runUntil(body);
      });
    },
    async close() {
      await native.close();
      await connection.close();
      await server.stop();
    },
  };
}

/**
 * Keeps a finished workflow's history for the replay test, when HUITONG_RECORD_HISTORIES is set. Stack traces name
 * files of one machine, and replay does not need them.
 */
export async function record(name: string, handle: WorkflowHandle): Promise<void> {
  if (!process.env.HUITONG_RECORD_HISTORIES) return;
  const plain = History.toObject(History.fromObject(await handle.fetchHistory()), {
    longs: String,
    enums: String,
    bytes: String,
  });
  const text = JSON.stringify(plain, (key, value) => (key === 'stackTrace' ? '' : value), 1);
  await mkdir(historiesPath, { recursive: true });
  await writeFile(join(historiesPath, `${name}.json`), `${text}\n`);
}

export function parseHistory(text: string): proto.temporal.api.history.v1.History {
  return History.fromObject(JSON.parse(text));
}
