/**
 * One of our own processes, seen from the supervisor: the same entry points as on a cluster, with a channel (Node's IPC)
 * over which it says that it is ready, or why it cannot be.
 */
import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { HuitongError } from '../lib/errors.ts';
import type { ProcessMessage } from './process.ts';
import type { Running } from './supervisor.ts';

export interface NodeProcessOptions {
  /** The TypeScript file to run. */
  entry: string;
  /** The whole environment; ours is not handed on, so that a process gets no secret that is not its own. */
  environment: Record<string, string | undefined>;
  /** Its standard output and error are appended here. */
  logFile: string;
  /** Default 60,000. */
  readyTimeoutMs?: number;
  /** After this it is killed. Default 30,000. */
  stopTimeoutMs?: number;
}

export interface NodeProcess extends Running {
  /** What it said with its readiness: for the server, `{ url }`. */
  readonly details: Record<string, string>;
}

/** Starts it and waits until it is ready. Throws what it reported, or CONFIG_INVALID with the end of its log. */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const log = await open(options.logFile, 'a', 0o600);
  const child = spawn(process.execPath, ['--import', 'tsx', options.entry], {
    env: options.environment,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    // Out of our process group: on Ctrl-C we stop it in order.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await log.close();
  const stop = async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), options.stopTimeoutMs ?? 30_000);
    await ended;
    clearTimeout(timer);
  };
  const answer = await Promise.race([
    new Promise<ProcessMessage>((resolve) => child.once('message', (message) => resolve(message as ProcessMessage))),
    ended.then(() => undefined),
    timeout(options.readyTimeoutMs ?? 60_000),
  ]);
  if (answer?.type === 'ready') return { pid: child.pid as number, ended, details: answer.details, stop };
  await stop();
  if (answer?.type === 'failed') {
    // What is unexpected has no message that could be shown; its cause is in the log.
    const hint = answer.code === 'INTERNAL' ? `Read ${options.logFile}.` : answer.hint;
    throw new HuitongError(answer.code, answer.message, { at: answer.at, hint });
  }
  throw new HuitongError('CONFIG_INVALID', `${options.entry} was not ready\n${await lastLines(options.logFile)}`, {
    hint: `Read ${options.logFile}.`,
  });
}

function timeout(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.slice(-2_000);
}
