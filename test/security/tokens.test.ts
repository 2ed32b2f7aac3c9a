/** Tokens that were tampered with, carried in the wrong way, or repeated; each beside the token that is right. */
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { authenticate, mintToken } from '../../exchange/access/tokens.ts';
import { createSessionTokens } from '../../server/session-tokens.ts';
import { callerOf, openServer, problemOf, type TestServer } from '../server/support.ts';

let server: TestServer;
let token: string;
let other: string;
beforeAll(async () => {
  server = await openServer();
  const { catalog } = server.bench.world;
  const mint = async (subject: string) =>
    (await mintToken(catalog, { department: 'health', subject, roles: ['officer'] })).secret;
  [token, other] = [await mint('one'), await mint('two')];
});
afterAll(() => server.close());

const me = (headers: Record<string, string>, query = '') =>
  callerOf(server.app, undefined)('GET', `/me${query}`, { headers });
const bearer = (secret: string) => me({ authorization: `Bearer ${secret}` });

async function expectRefused(secret: string) {
  const response = await bearer(secret);
  expect(response.statusCode, secret.slice(0, 8)).toBe(401);
  return problemOf(response);
}

describe('a token that is not as it was given out', () => {
  test('with any one bit of id or secret turned', async () => {
    expect((await bearer(token)).statusCode).toBe(200);
    const bytes = Buffer.from(token.slice(3), 'base64url');
    const flip = fc.integer({ min: 0, max: bytes.length * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(flip, async (bit) => {
        const turned = Buffer.from(bytes);
        turned[bit >> 3]! ^= 1 << (bit & 7);
        await expectRefused(`ht_${turned.toString('base64url')}`);
      }),
      { numRuns: 60, examples: [[0], [127], [128], [383]] },
    );
  });

  const wrong: Record<string, (secret: string, of: string) => string> = {
    'cut short by one': (secret) => secret.slice(0, -1),
    'cut to its id': (secret) => secret.slice(0, 25),
    'cut to its prefix': (secret) => secret.slice(0, 3),
    'longer by one': (secret) => `${secret}A`,
    'with padding': (secret) => `${secret}==`,
    'in capitals': (secret) => secret.toUpperCase(),
    'in small letters': (secret) => secret.toLowerCase(),
    'with a prefix in capitals': (secret) => `HT_${secret.slice(3)}`,
    'in plain base64': (secret) => `ht_${Buffer.from(secret.slice(3), 'base64url').toString('base64')}+`,
    'with another token’s id': (secret, of) => joined(of, secret),
    'with another token’s secret': (secret, of) => joined(secret, of),
    'with an id of zeros': (secret) => `ht_${'A'.repeat(21)}${secret.slice(24)}`,
    'as a session token': (secret) => `hts_${secret.slice(3)}`,
    'twice, with a comma': (secret) => `${secret},${secret}`,
    'with a space inside': (secret) => `${secret.slice(0, 20)} ${secret.slice(20)}`,
    'as a comment of SQL': (secret) => `${secret.slice(0, -2)}--`,
  };
  test.each(Object.keys(wrong))('%s', async (kind) => {
    expect(wrong[kind]!(token, other)).not.toBe(token);
    const { code } = await expectRefused(wrong[kind]!(token, other));
    expect(code).toBe('UNAUTHENTICATED');
    expect((await bearer(token)).statusCode).toBe(200);
  });

  test('in look-alikes of its letters', async () => {
    const { catalog } = server.bench.world;
    const fullWidth = (text: string) =>
      text.replace(/[A-Za-z0-9]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));
    const cyrillic: Record<string, string> = { a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х' };
    const alike = [
      fullWidth(token),
      `ht_${fullWidth(token.slice(3))}`,
      token.replace(/[aeopcx]/g, (c) => cyrillic[c]!),
      token.replace('ht_', 'hｔ_'),
      `${token}\u200b`,
      `${token}\0`,
      `${token}\n`,
      ` ${token}`,
    ];
    for (const secret of alike) {
      await expect(authenticate(catalog, secret), JSON.stringify(secret)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    }
    expect(await authenticate(catalog, token)).toMatchObject({ department: 'health' });
  });
});

function joined(id: string, secret: string): string {
  const [left, right] = [id, secret].map((text) => Buffer.from(text.slice(3), 'base64url')) as [Buffer, Buffer];
  return `ht_${Buffer.concat([left.subarray(0, 16), right.subarray(16)]).toString('base64url')}`;
}

describe('a token that is right, carried in the wrong way', () => {
  test('in the query, in a cookie, in the body of a form, under another scheme', async () => {
    for (const query of [`?access_token=${token}`, `?token=${token}`, `?authorization=Bearer%20${token}`]) {
      expect((await me({}, query)).statusCode, query.slice(0, 15)).toBe(401);
    }
    const elsewhere: Record<string, string>[] = [
      { cookie: `access_token=${token}; authorization=Bearer ${token}` },
      { 'proxy-authorization': `Bearer ${token}` },
      { 'x-authorization': `Bearer ${token}` },
      { authorization: token },
      { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` },
      { authorization: `Bearer Bearer ${token}` },
      { authorization: `Token ${token}` },
    ];
    for (const headers of elsewhere) {
      expect((await me(headers)).statusCode, Object.keys(headers)[0]).toBe(401);
    }
    // RFC 9110 section 11.1: the scheme's case says nothing.
    expect((await me({ authorization: `bearer ${token}` })).statusCode).toBe(200);
    expect(server.log()).not.toContain(token);
  });

  test('two Authorization headers are never two callers: a good one behind a bad one gets nobody in', async () => {
    const { port } = new URL(await server.listen());
    const status = async (...lines: string[]) => {
      const text = await rawHttp(Number(port), ['GET /v1/me HTTP/1.1', 'Host: x', ...lines, 'Connection: close']);
      return Number(text.split(' ')[1]);
    };
    const [good, bad] = [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token.slice(0, -2)}AA`];
    expect(await status(good)).toBe(200);
    expect(await status(bad, good)).toBe(401);
    expect(await status(`${good}, Bearer ${other}`)).toBe(401);
    // The first is the one that is taken, wherever it is read: the second cannot make it somebody else's.
    expect(await status(good, bad)).toBe(200);
    expect(await status('Authorization:', good)).toBe(401);
  });
});

function rawHttp(port: number, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
}

test('known, unknown and wrong cost the same work: one statement and two comparisons each', async () => {
  const { catalog } = server.bench.world;
  const crypto = await import('node:crypto');
  const statements = vi.fn();
  catalog.on('query', statements);
  const work = async (secret: string) => {
    statements.mockClear();
    await authenticate(catalog, secret).catch(() => {});
    return statements.mock.calls.length;
  };
  const unknown = `ht_${crypto.randomBytes(48).toString('base64url')}`;
  const works = [await work(token), await work(joined(token, other)), await work(unknown)];
  catalog.off('query', statements);
  expect(works).toEqual([1, 1, 1]);
});

describe('the token of a generation', () => {
  test('is of one run and one generation, and of one key', () => {
    const run = '01890000-0000-7000-8000-000000000001';
    const tokens = createSessionTokens(Buffer.alloc(32, 1));
    const issued = tokens.issue(run, 3);
    expect(tokens.verify(issued, run, 3)).toBe(true);
    const forged = [
      issued.slice(0, -1),
      `${issued}A`,
      issued.toUpperCase(),
      `hts_${createHmac('sha256', '').update(`${run}\n3`).digest('base64url')}`,
      createSessionTokens(Buffer.alloc(32, 2)).issue(run, 3),
      // A run's name that ends in what would be the generation.
      tokens.issue(`${run}\n3`.slice(0, -2), 33),
      '',
    ];
    for (const secret of forged) expect(tokens.verify(secret, run, 3)).toBe(false);
    expect(tokens.verify(issued, run, 4)).toBe(false);
    expect(tokens.verify(issued, run, Number.NaN)).toBe(false);
    expect(tokens.verify(issued, run.replace('1', '2'), 3)).toBe(false);
  });
});
