/** The entry points themselves, as a cluster starts them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, inject, it } from 'vitest';
import { identify } from '../../lib/process-identity.ts';
import { startNodeProcess } from '../../runtime/node-process.ts';
import { StateFolder } from '../../runtime/state.ts';
import { withDatabase } from '../support/postgres.ts';

const runtime = join(import.meta.dirname, '..', '..', 'runtime');
const canary = 'canary-7f3a';

interface Installation {
  folder: string;
  environment: Record<string, string | undefined>;
}

/** An empty catalog and store, the test run's Temporal, and keys. */
async function withInstallation<T>(body: (installation: Installation) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-entry-'));
  try {
    const state = await StateFolder.open(folder);
    const keys = await state.keys();
    await state.secret('audit-subject');
    return await withDatabase((catalogUrl) =>
      body({
        folder,
        environment: {
          PATH: process.env.PATH,
          HUITONG_CATALOG_URL: catalogUrl,
          HUITONG_STORE_URL: pathToFileURL(state.path('store')).href,
          HUITONG_TEMPORAL_ADDRESS: inject('temporalAddress'),
          HUITONG_SIGNING_KEY: `file:${keys.signing}`,
          HUITONG_AUDIT_SUBJECT_KEY: `file:${state.path('secrets', 'audit-subject')}`,
          HUITONG_QUARANTINE_PRIVATE_KEY: `file:${keys.quarantine}`,
          HUITONG_HTTP_PORT: '0',
        },
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

it('the server answers when it says that it is ready, and stops in order', async () => {
  await withInstallation(async ({ folder, environment }) => {
    const logFile = join(folder, 'server.log');
    const server = await startNodeProcess({ entry: join(runtime, 'server.ts'), environment, logFile });
    try {
      const health = await fetch(`${server.details.url}/v1/health`);
      expect(await health.json()).toEqual({ ok: true, checks: { catalog: 'ok', temporal: 'ok', audit: 'ok' } });
      const refused = await fetch(`${server.details.url}/v1/departments`, {
        headers: { authorization: `Bearer ${canary}` },
      });
      expect(refused.status).toBe(401);
    } finally {
      await server.stop();
    }
    expect(await identify(server.pid)).toBeUndefined();
    const log = await readFile(logFile, 'utf8');
    expect(log).toContain('"msg":"stopped"');
    expect(log).not.toContain(canary);
    expect(log).not.toContain('PRIVATE KEY');
    expect(log).not.toContain(environment.HUITONG_CATALOG_URL);
  });
});

it('two servers of one exchange are both ready; when the one that holds the log is killed, the other goes on', async () => {
  await withInstallation(async ({ folder, environment }) => {
    const start = (name: string) =>
      startNodeProcess({ entry: join(runtime, 'server.ts'), environment, logFile: join(folder, `${name}.log`) });
    const holds = async (name: string) =>
      (await readFile(join(folder, `${name}.log`), 'utf8')).includes('this process writes the audit log');
    const first = await start('first');
    const second = await start('second');
    try {
      const healthy = async (url?: string) => (await fetch(`${url}/v1/health`)).ok;
      expect(await Promise.all([healthy(first.details.url), healthy(second.details.url)])).toEqual([true, true]);
      expect(await Promise.all([holds('first'), holds('second')])).toEqual([true, false]);
      process.kill(first.pid, 'SIGKILL');
      await expect.poll(() => holds('second')).toBe(true);
      await expect.poll(() => healthy(second.details.url)).toBe(true);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});

it('a server whose port is taken says which', async () => {
  await withInstallation(async ({ folder, environment }) => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    try {
      const taken = { ...environment, HUITONG_HTTP_PORT: String(port) };
      await expect(
        startNodeProcess({ entry: join(runtime, 'server.ts'), environment: taken, logFile: join(folder, 'log') }),
      ).rejects.toMatchObject({ code: 'CONFIG_INVALID', at: `HUITONG_HTTP_PORT=${port} on 127.0.0.1` });
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });
});

it('a worker of both roles polls and stops in order; one without what its role needs says what', async () => {
  await withInstallation(async ({ folder, environment }) => {
    const entry = join(runtime, 'worker.ts');
    const roles = { HUITONG_WORKER_ROLES: 'exchange,source:health' };
    await expect(
      startNodeProcess({ entry, environment: { ...environment, ...roles }, logFile: join(folder, 'refused.log') }),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'a worker of roles exchange, source:health needs HUITONG_STAGING_URL, HUITONG_WORKER_TOKEN',
    });
    const logFile = join(folder, 'worker.log');
    const source = { HUITONG_STAGING_URL: 'http://127.0.0.1:1', HUITONG_WORKER_TOKEN: 'env:TOKEN', TOKEN: canary };
    const worker = await startNodeProcess({ entry, environment: { ...environment, ...roles, ...source }, logFile });
    expect(worker.details).toEqual({ roles: 'exchange,source:health' });
    await worker.stop();
    const log = await readFile(logFile, 'utf8');
    expect(log).toContain('"msg":"stopped"');
    expect(log).not.toContain(canary);
  });
});
