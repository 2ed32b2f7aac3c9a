/** Python with some packages, where it is there: `HUITONG_PYTHON`, or else `python3`. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
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

export interface PythonServer<T> {
  /** What it printed on its first line. */
  ready: T;
  close(): Promise<void>;
}

/** Starts a script that prints one line of JSON when it is ready, and ends when its standard input does. */
export async function startPython<T>(file: string, ...args: string[]): Promise<PythonServer<T>> {
  const child = spawn(python, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const close = async () => {
      child.stdin.end();
      await ended;
    };
    return { ready: JSON.parse(line) as T, close };
  }
  throw new Error(`${file} ended before it was ready`);
}
