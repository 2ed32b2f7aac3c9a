/** A Python with pyarrow: HUITONG_PYTHON, `python3`, or one made in the user's cache folder. */
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Undefined where there is none and none can be made; `onStep` is told what is tried. */
export async function pythonWithArrow(onStep: (line: string) => void): Promise<string | undefined> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huitong', 'python');
  const made = join(cache, 'bin', 'python');
  for (const python of [process.env.HUITONG_PYTHON, 'python3', made]) {
    if (python !== undefined && (await hasArrow(python))) return python;
  }
  onStep(`installing pyarrow into ${cache} (once)`);
  try {
    await run('python3', ['-m', 'venv', cache]);
    await run(made, ['-m', 'pip', 'install', '--quiet', 'pyarrow', 'polars', 'duckdb']);
    return (await hasArrow(made)) ? made : undefined;
  } catch {
    return undefined;
  }
}

async function hasArrow(python: string): Promise<boolean> {
  try {
    await run(python, ['-c', 'import pyarrow']);
    return true;
  } catch {
    return false;
  }
}
