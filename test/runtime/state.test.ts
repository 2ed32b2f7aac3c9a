import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identify, isRunning } from '../../lib/process-identity.ts';
import { StateFolder } from '../../runtime/state.ts';

async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-state-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function withSleeper<T>(body: (pid: number) => Promise<T>): Promise<T> {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  const gone = once(sleeper, 'exit');
  try {
    return await body(sleeper.pid as number);
  } finally {
    sleeper.kill('SIGKILL');
    await gone;
  }
}

it('keys and secrets are made once and are for their owner only', async () => {
  await withFolder(async (folder) => {
    const first = await StateFolder.open(folder);
    const keys = await first.keys();
    const text = await readFile(keys.signing, 'utf8');
    const secret = await first.secret('postgres');
    expect(secret).toMatch(/^[\w-]{32}$/);
    await first.writeConnection({ url: 'http://127.0.0.1:1', tokens: { administrator: 't' } });
    const again = await StateFolder.open(folder);
    expect(await readFile((await again.keys()).signing, 'utf8')).toBe(text);
    expect(await again.secret('postgres')).toBe(secret);
    expect(await again.readConnection()).toEqual({ url: 'http://127.0.0.1:1', tokens: { administrator: 't' } });
    for (const file of [keys.signing, keys.quarantine, join(folder, 'secrets', 'postgres'), join(folder, 'cli.json')]) {
      expect((await stat(file)).mode & 0o777, file).toBe(0o600);
    }
  });
});

it('a port is kept from start to start, and moved where something else listens there', async () => {
  await withFolder(async (folder) => {
    const state = await StateFolder.open(folder);
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const taken = (blocker.address() as { port: number }).port;
    const moved: unknown[] = [];
    const onMoved = (...what: unknown[]) => moved.push(what);
    const first = await state.ports({ http: taken }, onMoved);
    expect(first.http).not.toBe(taken);
    expect(moved).toEqual([['http', taken, first.http]]);
    await new Promise((resolve) => blocker.close(resolve));
    expect(await state.ports({ http: taken }, onMoved)).toEqual(first);
    expect(moved).toHaveLength(1);
  });
});

it('a folder that a living process holds is refused; one that a killed process left is cleaned', async () => {
  await withFolder(async (folder) => {
    const state = await StateFolder.open(folder);
    await withSleeper(async (holder) => {
      await writeFile(join(folder, 'run', 'supervisor.json'), JSON.stringify(await identify(holder)));
      await expect(state.claim()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `process ${holder} is already running on this state folder`,
      });
    });
    await withSleeper(async (leftOver) => {
      await state.note('postgres', leftOver);
      const noted = await identify(leftOver);
      expect(await state.claim()).toEqual(['postgres']);
      expect(noted && (await isRunning(noted))).toBe(false);
    });
    await state.release();
    expect(await state.claim()).toEqual([]);
  });
});

it('a process that only has the id of a noted one is not touched', async () => {
  await withFolder(async (folder) => {
    const state = await StateFolder.open(folder);
    await withSleeper(async (innocent) => {
      await writeFile(join(folder, 'run', 'temporal.json'), JSON.stringify({ pid: innocent, startedAt: '1' }));
      expect(await state.claim()).toEqual([]);
      expect(await identify(innocent)).toBeDefined();
    });
  });
});
