import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { vi } from 'vitest';
import { main } from '../../cli/main.ts';

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

// Messages are those of the tests, whatever the locale of who runs them.
process.env.LC_ALL = 'C';

const program = join(import.meta.dirname, '../../cli/huitong.mjs');

/** One command line in this process, with what it prints. */
export async function run(...args: string[]): Promise<Outcome> {
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk, encoding?: unknown, done?: unknown) => {
      written[name].push(Buffer.from(chunk as Uint8Array));
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') callback();
      return true;
    }),
  );
  try {
    const code = await main(['node', 'huitong', ...args]);
    return { code, stdout: Buffer.concat(written.stdout).toString(), stderr: Buffer.concat(written.stderr).toString() };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The command as a shell starts it. `script`: for `sh -c`, with the command as `"$@"`. */
export function spawnCommand(
  args: string[],
  options: { script?: string; input?: string; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const command = [process.execPath, program, ...args];
  const [file = '', ...rest] =
    options.script === undefined ? command : ['bash', '--norc', '-c', options.script, 'bash', ...command];
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, { env: { PATH: process.env.PATH, ...options.env } });
    const written = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      written.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      written.stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, ...written }));
    child.stdin.end(options.input ?? '');
  });
}
