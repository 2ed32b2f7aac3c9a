/**
 * Python for the bench, where it is there: `HUITONG_PYTHON`, else the bench's own environment in the user's cache
 * folder (`--peers` fills it), else `python3`. Nothing of the product needs it.
 */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const environment = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huitong', 'bench-python');
const environmentPython = join(environment, 'bin', 'python');

/** Installs packages into the environment; false, with a line that says why, where that cannot be. */
export async function installPackages(packages: string[]): Promise<boolean> {
  try {
    await access(environmentPython).catch(() => run('python3', ['-m', 'venv', environment]));
    await run(environmentPython, ['-m', 'pip', 'install', '--quiet', ...packages], { maxBuffer: 16 << 20 });
    return true;
  } catch (e) {
    process.stderr.write(`${packages.join(', ')} cannot be installed: ${firstLine(e)}\n`);
    return false;
  }
}

/** A command of the environment, for instance `tpchgen-cli`. */
export function environmentCommand(name: string): string {
  return join(environment, 'bin', name);
}

export async function findPython(): Promise<string> {
  if (process.env.HUITONG_PYTHON) return process.env.HUITONG_PYTHON;
  return access(environmentPython).then(
    () => environmentPython,
    () => 'python3',
  );
}

/** Whether all modules can be imported. */
export function canImport(python: string, modules: string[]): Promise<boolean> {
  return run(python, ['-c', `import ${modules.join(', ')}`]).then(
    () => true,
    () => false,
  );
}

export function firstLine(e: unknown): string {
  const { message, stderr } = e as { message?: string; stderr?: string };
  return (
    (stderr?.trim() || message || String(e))
      .split('\n')
      .findLast((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}
