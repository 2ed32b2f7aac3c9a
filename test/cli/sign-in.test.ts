/** Signing in from the command line, with the program as a shell starts it. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IdentityProvider } from '../../exchange/people/oidc.ts';
import { openServer, type TestServer } from '../server/support.ts';
import { openIssuer, type TestIssuer } from '../support/oidc.ts';
import { spawnCommand } from './support.ts';

let server: TestServer;
let issuer: TestIssuer;
let home: string;
let url: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'huitong-home-'));
  // Which port the command will listen on is not known yet: RFC 8252 has issuers accept any on loopback.
  issuer = await openIssuer(['http://127.0.0.1/callback'], { 'id-of-chen': { preferred_username: 'chen.jing' } });
  const { issuer: at, clientId, clientSecret } = issuer;
  const settings = {
    issuer: at,
    clientId,
    clientSecret,
    publicUrl: 'https://a.example',
    loginClaim: 'preferred_username',
  };
  server = await openServer({}, { identityProvider: new IdentityProvider(settings) });
  url = await server.listen();
});
afterAll(async () => {
  await server.close();
  await issuer.close();
  await rm(home, { recursive: true, force: true });
});

const huitong = (args: string[], input?: string) =>
  spawnCommand(['--url', url, ...args], { input, env: { XDG_CONFIG_HOME: home } });

async function asAdministrator(...args: string[]) {
  return huitong(['--token', await server.token('traffic', 'administrator'), ...args]);
}

test('a person is added, signs in with a new password, is who they are, and signs out', async () => {
  const who = ['--department', 'health', '--login', 'li.na', '--name', '李娜', '--role', 'officer', 'engineer'];
  const added = await asAdministrator('person', 'add', ...who);
  const temporary = /temporary password: (\S+)/.exec(added.stdout)?.[1];
  expect(added.stdout).toContain('huitong login li.na --new-password');

  const early = await huitong(['login', 'li.na'], `${temporary}\n`);
  expect(early.code).toBe(1);
  expect(early.stderr).toContain('PASSWORD_CHANGE_REQUIRED');
  const login = await huitong(['login', 'li.na', '--new-password'], `${temporary}\nein langes neues Kennwort\n`);
  expect(login.stdout).toContain('signed in as li.na (health: officer, engineer)');
  const file = join(home, 'huitong', 'sessions.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).not.toContain('Kennwort');

  expect((await huitong(['whoami'])).stdout).toBe('li.na · health · officer, engineer\n');
  expect((await huitong(['logout'])).code).toBe(0);
  expect((await huitong(['whoami'])).stderr).toContain('UNAUTHENTICATED');
  const disabled = await asAdministrator('person', 'disable', 'li.na');
  expect(disabled.stdout).toContain('disabled');
});

test('in the browser: the command waits for the identity provider’s answer', async () => {
  await asAdministrator(
    'person',
    'add',
    '--department',
    'health',
    '--login',
    'chen.jing',
    '--name',
    '陈静',
    '--role',
    'officer',
    '--no-password',
  );
  const program = join(import.meta.dirname, '../../cli/huitong.mjs');
  const child = spawn(process.execPath, [program, '--url', url, 'login', '--oidc'], {
    env: { PATH: process.env.PATH, XDG_CONFIG_HOME: home },
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let shown = '';
  const address = await new Promise<string>((resolve) =>
    child.stderr.on('data', (chunk) => {
      shown += chunk;
      const found = /^http:\S+$/m.exec(shown)?.[0];
      if (found) resolve(found);
    }),
  );
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const redirectUri = new URL(address).searchParams.get('redirect_uri') ?? '';
  // An answer that is to no sign-in of ours is not taken for one.
  expect((await fetch(`${redirectUri}?code=x&state=y`)).status).toBe(404);
  const callback = await issuer.signIn(address, 'id-of-chen');
  expect(await (await fetch(callback)).text()).toContain('已登录');
  expect(await ended).toBe(0);
  expect(printed).toContain('signed in as chen.jing');
  expect((await huitong(['whoami'])).stdout).toContain('chen.jing');
});
