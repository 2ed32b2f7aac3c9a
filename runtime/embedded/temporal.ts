/**
 * Temporal's development server, for the embedded default and for tests. It is the real server with SQLite; at scale
 * the same code is given the address of a cluster.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { HuitongError } from '../../lib/errors.ts';
import { freePort } from './ports.ts';
import { findTemporal } from './temporal-binary.ts';
import { endWithUs } from './watchdog.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface RunningTemporal {
  /** `host:port` of its gRPC front end. */
  readonly address: string;
  readonly namespace: string;
  readonly pid: number;
  /** Settles when the server ends, whoever ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface TemporalOptions {
  /** Where its SQLite file lives; made if absent, used again if there. Absent: histories are lost at the end. */
  directory?: string;
  /** Absent: any free port. */
  port?: number;
  /** Default `default`. */
  namespace?: string;
  onLog?: (line: string) => void;
}

/** Starts the server; about 1.2 s to ready once the command is there. Throws CONFIG_INVALID with its last log lines. */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  const onLog = options.onLog ?? (() => {});
  const command = await findTemporal(onLog);
  const port = options.port ?? (await freePort());
  const namespace = options.namespace ?? 'default';
  const child = spawn(command, await serverArguments(options.directory, port, namespace), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C reaches us, and we stop the server in order.
    detached: true,
  });
  const tail = keepTail(child, onLog);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const watchdog = child.pid === undefined ? undefined : endWithUs(child.pid, 'INT');
  void ended.then(() => watchdog?.release());
  const address = `127.0.0.1:${port}`;
  const stop = () => stopInOrder(child, ended);
  try {
    await waitUntilReady(child, address, namespace);
  } catch (cause) {
    await stop();
    throw new HuitongError('CONFIG_INVALID', `the embedded Temporal did not start on ${address}\n${tail()}`, {
      cause,
      hint: 'Read its log lines above; or set HUITONG_TEMPORAL_ADDRESS to a Temporal of your own.',
    });
  }
  return { address, namespace, pid: child.pid as number, ended, stop };
}

async function serverArguments(directory: string | undefined, port: number, namespace: string): Promise<string[]> {
  const common = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)];
  const logging = ['--log-level', 'warn', '--namespace', namespace];
  if (directory === undefined) return [...common, ...logging];
  await mkdir(directory, { recursive: true });
  return [...common, ...logging, '--db-filename', join(directory, 'temporal.db')];
}

/** Ready when the front end answers and knows our namespace. */
async function waitUntilReady(child: ChildProcess, address: string, namespace: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (hasEnded(child)) throw new Error('the server ended');
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        return;
      } finally {
        await connection.close();
      }
    } catch (cause) {
      if (Date.now() > deadline) throw new Error('the server was not ready in time', { cause });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function stopInOrder(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function keepTail(child: ChildProcess, onLog: (line: string) => void): () => string {
  let text = '';
  const take = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-2_000);
    for (const line of chunk.toString().trimEnd().split('\n')) onLog(line);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => text;
}
