/**
 * Bearer tokens. A token is `ht_` and 64 characters of base64url: 16 bytes that name its row and 32 random bytes. Only
 * SHA-256 of the random bytes is kept; the token itself is shown once.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parse, v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Token, TokenCreated } from '../../schemas/generated/api.ts';
import type { Principal, Role } from './rights.ts';

export interface MintToken {
  department: string;
  subject: string;
  roles: Role[];
  label?: string;
  /** RFC 3339; absent: until it is revoked. */
  expiresAt?: string;
}

interface TokenRow {
  id: string;
  department: string;
  subject: string;
  roles: Role[];
  label: string | null;
  hash: Buffer;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}

const PREFIX = 'ht_';
const ID_BYTES = 16;
const SECRET_BYTES = 32;
const TOKEN = /^ht_[A-Za-z0-9_-]{64}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What an unknown token is compared with, so that it takes as long as a wrong one. */
const NO_HASH = randomBytes(32);

/** @throws REQUEST_INVALID for an expiry that is past, or no role at all */
export async function mintToken(catalog: Catalog, request: MintToken): Promise<TokenCreated> {
  const { department, subject, roles, label, expiresAt } = request;
  const expires = expiresAt === undefined ? null : new Date(expiresAt);
  if (expires !== null && !(expires.getTime() > Date.now())) {
    throw new HuitongError('REQUEST_INVALID', 'the expiry is not a time to come', { pointer: '/expiresAt' });
  }
  if (roles.length === 0) throw new HuitongError('REQUEST_INVALID', 'a token needs a role', { pointer: '/roles' });
  const id = uuidv7();
  const random = randomBytes(SECRET_BYTES);
  const row = { id, department, subject, roles, label: label ?? null, hash: hashOf(random), expires_at: expires };
  const [inserted] = await catalog<TokenRow>('access_token').insert(row).returning('*');
  const secret = PREFIX + Buffer.concat([parse(id), random]).toString('base64url');
  return { token: toToken(inserted as TokenRow), secret };
}

/**
 * The principal of a token that is valid now. One look-up by primary key: a revocation holds for the next call.
 * @throws UNAUTHENTICATED, the same for malformed, unknown, wrong, expired and revoked
 */
export async function authenticate(catalog: Catalog, secret: string): Promise<Principal> {
  const bytes = Buffer.from(TOKEN.test(secret) ? secret.slice(PREFIX.length) : '', 'base64url');
  const row = bytes.length === 0 ? undefined : await findRow(catalog, bytes.subarray(0, ID_BYTES));
  const same = timingSafeEqual(hashOf(bytes.subarray(ID_BYTES)), row?.hash ?? NO_HASH);
  const expired = row?.expires_at != null && row.expires_at.getTime() <= Date.now();
  if (row === undefined || !same || expired || row.revoked_at !== null) {
    throw new HuitongError('UNAUTHENTICATED', 'the token is not valid');
  }
  return { tokenId: row.id, department: row.department, subject: row.subject, roles: row.roles };
}

/** Newest first. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listTokens(
  catalog: Catalog,
  request: { department?: string; limit?: number; cursor?: string } = {},
): Promise<Page<Token>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog('access_token')
    .select<TokenRow[]>('*')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (request.department !== undefined) query.where({ department: request.department });
  if (request.cursor !== undefined) query.where('id', '<', requireUuid(decodeCursor(request.cursor, 1)[0]));
  return pageOf(await query, limit, ({ id }) => [id], toToken);
}

/** Ends a token at once; a second time changes nothing. Throws NOT_FOUND. */
export async function revokeToken(catalog: Catalog, id: string): Promise<Token> {
  if (!UUID.test(id)) throw new HuitongError('NOT_FOUND', 'there is no such token');
  const [row] = await catalog<TokenRow>('access_token')
    .where({ id })
    .update({ revoked_at: catalog.raw('coalesce(revoked_at, now())') })
    .returning('*');
  if (row === undefined) throw new HuitongError('NOT_FOUND', 'there is no such token');
  return toToken(row);
}

async function findRow(catalog: Catalog, id: Buffer): Promise<TokenRow | undefined> {
  // The bytes are a stranger's: not every 16 of them are a UUID, and PostgreSQL takes any.
  return catalog<TokenRow>('access_token')
    .where({ id: stringifyAny(id) })
    .first();
}

function stringifyAny(id: Buffer): string {
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function requireUuid(value: unknown): string {
  if (typeof value === 'string' && UUID.test(value)) return value;
  throw new HuitongError('REQUEST_INVALID', 'the cursor is not one that was given out');
}

function hashOf(random: Uint8Array): Buffer {
  return hash('sha256', random, 'buffer');
}

function toToken(row: TokenRow): Token {
  return {
    id: row.id,
    department: row.department,
    subject: row.subject,
    roles: row.roles,
    ...(row.label === null ? {} : { label: row.label }),
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
