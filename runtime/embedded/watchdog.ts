/**
 * Ends an embedded service when we are gone, however we ended: a shell waits on a pipe that only we hold open, and sends
 * the signal when the pipe closes. It costs one sleeping shell a service, and needs no clean-up at the next start.
 */
import { spawn } from 'node:child_process';

/**
 * Watches over a process that we started. Call `release` once it has ended by itself: its id may be used again.
 * Where there is no POSIX shell (Windows) the notes of `runtime/state.ts` are all there is.
 */
export function endWithUs(pid: number, signal: 'INT' | 'TERM'): { release(): void } {
  if (process.platform === 'win32') return { release: () => {} };
  // `read` succeeds only when we write a line, that is on release; the end of the pipe makes it fail.
  const script = 'read -r line || kill -s "$1" "$2"';
  const shell = spawn('sh', ['-c', script, 'huitong-watchdog', signal, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of our process group: Ctrl-C must not end the watchdog before it has done its work.
    detached: true,
  });
  shell.unref();
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  // An open pipe would keep our event loop alive although nothing is left to do.
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return { release: () => shell.stdin.end('released\n') };
}
