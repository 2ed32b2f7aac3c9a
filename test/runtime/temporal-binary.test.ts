import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { HuitongError } from '../../lib/errors.ts';
import { identify } from '../../lib/process-identity.ts';
import { withLock } from '../../runtime/embedded/lock.ts';
import { findTemporal } from '../../runtime/embedded/temporal-binary.ts';

afterEach(() => vi.unstubAllEnvs());

async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-tools-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function writeCommand(folder: string, exitCode: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'temporal');
  await writeFile(file, `#!/bin/sh\nexit ${exitCode}\n`);
  await chmod(file, 0o755);
  return file;
}

it('a command on PATH comes first, then the one in the cache folder; one that does not run is passed over', async () => {
  await withFolder(async (folder) => {
    const cached = await writeCommand(join(folder, 'huitong', 'bin'), 0);
    vi.stubEnv('XDG_CACHE_HOME', folder);
    vi.stubEnv('PATH', join(folder, 'path'));
    await writeCommand(join(folder, 'path'), 1);
    expect(await findTemporal(() => {})).toBe(cached);
    const onPath = await writeCommand(join(folder, 'path'), 0);
    expect(await findTemporal(() => {})).toBe(onPath);
  });
});

it('where no way works, the error names them all, and nothing half-made stays in the cache', async () => {
  await withFolder(async (folder) => {
    vi.stubEnv('XDG_CACHE_HOME', folder);
    // No Go there, and a proxy that nobody listens on: the download fails with and without a network.
    vi.stubEnv('PATH', folder);
    for (const name of ['HTTPS_PROXY', 'https_proxy']) vi.stubEnv(name, 'http://127.0.0.1:1');
    const lines: string[] = [];
    const failed = await findTemporal((line) => lines.push(line)).catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(HuitongError);
    const { code, message, hint } = failed as HuitongError;
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain('download by @temporalio/testing failed: ');
    expect(message).toContain('go install github.com/temporalio/cli/cmd/temporal@v1.5.1 failed: ');
    for (const way of ['HUITONG_TEMPORAL_ADDRESS', 'PATH', join(folder, 'huitong', 'bin'), 'temporal.download', 'Go']) {
      expect(hint).toContain(way);
    }
    expect(lines.filter((line) => line.includes(' failed: '))).toHaveLength(2);
    expect(await readdir(join(folder, 'huitong', 'bin'))).toEqual([]);
  });
});

it('a lock is held by one at a time, and taken from a holder that is gone', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'lock');
    const gone = spawn('sleep', ['60'], { stdio: 'ignore' });
    await writeFile(file, JSON.stringify(await identify(gone.pid as number)));
    gone.kill('SIGKILL');
    await once(gone, 'exit');
    let inside = 0;
    let most = 0;
    const waited: number[] = [];
    const enter = () =>
      withLock(
        file,
        async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 50));
          inside -= 1;
        },
        (pid) => waited.push(pid),
      );
    await Promise.all([enter(), enter(), enter()]);
    expect(most).toBe(1);
    expect(waited.every((pid) => pid === process.pid)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });
});
