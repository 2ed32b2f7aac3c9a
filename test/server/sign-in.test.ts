/** People: registered, signed in with a password or at a real issuer, changed, and shut out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authenticate } from '../../exchange/access/tokens.ts';
import { IdentityProvider } from '../../exchange/people/oidc.ts';
import { openIssuer, type TestIssuer } from '../support/oidc.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from './support.ts';

const CALLBACK = 'http://127.0.0.1:8999/callback';
const NEW_PASSWORD = '一个全新的口令 2026-甲乙丙';

let server: TestServer;
let issuer: TestIssuer;
let administrator: Caller;
let anybody: Caller;
beforeAll(async () => {
  issuer = await openIssuer([CALLBACK], {
    'id-of-wang': { preferred_username: 'Wang.Fang', email: 'wang@example.com', email_verified: false },
    'id-of-stranger': { preferred_username: 'stranger' },
    'id-of-impostor': { preferred_username: 'wang.fang' },
  });
  const { issuer: url, clientId, clientSecret } = issuer;
  const settings = {
    issuer: url,
    clientId,
    clientSecret,
    publicUrl: 'https://exchange.example',
    loginClaim: 'preferred_username',
  };
  server = await openServer({}, { identityProvider: new IdentityProvider(settings) });
  administrator = await server.as('traffic', 'administrator');
  anybody = callerOf(server.app, undefined);
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

let made = 0;
async function register(more: object = {}) {
  const login = `officer.${++made}`;
  const body = { department: 'health', login, name: '张伟', roles: ['officer'], ...more };
  const response = await administrator('POST', '/people', { body });
  expect(response.statusCode).toBe(201);
  return response.json() as { person: { id: string; login: string }; temporaryPassword: string };
}

/** Registered, and signed in for the first time. */
async function signedIn(more: object = {}) {
  const { person, temporaryPassword } = await register(more);
  const body = { login: person.login, password: temporaryPassword, newPassword: NEW_PASSWORD };
  const response = await anybody('POST', '/sign-in', { body });
  expect(response.statusCode).toBe(200);
  const { secret } = response.json() as { secret: string };
  return { person, secret, caller: callerOf(server.app, secret) };
}

async function leavesOf(action: string) {
  const { audit } = server.bench;
  await expect.poll(async () => (await audit.reader.head()).size).toBeGreaterThan(0);
  const entries = await audit.reader.entries(0, 1_000);
  return entries.map(({ leaf }) => JSON.parse(leaf)).filter((leaf) => leaf.action === action);
}

describe('with a password', () => {
  test('a temporary one must be replaced at the first sign-in; the session then is the person', async () => {
    const { person, temporaryPassword } = await register();
    const body = { login: person.login, password: temporaryPassword };
    const first = await anybody('POST', '/sign-in', { body });
    expect(problemOf(first).code).toBe('PASSWORD_CHANGE_REQUIRED');
    const weak = await anybody('POST', '/sign-in', { body: { ...body, newPassword: 'too short' } });
    expect(problemOf(weak).code).toBe('PASSWORD_WEAK');

    const response = await anybody('POST', '/sign-in', { body: { ...body, newPassword: NEW_PASSWORD } });
    expect(response.headers['cache-control']).toBe('no-store');
    const me = await callerOf(server.app, response.json().secret)('GET', '/me');
    expect(me.json()).toMatchObject({ department: 'health', subject: person.login, roles: ['officer'] });
    // The temporary one is no longer good.
    expect(problemOf(await anybody('POST', '/sign-in', { body })).code).toBe('SIGN_IN_FAILED');
  });

  test('wrong login, wrong password, disabled: one answer, each in the log, and no password anywhere', async () => {
    const { person } = await signedIn();
    const wrong = await anybody('POST', '/sign-in', { body: { login: person.login, password: 'not this one 123' } });
    const unknown = await anybody('POST', '/sign-in', { body: { login: 'nobody.at.all', password: NEW_PASSWORD } });
    await administrator('POST', `/people/${person.id}/change`, { body: { disabled: true } });
    const disabled = await anybody('POST', '/sign-in', { body: { login: person.login, password: NEW_PASSWORD } });
    expect(wrong.statusCode).toBe(401);
    expect(problemOf(wrong)).toEqual(problemOf(unknown));
    expect(problemOf(wrong)).toEqual(problemOf(disabled));
    const denials = (await leavesOf('sign-in')).filter(({ decision }) => decision === 'deny');
    expect(denials.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(denials)).not.toContain(person.login);
    expect(server.log()).not.toContain(NEW_PASSWORD);
    expect(server.log()).not.toContain('not this one 123');
  });

  test('after five failures the account is closed for a while, also to the right password', async () => {
    const { person } = await signedIn();
    const attempt = (password: string) => anybody('POST', '/sign-in', { body: { login: person.login, password } });
    for (let i = 0; i < 5; i++) expect((await attempt(`a wrong one ${i}`)).statusCode).toBe(401);
    expect(problemOf(await attempt(NEW_PASSWORD)).code).toBe('SIGN_IN_FAILED');
    const { catalog } = server.bench.world;
    await catalog('person')
      .where({ id: person.id })
      .update({ locked_until: new Date(Date.now() - 1) });
    expect((await attempt(NEW_PASSWORD)).statusCode).toBe(200);
    const row = await catalog('person').where({ id: person.id }).first();
    expect(row.failures).toBe(0);
  });

  test('a role taken away and an account disabled hold for the next call of an open session', async () => {
    const { person, caller } = await signedIn({ roles: ['officer', 'engineer'] });
    const change = (body: object) => administrator('POST', `/people/${person.id}/change`, { body });
    expect((await caller('POST', '/datasets/health.vaccinations/schedule/pause')).statusCode).not.toBe(403);
    expect((await change({ roles: ['officer'], department: 'traffic' })).statusCode).toBe(200);
    expect((await caller('POST', '/datasets/health.vaccinations/schedule/pause')).statusCode).toBe(403);
    expect((await caller('GET', '/me')).json()).toMatchObject({ department: 'traffic', roles: ['officer'] });
    await change({ disabled: true });
    expect(problemOf(await caller('GET', '/me')).code).toBe('UNAUTHENTICATED');
    await change({ disabled: false });
    expect((await caller('GET', '/me')).statusCode).toBe(200);
  });

  test('a new password and a reset end all other sessions; signing out ends one', async () => {
    const { person, caller } = await signedIn();
    const replaced = 'noch ein ganz anderes Kennwort 9';
    const body = { login: person.login, password: NEW_PASSWORD, newPassword: replaced };
    const second = callerOf(server.app, (await anybody('POST', '/sign-in', { body })).json().secret);
    expect((await caller('GET', '/me')).statusCode).toBe(401);
    const again = { login: person.login, password: replaced };
    const third = callerOf(server.app, (await anybody('POST', '/sign-in', { body: again })).json().secret);
    expect((await third('DELETE', '/sign-in')).statusCode).toBe(204);
    expect((await third('GET', '/me')).statusCode).toBe(401);
    expect((await second('GET', '/me')).statusCode).toBe(200);
    const reset = await administrator('POST', `/people/${person.id}/reset-password`);
    expect(reset.json().temporaryPassword).toMatch(/^[\w-]{19}$/);
    expect((await second('GET', '/me')).statusCode).toBe(401);
  });

  test('a session that the log cannot take does not begin', async () => {
    const { person } = await signedIn();
    server.setAuditAvailable(false);
    const response = await anybody('POST', '/sign-in', { body: { login: person.login, password: NEW_PASSWORD } });
    server.setAuditAvailable(true);
    expect(problemOf(response).code).toBe('AUDIT_UNAVAILABLE');
    expect(response.body).not.toContain('ht_');
  });
});

describe('people', () => {
  test('are listed by login, page by page, without anything secret', async () => {
    await register();
    await register();
    const page = (await administrator('GET', '/people?limit=1')).json();
    expect(page.items).toHaveLength(1);
    const next = (await administrator('GET', `/people?limit=1&cursor=${page.next}`)).json();
    expect(next.items[0].login > page.items[0].login).toBe(true);
    expect(JSON.stringify(page)).not.toMatch(/scrypt|hash|password":/);
  });

  test.each([
    ['a login that is taken', { login: 'officer.1' }, 'LOGIN_TAKEN'],
    ['operator and auditor in one', { roles: ['operator', 'auditor'] }, 'ROLES_CONFLICT'],
    ['administrator and auditor in one', { roles: ['administrator', 'auditor'] }, 'ROLES_CONFLICT'],
    ['no role', { roles: [] }, 'REQUEST_INVALID'],
    ['an unknown department', { department: 'nowhere' }, 'NOT_FOUND'],
    ['a login with spaces', { login: 'zhang wei' }, 'REQUEST_INVALID'],
  ])('refused: %s', async (_, wrong, code) => {
    if (made === 0) await register();
    const body = { department: 'health', login: 'someone.new', name: '张伟', roles: ['officer'], ...wrong };
    expect(problemOf(await administrator('POST', '/people', { body })).code).toBe(code);
  });

  test('every change is in the log', async () => {
    const { person } = await register();
    await administrator('POST', `/people/${person.id}/change`, { body: { disabled: true } });
    const objects = async (action: string) => (await leavesOf(action)).map(({ object }) => object);
    await expect.poll(() => objects('person.create')).toContain(`person/${person.id}`);
    await expect.poll(() => objects('person.change')).toContain(`person/${person.id}`);
  });
});

describe('at an identity provider', () => {
  const start = async () => (await anybody('POST', '/sign-in/oidc', { body: { redirectUri: CALLBACK } })).json();
  const finish = (callbackUrl: string) => anybody('POST', '/sign-in/oidc/finish', { body: { callbackUrl } });

  test('a registered person signs in; from then on it is issuer and subject that count', async () => {
    const { person } = await register({ login: 'wang.fang', withPassword: false });
    const { authorizationUrl, state } = await start();
    const callbackUrl = await issuer.signIn(authorizationUrl, 'id-of-wang');
    expect(new URL(callbackUrl).searchParams.get('state')).toBe(state);
    const response = await finish(callbackUrl);
    expect(response.json().person).toMatchObject({ id: person.id, signsInWith: ['oidc'] });
    const { secret } = response.json();
    expect((await callerOf(server.app, secret)('GET', '/me')).json()).toMatchObject({ subject: 'wang.fang' });

    // Each sign-in serves once.
    expect(problemOf(await finish(callbackUrl)).code).toBe('SIGN_IN_FAILED');
    // Somebody else whom the issuer now calls wang.fang is not her.
    const impostor = await issuer.signIn((await start()).authorizationUrl, 'id-of-impostor');
    expect(problemOf(await finish(impostor)).code).toBe('SIGN_IN_FAILED');
    const again = await issuer.signIn((await start()).authorizationUrl, 'id-of-wang');
    expect((await finish(again)).statusCode).toBe(200);
    await administrator('POST', `/people/${person.id}/change`, { body: { disabled: true } });
    const late = await issuer.signIn((await start()).authorizationUrl, 'id-of-wang');
    expect(problemOf(await finish(late)).code).toBe('SIGN_IN_FAILED');
  });

  test('whom nobody has registered is refused, and the log says so', async () => {
    const before = (await leavesOf('sign-in')).length;
    const callbackUrl = await issuer.signIn((await start()).authorizationUrl, 'id-of-stranger');
    expect(problemOf(await finish(callbackUrl)).code).toBe('SIGN_IN_FAILED');
    expect((await leavesOf('sign-in')).length).toBe(before + 1);
  });

  test.each<[string, (url: URL) => void]>([
    ['another state', (url) => url.searchParams.set('state', 'A'.repeat(43))],
    ['another code', (url) => url.searchParams.set('code', 'B'.repeat(43))],
    ['another issuer', (url) => url.searchParams.set('iss', 'https://elsewhere.example')],
    ['no state at all', (url) => url.searchParams.delete('state')],
  ])('an answer with %s is none', async (_, alter) => {
    const callbackUrl = new URL(await issuer.signIn((await start()).authorizationUrl, 'id-of-wang'));
    alter(callbackUrl);
    expect(problemOf(await finish(callbackUrl.href)).code).toBe('SIGN_IN_FAILED');
  });

  test.each(['https://elsewhere.example/callback', 'http://localhost.elsewhere/callback', 'javascript:alert(1)', 'x'])(
    'nobody is sent back to %s',
    async (redirectUri) => {
      const response = await anybody('POST', '/sign-in/oidc', { body: { redirectUri } });
      expect(problemOf(response).code).toBe('REQUEST_INVALID');
    },
  );

  test('an issuer that does not answer is SIGN_IN_UNAVAILABLE, and is asked again the next time', async () => {
    const settings = { issuer: 'http://127.0.0.1:9', clientId: 'x', loginClaim: 'sub', publicUrl: 'https://a.example' };
    const away = new IdentityProvider(settings);
    for (let i = 0; i < 2; i++) {
      await expect(away.start(server.bench.access, CALLBACK)).rejects.toThrow(
        expect.objectContaining({ code: 'SIGN_IN_UNAVAILABLE' }),
      );
    }
  });
});

describe('tokens of systems', () => {
  const create = async (more: object = {}) => {
    const body = { department: 'health', subject: 'a system', roles: ['officer'], ...more };
    return (await administrator('POST', '/tokens', { body })).json() as { token: { id: string }; secret: string };
  };
  const works = async (secret: string) => (await callerOf(server.app, secret)('GET', '/me')).statusCode === 200;

  test('rotating: two secrets live at once, never three, and the former ends by itself', async () => {
    const { token, secret } = await create();
    const rotate = async (by: string, overlapSeconds?: number) =>
      (await callerOf(server.app, by)('POST', `/tokens/${token.id}/rotate`, { body: { overlapSeconds } })).json();
    const second = await rotate(secret);
    expect(second.token.formerSecretUntil).toBeDefined();
    expect([await works(secret), await works(second.secret)]).toEqual([true, true]);
    const third = await rotate(second.secret);
    expect([await works(secret), await works(second.secret), await works(third.secret)]).toEqual([false, true, true]);
    const fourth = await rotate(third.secret, 0);
    expect([await works(third.secret), await works(fourth.secret)]).toEqual([false, true]);
    await administrator('DELETE', `/tokens/${token.id}`);
    expect(await works(fourth.secret)).toBe(false);
  });

  test('one rotates one’s own; an administrator any; a session none', async () => {
    const { token } = await create();
    const other = await server.as('health', 'officer');
    expect(problemOf(await other('POST', `/tokens/${token.id}/rotate`, { body: {} })).code).toBe('NOT_FOUND');
    expect((await administrator('POST', `/tokens/${token.id}/rotate`, { body: {} })).statusCode).toBe(200);
    const { caller } = await signedIn();
    const session = (await caller('GET', '/me')).json().token;
    expect(problemOf(await caller('POST', `/tokens/${session}/rotate`, { body: {} })).code).toBe('NOT_FOUND');
  });

  test('bound to addresses: accepted from there and from nowhere else', async () => {
    const { catalog } = server.bench.world;
    const { secret } = await create({ addresses: ['10.1.0.0/16'] });
    expect(await works(secret)).toBe(false);
    await expect(authenticate(catalog, secret, '10.1.2.3')).resolves.toMatchObject({ department: 'health' });
    await expect(authenticate(catalog, secret)).rejects.toThrow();
    // Nobody may say where they are from: no proxy is trusted here.
    const response = await callerOf(server.app, secret)('GET', '/me', { headers: { 'x-forwarded-for': '10.1.2.3' } });
    expect(response.statusCode).toBe(401);
    const local = await create({ addresses: ['127.0.0.1'] });
    expect(await works(local.secret)).toBe(true);
    const body = { department: 'health', subject: 'x', roles: ['officer'], addresses: ['10.1.2.3/'] };
    const invalid = problemOf(await administrator('POST', '/tokens', { body }));
    expect(invalid).toMatchObject({ code: 'REQUEST_INVALID', pointer: '/addresses/0' });
  });

  test('roles that exclude each other are never one token, and each making is in the log', async () => {
    const body = { department: 'health', subject: 'x', roles: ['auditor', 'operator'] };
    expect(problemOf(await administrator('POST', '/tokens', { body })).code).toBe('ROLES_CONFLICT');
    const { token } = await create();
    const objects = async () => (await leavesOf('token.create')).map(({ object }) => object);
    await expect.poll(objects).toContain(`token/${token.id}`);
  });
});
