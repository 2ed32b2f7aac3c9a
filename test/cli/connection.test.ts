/** Which exchange is meant, and as whom. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { findConnection } from '../../cli/client.ts';
import { keepSession } from '../../cli/sessions.ts';

const demo = 'http://127.0.0.1:8480';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'huitong-connection-'));
  const tokens = { administrator: 'token of the administrator', health: 'token of health' };
  await writeFile(join(folder, 'cli.json'), JSON.stringify({ url: `${demo}/`, tokens }));
  vi.stubEnv('XDG_CONFIG_HOME', folder);
  vi.stubEnv('HUITONG_STATE', folder);
});
afterEach(() => keepSession(demo, undefined));
afterAll(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true });
});

async function signIn(expiresAt: string): Promise<void> {
  await keepSession(demo, { secret: 'session', expiresAt, login: 'chen.jing' });
}

test('what is said comes before the session, the session before the demo’s tokens; no other exchange gets those', async () => {
  expect(await findConnection({}, 'en')).toEqual({ url: demo, token: 'token of the administrator', language: 'en' });
  expect((await findConnection({ as: 'health' }, 'en')).token).toBe('token of health');
  await signIn('2999-01-01T00:00:00Z');
  expect((await findConnection({}, 'en')).token).toBe('session');
  expect((await findConnection({ as: 'health' }, 'en')).token).toBe('token of health');
  expect((await findConnection({ token: 'this' }, 'en')).token).toBe('this');
  expect(await findConnection({ url: 'https://other.example' }, 'zh')).toEqual({
    url: 'https://other.example',
    token: undefined,
    language: 'zh',
  });
});

test('whose session has run out is nobody, and not the demo’s administrator', async () => {
  await signIn('2026-01-01T00:00:00Z');
  expect((await findConnection({}, 'en')).token).toBeUndefined();
  expect((await findConnection({ as: 'health' }, 'en')).token).toBe('token of health');
});
