import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identify } from '../../lib/process-identity.ts';
import { type NodeProcess, startNodeProcess } from '../../runtime/node-process.ts';
import { type Running, Supervisor } from '../../runtime/supervisor.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const noNotes = { note: async () => {}, forget: async () => {} };

/** Something that runs only in our memory; `end` is its crash. */
function inMemory(name: string, journal: string[]) {
  let crash = () => {};
  const start = async (): Promise<Running> => {
    journal.push(`start ${name}`);
    const ended = new Promise<void>((resolve) => {
      crash = resolve;
    });
    return { pid: 1, ended, stop: async () => void journal.push(`stop ${name}`) };
  };
  return { start, end: () => crash() };
}

async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-supervisor-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function startFixture(folder: string, environment: Record<string, string> = {}): Promise<NodeProcess> {
  return startNodeProcess({
    entry: join(fixtures, 'process.ts'),
    environment: { PATH: process.env.PATH, ...environment },
    logFile: join(folder, 'log'),
  });
}

it('stops in reverse order', async () => {
  const journal: string[] = [];
  const supervisor = new Supervisor({ state: noNotes, onLog: () => {} });
  for (const name of ['a', 'b', 'c']) await supervisor.start(name, inMemory(name, journal).start);
  await supervisor.stop();
  expect(journal).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
});

it('what ends by itself is started again; what was stopped is not', async () => {
  const journal: string[] = [];
  const service = inMemory('a', journal);
  const supervisor = new Supervisor({ state: noNotes, onLog: () => {}, restartPauseMs: 1 });
  await supervisor.start('a', service.start);
  service.end();
  await expect.poll(() => journal).toEqual(['start a', 'start a']);
  await supervisor.stop();
  service.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(journal).toEqual(['start a', 'start a', 'stop a']);
});

it('pauses grow from failure to failure, up to the maximum', async () => {
  let attempts = 0;
  const times: number[] = [];
  const first = inMemory('a', []);
  const start = async () => {
    times.push(performance.now());
    attempts += 1;
    if (attempts > 1 && attempts < 5) throw new Error('not yet');
    return first.start();
  };
  const supervisor = new Supervisor({ state: noNotes, onLog: () => {}, restartPauseMs: 20, restartPauseMaxMs: 60 });
  await supervisor.start('a', start);
  const crashedAt = performance.now();
  first.end();
  await expect.poll(() => times).toHaveLength(5);
  const pauses = times.slice(1).map((time, i) => time - (i === 0 ? crashedAt : times[i]));
  for (const [i, least] of [20, 40, 60, 60].entries()) expect(pauses[i]).toBeGreaterThanOrEqual(least - 2);
  await supervisor.stop();
});

it('a failed first start is the caller’s, and what started before it can still be stopped', async () => {
  const journal: string[] = [];
  const supervisor = new Supervisor({ state: noNotes, onLog: () => {} });
  await supervisor.start('a', inMemory('a', journal).start);
  await expect(supervisor.start('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await supervisor.stop();
  expect(journal).toEqual(['start a', 'stop a']);
});

it('a process of ours tells its readiness, hides secrets in its log, and stops on SIGTERM with code 0', async () => {
  await withFolder(async (folder) => {
    const running = await startFixture(folder);
    expect(running.details).toEqual({ pid: String(running.pid) });
    await running.stop();
    expect(await identify(running.pid)).toBeUndefined();
    const log = await readFile(join(folder, 'log'), 'utf8');
    expect(log).toContain('[secret]');
    expect(log).toContain('"msg":"stopped"');
    expect(log).not.toContain('canary-7f3a');
  });
});

it('a process that cannot start says why, and its supervisor repeats it', async () => {
  await withFolder(async (folder) => {
    await Promise.all([
      expect(startFixture(folder, { FAIL: 'yes' })).rejects.toMatchObject({
        code: 'CATALOG_UNREACHABLE',
        message: 'no catalog here',
        at: 'host/db',
      }),
      expect(startFixture(folder, { HUITONG_NO_SUCH: '1' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' }),
    ]);
  });
});

it('a supervisor that is killed leaves no process behind', async () => {
  await withFolder(async (folder) => {
    const supervisor = spawn(process.execPath, ['--import', 'tsx', join(fixtures, 'supervise.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    for (const pid of pids) expect(await identify(pid)).toBeDefined();
    supervisor.kill('SIGKILL');
    for (const pid of pids) await expect.poll(() => identify(pid), { message: String(pid) }).toBeUndefined();
  });
});
