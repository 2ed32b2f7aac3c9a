/**
 * Who a process is, so that we end only what we started: a process id alone is used again by the operating system, the
 * id together with the start time is not.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ProcessIdentity {
  pid: number;
  /** When it started, in the operating system's own words; compared, never parsed. */
  startedAt: string;
}

/** `undefined` where no such process runs (a zombie no longer counts). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = process.platform === 'linux' ? await linuxStartTime(pid) : await psStartTime(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether the very process that was noted is still there. */
export async function isRunning(noted: ProcessIdentity): Promise<boolean> {
  const now = await identify(noted.pid);
  return now !== undefined && now.startedAt === noted.startedAt;
}

/** Asks with `signal`, waits up to `graceMs`, then kills. Returns once it is gone; a process of another start is left. */
export async function endProcess(
  noted: ProcessIdentity,
  options: { signal?: NodeJS.Signals; graceMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + (options.graceMs ?? 10_000);
  if (!(await isRunning(noted))) return;
  sendSignal(noted.pid, options.signal ?? 'SIGINT');
  while (await isRunning(noted)) {
    if (Date.now() > deadline) sendSignal(noted.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (e: unknown) {
    // It ended between the look and the signal.
    if ((e as NodeJS.ErrnoException).code !== 'ESRCH') throw e;
  }
}

/** proc(5): field 22 of /proc/<pid>/stat; the name in field 2 is in parentheses and may hold spaces. */
async function linuxStartTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state === 'Z' ? undefined : startTicks;
}

async function psStartTime(pid: number): Promise<string | undefined> {
  const found = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
  return found?.stdout.trim() || undefined;
}
