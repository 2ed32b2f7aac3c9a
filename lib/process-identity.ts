/**
 * Who a process is: a process id alone is used again by the operating system, the id together with the start time is
 * not.
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
