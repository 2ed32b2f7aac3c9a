/** The test run's Temporal. Every test uses task queues and workflow ids of its own, so that files run side by side. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { inject } from 'vitest';

// Once a process: the SDK's default logs every state of every worker.
Runtime.install({ logger: new DefaultLogger('WARN') });

export interface TestTemporal {
  address: string;
  namespace: string;
  client: Client;
  /** For `Worker.create({ connection })`. */
  nativeConnection: NativeConnection;
  /** A name that no other test uses: for a task queue, or as a part of a workflow id. */
  unique(prefix: string): string;
}

/** Runs `body` with connections to the test run's Temporal, and closes them afterwards. */
export async function withTemporal<T>(body: (temporal: TestTemporal) => Promise<T>): Promise<T> {
  const temporal = await connectTemporal();
  try {
    return await body(temporal);
  } finally {
    await temporal.close();
  }
}

/** For `beforeAll`/`afterAll`, where a callback does not fit. Workers on the connection must have ended before `close`. */
export async function connectTemporal(): Promise<TestTemporal & { close(): Promise<void> }> {
  const address = inject('temporalAddress');
  const namespace = 'default';
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    namespace,
    client: new Client({ connection, namespace }),
    nativeConnection,
    unique: (prefix) => `${prefix}-${randomUUID()}`,
    async close() {
      await connection.close();
      await nativeConnection.close();
    },
  };
}
