/**
 * Algorithm confusion: ID tokens of a forged issuer, and heads and receipts of the audit log, each wrong in one way
 * beside the one that is right. The issuer is ours, down to the bytes of its tokens.
 */
import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toReceipt } from '../../exchange/audit/receipt.ts';
import { HEAD_ALGORITHM, verifyHead } from '../../exchange/audit/verify/head.ts';
import { verifyReceipt } from '../../exchange/audit/verify/receipt.ts';
import { IdentityProvider } from '../../exchange/people/oidc.ts';
import { createPerson } from '../../exchange/people/people.ts';
import { leaf, newSigner, withLog } from '../exchange/audit/support.ts';
import { callerOf, openServer, problemOf, type TestServer } from '../server/support.ts';

const CLIENT = { clientId: 'huitong', clientSecret: 'a secret of the client, at least thirty-two bytes' };
const REDIRECT = 'https://exchange.example/console/sign-in';
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a token says and how it is signed; a test changes one thing of it. */
interface Forgery {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  sign?: (input: string) => Buffer;
  /** The token, once it is made. */
  text?: (token: string) => string;
}

interface ForgedIssuer {
  url: string;
  key: { privateKey: KeyObject; publicKey: KeyObject };
  forgery: Forgery;
  /** Goes through a whole sign-in; the answer of the exchange. */
  signIn(forgery?: Forgery): Promise<ReturnType<ReturnType<typeof callerOf>> extends Promise<infer R> ? R : never>;
  callbackUrl(): Promise<string>;
  /** Whether the discovery document redirects to another place, or names another issuer. */
  discovery: Record<string, unknown>;
  asked: string[];
  close(): Promise<void>;
}

let server: TestServer;
let issuer: ForgedIssuer;
beforeAll(async () => {
  issuer = await openForgedIssuer(() => server);
  const settings = {
    issuer: issuer.url,
    ...CLIENT,
    publicUrl: 'https://exchange.example',
    loginClaim: 'preferred_username',
  };
  server = await openServer({}, { identityProvider: new IdentityProvider(settings) });
  const person = {
    department: 'health',
    login: 'wang.fang',
    name: '王芳',
    roles: ['officer' as const],
    withPassword: false,
  };
  await createPerson(server.bench.world.catalog, { actor: 'token:test' }, person);
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

async function openForgedIssuer(of: () => TestServer): Promise<ForgedIssuer> {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let nonce = '';
  const http = createServer((request, response) => {
    made.asked.push(request.url ?? '');
    const send = (body: unknown) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (request.url === '/.well-known/openid-configuration') return void send(made.discovery);
    if (request.url === '/jwks') {
      return void send({
        keys: [{ ...key.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'one' }],
      });
    }
    send({ access_token: 'x', token_type: 'Bearer', expires_in: 60, id_token: idToken(made, nonce) });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const made: ForgedIssuer = {
    url,
    key,
    forgery: {},
    asked: [],
    discovery: {
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none'],
    },
    async callbackUrl() {
      const started = await callerOf(of().app, undefined)('POST', '/sign-in/oidc', { body: { redirectUri: REDIRECT } });
      const authorization = new URL(started.json().authorizationUrl);
      nonce = authorization.searchParams.get('nonce') ?? '';
      return `${REDIRECT}?code=c&state=${authorization.searchParams.get('state')}`;
    },
    async signIn(forgery = {}) {
      made.forgery = forgery;
      const callbackUrl = await made.callbackUrl();
      return callerOf(of().app, undefined)('POST', '/sign-in/oidc/finish', { body: { callbackUrl } });
    },
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return made;
}

function idToken({ url, key, forgery }: ForgedIssuer, nonce: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: url, aud: CLIENT.clientId, sub: 'id-of-wang', iat: now, exp: now + 60, nonce };
  const parts = [
    base64({ alg: 'ES256', kid: 'one', typ: 'JWT', ...forgery.header }),
    base64({ ...claims, preferred_username: 'wang.fang', ...forgery.claims }),
  ];
  const sign = forgery.sign ?? ((input) => es256(key.privateKey, input));
  const token = [...parts, sign(parts.join('.')).toString('base64url')].join('.');
  return forgery.text?.(token) ?? token;
}

const es256 = (key: KeyObject, input: string) =>
  signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
const hs256 = (secret: string | Buffer) => (input: string) => createHmac('sha256', secret).update(input).digest();

describe('an ID token', () => {
  const past = () => Math.floor(Date.now() / 1000) - 3600;
  const pem = () => issuer.key.publicKey.export({ format: 'pem', type: 'spki' });
  const der = () => issuer.key.publicKey.export({ format: 'der', type: 'spki' });
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const forgeries: Record<string, () => Forgery> = {
    'with no algorithm': () => ({ header: { alg: 'none' }, sign: () => Buffer.alloc(0) }),
    'with no algorithm, in capitals': () => ({ header: { alg: 'NONE' }, sign: () => Buffer.alloc(0) }),
    'without a signature': () => ({ sign: () => Buffer.alloc(0) }),
    'cut to two parts': () => ({ text: (token) => token.split('.').slice(0, 2).join('.') }),
    'under HS256 with the issuer’s public key': () => ({ header: { alg: 'HS256' }, sign: hs256(pem() as string) }),
    'under HS256 with the public key’s bytes': () => ({ header: { alg: 'HS256' }, sign: hs256(der()) }),
    'under HS256 with the client’s secret': () => ({ header: { alg: 'HS256' }, sign: hs256(CLIENT.clientSecret) }),
    'under HS256 with nothing as its key': () => ({ header: { alg: 'HS256' }, sign: hs256('') }),
    'under the name of another algorithm': () => ({ header: { alg: 'RS256' } }),
    'by a key that the issuer does not have': () => ({ sign: (input) => es256(foreign, input) }),
    'by such a key, which it brings along': () => ({
      header: { jwk: { ...foreign.export({ format: 'jwk' }), d: undefined }, kid: undefined },
      sign: (input) => es256(foreign, input),
    }),
    'with a key id that there is not': () => ({ header: { kid: 'two' } }),
    'with a key id that is a path': () => ({ header: { kid: '../../../../dev/null' }, sign: hs256('') }),
    'with a signature of DER': () => ({
      sign: (input) => signBytes('sha256', Buffer.from(input), issuer.key.privateKey),
    }),
    'with a signature of zeros': () => ({ sign: () => Buffer.alloc(64) }),
    'with a critical extension': () => ({ header: { crit: ['exp2'], exp2: 1 } }),
    'for another client': () => ({ claims: { aud: 'another' } }),
    'for several, by another': () => ({ claims: { aud: [CLIENT.clientId, 'another'], azp: 'another' } }),
    'of another issuer': () => ({ claims: { iss: 'https://issuer.example' } }),
    'with another nonce': () => ({ claims: { nonce: 'another' } }),
    'without a nonce': () => ({ claims: { nonce: undefined } }),
    'that is past': () => ({ claims: { iat: past() - 60, exp: past() } }),
    'without an end': () => ({ claims: { exp: undefined } }),
    'that begins later': () => ({ claims: { nbf: past() + 2 * 3600 } }),
    'without a subject': () => ({ claims: { sub: undefined } }),
    'whose claims were changed': () => ({
      text: (token) => {
        const [header, , signature] = token.split('.');
        return [header, base64({ iss: issuer.url, aud: CLIENT.clientId, sub: 'id-of-wang' }), signature].join('.');
      },
    }),
  };

  test('signed by the issuer’s key lets its person in', async () => {
    const response = await issuer.signIn();
    expect(response.statusCode, response.body).toBe(200);
    expect(response.json().person.login).toBe('wang.fang');
  });

  test.each(Object.keys(forgeries))('%s lets nobody in', async (kind) => {
    const response = await issuer.signIn(forgeries[kind]!());
    expect(problemOf(response)).toMatchObject({ code: 'SIGN_IN_FAILED', status: 401 });
    expect(response.body).not.toMatch(/secret|wang/);
  });

  test('serves once: a callback that comes back, with the same good token, is refused', async () => {
    issuer.forgery = {};
    const callbackUrl = await issuer.callbackUrl();
    const finish = () => callerOf(server.app, undefined)('POST', '/sign-in/oidc/finish', { body: { callbackUrl } });
    const answers = await Promise.all([finish(), finish(), finish()]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401, 401]);
    expect((await finish()).statusCode).toBe(401);
  });

  test('of one sign-in is none of another: the nonce is the sign-in’s own', async () => {
    const first = await issuer.callbackUrl();
    await issuer.callbackUrl();
    const finish = await callerOf(server.app, undefined)('POST', '/sign-in/oidc/finish', {
      body: { callbackUrl: first },
    });
    expect(problemOf(finish).code).toBe('SIGN_IN_FAILED');
  });
});

describe('where a person is sent, and where the exchange asks', () => {
  const start = (redirectUri: string) =>
    callerOf(server.app, undefined)('POST', '/sign-in/oidc', { body: { redirectUri } });

  test.each([
    'https://exchange.example.attacker.example/',
    'https://exchange.example@attacker.example/',
    'https://attacker.example/https://exchange.example',
    'https://exchange.example:8443/',
    'http://exchange.example/',
    'http://127.0.0.1.attacker.example/',
    'http://127.0.0.1@attacker.example/',
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost:1/',
    'https://127.0.0.1/',
    '//attacker.example',
    'javascript:alert(1)//https://exchange.example',
    'https://exchange.example/#fragment',
    'https://exchange.example/?next=https://attacker.example',
  ])('never back to %s', async (address) => {
    const problem = problemOf(await start(address));
    expect(problem).toMatchObject({ code: 'REQUEST_INVALID', pointer: '/redirectUri' });
    expect(JSON.stringify(problem)).not.toContain('attacker');
    expect((await start(REDIRECT)).statusCode).toBe(200);
  });

  test('only the issuer of the settings, whatever a callback names', async () => {
    const good = await issuer.callbackUrl();
    issuer.asked.length = 0;
    const elsewhere = new URL(good);
    elsewhere.hostname = '169.254.169.254';
    for (const callbackUrl of [elsewhere.href, 'http://169.254.169.254/?state=x&code=c', 'file:///etc/passwd', 'x']) {
      const answer = await callerOf(server.app, undefined)('POST', '/sign-in/oidc/finish', { body: { callbackUrl } });
      expect(problemOf(answer).code).toBe('SIGN_IN_FAILED');
    }
    expect(issuer.asked).toEqual([]);
  });

  test('an issuer that calls itself another one is none', async () => {
    const settings = { issuer: issuer.url, ...CLIENT, publicUrl: 'https://exchange.example', loginClaim: 'sub' };
    const { issuer: own } = issuer.discovery;
    issuer.discovery.issuer = 'https://issuer.example';
    const provider = new IdentityProvider(settings);
    await expect(provider.start(server.bench.access, REDIRECT)).rejects.toMatchObject({ code: 'SIGN_IN_UNAVAILABLE' });
    issuer.discovery.issuer = own;
    // A failure is not remembered.
    expect((await provider.start(server.bench.access, REDIRECT)).authorizationUrl).toContain(issuer.url);
  });
});

describe('a signed head and a receipt under it', () => {
  test('hold for their own key, algorithm, log and signature, and for nothing else', async () => {
    await withLog(async ({ open, signer }) => {
      const log = await open();
      for (let n = 0; n < 5; n++) await log.append(leaf(n));
      const receipt = toReceipt(await log.reader.prove(2));
      const { head } = receipt;
      expect(verifyReceipt(receipt, signer.publicKey).size).toBe(5);
      const refused = (changed: string, key = signer.publicKey) => {
        expect(changed === head && key === signer.publicKey).toBe(false);
        expect(() => verifyHead(changed, key)).toThrow(expect.objectContaining({ code: 'AUDIT_VERIFY_FAILED' }));
        expect(() => verifyReceipt({ ...receipt, head: changed }, key)).toThrow(/./);
      };
      for (const name of ['none', 'sm2-sm3', 'hmac-sha256', 'Ed25519', 'ed25519 ', '']) {
        refused(head.replace(`algorithm ${HEAD_ALGORITHM}`, `algorithm ${name}`));
      }
      refused(head.replace(/^algorithm .*\n/m, ''));
      const signature = /— \S+ (\S+)\n$/.exec(head)![1]!;
      const bytes = Buffer.from(signature, 'base64');
      const signedWith = (changed: Buffer) => head.replace(signature, changed.toString('base64'));
      for (const length of [0, 4, 5, 36, bytes.length - 1]) refused(signedWith(bytes.subarray(0, length)));
      refused(signedWith(Buffer.concat([bytes, Buffer.of(0)])));
      for (const at of [0, 3, 4, 35, bytes.length - 1]) {
        const turned = Buffer.from(bytes);
        turned[at]! ^= 1;
        refused(signedWith(turned));
      }
      // HMAC of the text with the public key as its secret, under the right key id.
      const text = head.slice(0, head.lastIndexOf('\n\n') + 1);
      const raw = signer.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
      const mac = createHmac('sha512', raw).update(text).digest();
      refused(signedWith(Buffer.concat([bytes.subarray(0, 4), mac])));
      refused(head, newSigner().publicKey);
      refused(head.replace(/^5\n/m, '4\n'));
      refused(head.replaceAll('huitong.test/log', 'huitong.other/log'));
    });
  });

  test('of another log are not of this one, though both are signed', async () => {
    await withLog(async (one) => {
      const log = await one.open();
      for (let n = 0; n < 3; n++) await log.append(leaf(n));
      const receipt = toReceipt(await log.reader.prove(1));
      await withLog(async (two) => {
        const other = await two.open();
        for (let n = 3; n < 6; n++) await other.append(leaf(n));
        const theirs = toReceipt(await other.reader.prove(1));
        expect(verifyReceipt(theirs, two.signer.publicKey).size).toBe(3);
        expect(() => verifyReceipt({ ...receipt, head: theirs.head }, two.signer.publicKey)).toThrow(/another root/);
        expect(() => verifyReceipt({ ...receipt, leaf: theirs.leaf }, one.signer.publicKey)).toThrow(/another root/);
        expect(() => verifyReceipt(theirs, one.signer.publicKey)).toThrow(/not signed by this key/);
      });
      expect(verifyReceipt(receipt, one.signer.publicKey).size).toBe(3);
    });
  });
});
