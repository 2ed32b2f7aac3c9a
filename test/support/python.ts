/** Python with some packages, where it is there: `HUITONG_PYTHON`, or else `python3`. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const python = process.env.HUITONG_PYTHON ?? 'python3';

/** Undefined where all packages can be imported; otherwise why a test is skipped. */
export function pythonLacks(...packages: string[]): string | undefined {
  try {
    execFileSync(python, ['-c', `import ${packages.join(', ')}`], { stdio: 'pipe' });
    return undefined;
  } catch {
    return `${python} with ${packages.join(', ')} is not there; set HUITONG_PYTHON`;
  }
}

/** Runs a script and parses the JSON that it prints. */
export async function runPython<T>(script: string, ...args: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(python, ['-c', script, ...args], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout) as T;
}
