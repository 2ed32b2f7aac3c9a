/** What a crash must not leave behind: processes, sessions in the source, workflows that nobody waits for. */
import { readdir, readFile } from 'node:fs/promises';
import { limits } from '../../lib/limits.ts';
import { until } from './clients.ts';
import { MARK, type World } from './world.ts';

/**
 * What is on its way out gets this long to be gone: a workflow whose activity died after its work was done ends when the
 * activity's missing heartbeat is noticed and its repetition has found the work done.
 */
const GRACE_MS = limits.heartbeatTimeoutMs + 10_000;

/** One line each. */
export async function leftovers(world: World): Promise<string[]> {
  const checks: [what: string, count: () => Promise<number>][] = [
    ['connections to the source are open', () => world.source.readersConnected()],
    ['processes of ours run that nobody knows of', () => orphans(world)],
    ['workflows are still running', () => openWorkflows(world)],
  ];
  const found = await Promise.all(
    checks.map(async ([what, count]) => {
      let last = 0;
      const gone = async () => {
        last = await count();
        return last === 0;
      };
      return until(what, GRACE_MS, gone, 100).then(
        () => [],
        () => [`${last} ${what}`],
      );
    }),
  );
  return found.flat();
}

/** Processes with our mark in their environment, other than the three that are meant to run. Only where /proc is. */
async function orphans(world: World): Promise<number> {
  const known = new Set([world.server.pid, world.exchange.pid, world.worker.pid].map(String));
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const marked = await Promise.all(
    processes.map(async (pid) => {
      // It may have ended since, or be another user's.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (!environment.split('\0').includes(`${MARK}=${world.mark}`)) return undefined;
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      const parent = /^PPid:\s*(\d+)/m.exec(status)?.[1] ?? '';
      return { pid, parent };
    }),
  );
  return marked.filter((found) => found && !known.has(found.pid) && !known.has(found.parent)).length;
}

async function openWorkflows({ temporal }: World): Promise<number> {
  let open = 0;
  for await (const _ of temporal.workflow.list({ query: `ExecutionStatus = 'Running'` })) open += 1;
  return open;
}
