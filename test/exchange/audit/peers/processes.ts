/** Real processes that share one log, and the load on them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../../../exchange/audit/verify/receipt.ts';
import type { Ask, Settings, Told } from './server-process.ts';

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Whether it held the log when it last answered. */
  holds: boolean;
  acknowledged: Receipt[];
  refused: string[];
  /** Appends so many leaves; false where it was refused, or the process died before it answered. */
  append(leaves: number): Promise<boolean>;
  kill(): Promise<void>;
  /** In order. */
  stop(): Promise<void>;
}

/** Resolves when the process has reached the log, its own or another's. */
export async function startServer(settings: Settings): Promise<ServerProcess> {
  const child = fork(join(import.meta.dirname, 'server-process.ts'), {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, AUDIT_SERVER: JSON.stringify(settings) },
  });
  const gone = once(child, 'exit');
  const waiting = new Map<number, (done: boolean) => void>();
  const server: ServerProcess = {
    child,
    holds: false,
    acknowledged: [],
    refused: [],
    append(leaves) {
      return new Promise((resolve) => {
        const id = ++asked;
        waiting.set(id, resolve);
        const ask: Ask = { id, leaves };
        if (child.connected) child.send(ask, (error) => error && waiting.get(id)?.(false));
        else resolve(false);
      });
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await gone;
    },
  };
  void gone.then(() => {
    for (const resolve of waiting.values()) resolve(false);
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (told: Told) => {
      if (told.kind === 'ready') resolve();
      else {
        server.holds = told.holds;
        server.acknowledged.push(...told.receipts);
        if (told.code !== undefined) server.refused.push(told.code);
        waiting.get(told.id)?.(told.code === undefined);
        waiting.delete(told.id);
      }
    });
    void gone.then(() => reject(new Error('the process ended before it was ready')));
  });
  await ready;
  return server;
}

let asked = 0;

/** Appends to the server until told to stop, four callers at a time; pauses after a refusal, as a caller would. */
export function load(server: ServerProcess, next: () => number): () => Promise<void> {
  let running = true;
  const callers = Array.from({ length: 4 }, async () => {
    while (running) if (!(await server.append(1 + (next() % 3)))) await sleep(10);
  });
  return async () => {
    running = false;
    await Promise.all(callers);
  };
}
