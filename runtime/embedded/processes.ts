/** Ending processes, and only those that we started (lib/process-identity.ts). */
import { isRunning, type ProcessIdentity } from '../../lib/process-identity.ts';

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
