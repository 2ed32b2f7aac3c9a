/** Temporal's side of a worker process: its runtime, its connection, and a set of workers that run and stop together. */
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { limits } from '../lib/limits.ts';
import type { Configuration } from './configuration.ts';
import type { Resources } from './resources.ts';
import { temporalOptions } from './temporal-connection.ts';

/** Once a process, before anything else of Temporal: our log, and no signal handlers but ours. */
export function installTemporalRuntime(log: Logger): void {
  // The SDK reports each state of each worker as INFO: that is for debugging.
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  const write = (level: keyof typeof levels, message: string, meta?: object) => log[levels[level]](meta ?? {}, message);
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'WARN' } } },
  });
}

export async function connectNative(configuration: Configuration, resources: Resources): Promise<NativeConnection> {
  const connection = await NativeConnection.connect(await temporalOptions(configuration));
  return resources.add(connection, (opened) => opened.close());
}

/** Workers of one process. One that fails ends the process, and its supervisor starts another. */
export class WorkerGroup {
  readonly #configuration: Configuration;
  readonly #connection: NativeConnection;
  readonly #running = new Map<string, { worker: Worker; ended: Promise<void> }>();
  #fail: (e: unknown) => void = () => {};
  #stopping = false;
  /** Rejects with the first failure of a worker; never resolves. */
  readonly failed: Promise<never>;

  constructor(configuration: Configuration, connection: NativeConnection) {
    this.#configuration = configuration;
    this.#connection = connection;
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Whoever waits for it gets the failure; that nobody waits yet is no failure of its own.
    this.failed.catch(() => {});
  }

  has(taskQueue: string): boolean {
    return this.#running.has(taskQueue);
  }

  /** Starts one worker; it polls when this resolves. Nothing happens where the group is stopping. */
  async start(
    taskQueue: string,
    options: Omit<WorkerOptions, 'taskQueue' | 'connection' | 'namespace'>,
  ): Promise<void> {
    if (this.#stopping) return;
    const worker = await Worker.create({
      shutdownGraceTime: this.#configuration.shutdownGraceSeconds * 1_000,
      shutdownForceTime: this.#configuration.shutdownGraceSeconds * 1_000 + 3_000,
      // Cancellation reaches an activity with the answer to a heartbeat: none is held back longer than this.
      maxHeartbeatThrottleInterval: limits.heartbeatThrottleMaxMs,
      ...options,
      connection: this.#connection,
      namespace: this.#configuration.temporalNamespace,
      taskQueue,
    });
    const ended = worker.run();
    ended.catch((e: unknown) => this.#fail(e));
    this.#running.set(taskQueue, { worker, ended });
  }

  /** Takes no more work, gives running activities their grace time, and returns when all have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const all = [...this.#running.values()];
    for (const { worker } of all) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.allSettled(all.map(({ ended }) => ended));
  }
}
