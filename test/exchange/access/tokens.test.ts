import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Catalog, migrate, openCatalog } from '../../../catalog/database.ts';
import { mayEver, type Role, requireRight } from '../../../exchange/access/rights.ts';
import { authenticate, listTokens, mintToken, revokeToken } from '../../../exchange/access/tokens.ts';
import { createDatabase } from '../../support/postgres.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let catalog: Catalog;
beforeAll(async () => {
  database = await createDatabase();
  catalog = openCatalog(database.url);
  await migrate(catalog);
});
afterAll(async () => {
  await catalog.destroy();
  await database.drop();
});

const officer = { department: 'police', subject: '李四', roles: ['officer' as const] };
const refused = (code: string) => expect.objectContaining({ code });

test('a minted token gives its principal; tampered, unknown, expired and revoked ones look the same', async () => {
  const { token, secret } = await mintToken(catalog, { ...officer, label: 'desk' });
  expect(secret).toMatch(/^ht_[A-Za-z0-9_-]{64}$/);
  expect(await authenticate(catalog, secret)).toEqual({ ...officer, tokenId: token.id });

  const other = (await mintToken(catalog, officer)).secret;
  // The row of one token with the random bytes of another.
  const crossed = Buffer.concat([decode(secret).subarray(0, 16), decode(other).subarray(16)]);
  const flipped = Buffer.from(decode(secret));
  flipped[47]! ^= 1;
  const short = await mintToken(catalog, { ...officer, expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
  await expect(authenticate(catalog, short.secret)).resolves.toMatchObject({ department: 'police' });
  await catalog('access_token')
    .where({ id: short.token.id })
    .update({ expires_at: new Date(Date.now() - 1_000) });
  const bad = ['', 'ht_', `${secret}A`, encode(crossed), encode(flipped), encode(Buffer.alloc(48, 255)), short.secret];
  const messages = new Set<string>();
  for (const one of bad) {
    const error = await authenticate(catalog, one).catch((e: Error) => e);
    expect(error).toEqual(refused('UNAUTHENTICATED'));
    messages.add((error as Error).message);
  }
  expect(messages.size).toBe(1);

  await revokeToken(catalog, token.id);
  await expect(authenticate(catalog, secret)).rejects.toThrow(refused('UNAUTHENTICATED'));
  const again = await revokeToken(catalog, token.id);
  expect(again.revokedAt).not.toBeNull();
});

test('a token is nowhere in the database, and is shown once', async () => {
  const { secret } = await mintToken(catalog, officer);
  const { rows } = await catalog.raw(`select t::text as row, encode(hash, 'base64') as hash from access_token t`);
  const text = JSON.stringify(rows);
  expect(text).not.toContain(secret.slice(3));
  expect(text).not.toContain(decode(secret).subarray(16).toString('hex'));
  expect(JSON.stringify(await listTokens(catalog))).not.toContain('hash');
});

test('tokens are listed newest first, page by page, and by department', async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.push((await mintToken(catalog, { ...officer, department: 'transport' })).token.id);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listTokens(catalog, { department: 'transport', limit: 2, cursor });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== undefined);
  expect(seen).toEqual(made.reverse());
  await expect(listTokens(catalog, { cursor: 'x' })).rejects.toThrow(refused('REQUEST_INVALID'));
  await expect(revokeToken(catalog, 'x')).rejects.toThrow(refused('NOT_FOUND'));
  await expect(revokeToken(catalog, '0198c1f2-0000-7000-8000-000000000002')).rejects.toThrow(refused('NOT_FOUND'));
});

test('an expiry that is past, or none at all where one is written, is refused', async () => {
  for (const expiresAt of ['2020-01-01T00:00:00Z', 'soon']) {
    await expect(mintToken(catalog, { ...officer, expiresAt })).rejects.toThrow(refused('REQUEST_INVALID'));
  }
  await expect(mintToken(catalog, { ...officer, roles: [] })).rejects.toThrow(refused('REQUEST_INVALID'));
});

test('a right reaches one’s own department or all; roles that lack it are told so, others see nothing', () => {
  const as = (...roles: Role[]) => ({ ...officer, tokenId: 't', roles });
  requireRight(as('engineer'), 'dataset.publish', 'police');
  expect(() => requireRight(as('engineer'), 'dataset.publish', 'health')).toThrow(refused('NOT_FOUND'));
  expect(() => requireRight(as('officer'), 'dataset.publish', 'police')).toThrow(refused('FORBIDDEN'));
  requireRight(as('officer', 'engineer'), 'dataset.publish', 'police');
  requireRight(as('administrator'), 'token.manage');
  requireRight(as('operator'), 'run.cancel', 'health');
  expect(mayEver(as('auditor'), 'audit.read')).toBe(true);
  for (const role of ['administrator', 'auditor', 'operator', 'worker'] as const) {
    expect(mayEver(as(role), 'dataset.read')).toBe(false);
  }
  expect(mayEver(as('operator'), 'audit.read')).toBe(false);
});

function decode(secret: string): Buffer {
  return Buffer.from(secret.slice(3), 'base64url');
}

function encode(bytes: Buffer): string {
  return `ht_${bytes.toString('base64url')}`;
}
