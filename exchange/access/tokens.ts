/**
 * Bearer tokens. A token is `ht_` and 64 characters of base64url: 16 bytes that name its row and 32 random bytes. Only
 * SHA-256 of the random bytes is kept; the token itself is shown once.
 *
 * A system's token can be rotated: its row then knows two secrets, of which the former ends by itself. A person's
 * session (exchange/people/) is a token too; what it may do is read from the person's row at each call.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parse, v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { grouped } from '../../lib/grouped.ts';
import { limits } from '../../lib/limits.ts';
import type { Token, TokenCreated } from '../../schemas/generated/api.ts';
import { addressList, isAt } from './addresses.ts';
import { type Principal, type Role, requireSeparateRoles } from './rights.ts';

export interface MintToken {
  department: string;
  subject: string;
  roles: Role[];
  label?: string;
  /** RFC 3339; absent: until it is revoked. */
  expiresAt?: string;
  /** IP addresses and subnets from which alone it is accepted; absent: anywhere. */
  addresses?: string[];
  /** Whose session it is. */
  person?: string;
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
  person: string | null;
  addresses: string[] | null;
  previous_hash: Buffer | null;
  previous_expires_at: Date | null;
}

/** The same, with what the person's row says now. */
interface JoinedRow extends TokenRow {
  person_department: string | null;
  person_login: string | null;
  person_roles: Role[] | null;
  person_disabled_at: Date | null;
  expired: boolean;
  former_ended: boolean;
}

const PREFIX = 'ht_';
const ID_BYTES = 16;
const SECRET_BYTES = 32;
const TOKEN = /^ht_[A-Za-z0-9_-]{64}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What an unknown token is compared with, so that it takes as long as a wrong one. */
const NO_HASH = randomBytes(32);

/**
 * @throws REQUEST_INVALID for an expiry that is past, no role at all, or what is no address
 * @throws ROLES_CONFLICT for roles that nobody may hold together
 */
export async function mintToken(catalog: Catalog, request: MintToken): Promise<TokenCreated> {
  const { department, subject, roles, label, expiresAt, addresses, person } = request;
  const expires = expiresAt === undefined ? null : new Date(expiresAt);
  if (expires !== null && !(expires.getTime() > Date.now())) {
    throw new HuitongError('REQUEST_INVALID', '到期时间已过 · the expiry is not a time to come', {
      pointer: '/expiresAt',
    });
  }
  requireSeparateRoles(roles);
  addressList(addresses ?? [], (message, i) => {
    return new HuitongError('REQUEST_INVALID', message, { pointer: `/addresses/${i}` });
  });
  const id = uuidv7();
  const random = randomBytes(SECRET_BYTES);
  const [inserted] = await catalog<TokenRow>('access_token')
    .insert({
      id,
      department,
      subject,
      roles,
      label: label ?? null,
      hash: hashOf(random),
      expires_at: expires,
      addresses: addresses ?? null,
      person: person ?? null,
    })
    .returning('*');
  return { token: toToken(inserted as TokenRow), secret: secretOf(id, random) };
}

/**
 * A new secret for the same token. The one that it replaces is accepted for `overlapSeconds` more, so that a system can
 * be given the new one without a gap; an older one that still was ends now: there are never more than two.
 * @throws NOT_FOUND where there is none that could be rotated: revoked, expired, or a person's session
 */
export async function rotateToken(catalog: Catalog, id: string, overlapSeconds: number): Promise<TokenCreated> {
  const random = randomBytes(SECRET_BYTES);
  const [row] = UUID.test(id)
    ? await catalog<TokenRow>('access_token')
        .where({ id, revoked_at: null, person: null })
        .whereRaw('(expires_at is null or expires_at > now())')
        .update({
          previous_hash: catalog.ref('hash') as never,
          previous_expires_at: catalog.raw('now() + make_interval(secs => ?)', [overlapSeconds]),
          hash: hashOf(random),
        })
        .returning('*')
    : [];
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该令牌 · there is no such token');
  return { token: toToken(row), secret: secretOf(id, random) };
}

/**
 * The principal of a token that is valid now. One look-up by primary key: a revocation, a role taken away and an account
 * that was disabled hold for the next call.
 * @param address the caller's; absent where it can't be known, and then a token bound to addresses is not accepted
 * @throws UNAUTHENTICATED, the same for malformed, unknown, wrong, expired, revoked, and used from elsewhere
 */
export async function authenticate(catalog: Catalog, secret: string, address?: string): Promise<Principal> {
  const bytes = Buffer.from(TOKEN.test(secret) ? secret.slice(PREFIX.length) : '', 'base64url');
  const row = bytes.length === 0 ? undefined : await findRow(catalog, bytes.subarray(0, ID_BYTES));
  const given = hashOf(bytes.subarray(ID_BYTES));
  const isNewest = timingSafeEqual(given, row?.hash ?? NO_HASH);
  const isFormer = timingSafeEqual(given, row?.previous_hash ?? NO_HASH) && row?.former_ended === false;
  if (row === undefined || !(isNewest || isFormer) || !isUsable(row, address)) {
    throw new HuitongError('UNAUTHENTICATED', '令牌无效 · the token is not valid');
  }
  return {
    tokenId: row.id,
    department: row.person_department ?? row.department,
    subject: row.person_login ?? row.subject,
    roles: row.person_roles ?? row.roles,
  };
}

function isUsable(row: JoinedRow, address: string | undefined): boolean {
  return !row.expired && row.revoked_at === null && row.person_disabled_at === null && isAt(address, row.addresses);
}

function isPast(time: Date | null | undefined): boolean {
  return time != null && time.getTime() <= Date.now();
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
  if (request.cursor !== undefined) query.where('id', '<', decodeCursor(request.cursor, 'uuid')[0]);
  return pageOf(await query, limit, ({ id }) => [id], toToken);
}

/** Ends a token at once; a second time changes nothing. Throws NOT_FOUND. */
export async function revokeToken(catalog: Catalog, id: string): Promise<Token> {
  if (!UUID.test(id)) throw new HuitongError('NOT_FOUND', '没有该令牌 · there is no such token');
  const [row] = await catalog<TokenRow>('access_token')
    .where({ id })
    .update({ revoked_at: catalog.raw('coalesce(revoked_at, now())') })
    .returning('*');
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该令牌 · there is no such token');
  return toToken(row);
}

/** Callers that come together share one query. The bytes are a stranger's: not every 16 of them are a UUID. */
function findRow(catalog: Catalog, id: Buffer): Promise<JoinedRow | undefined> {
  let find = finders.get(catalog);
  if (find === undefined) {
    find = grouped((ids) => findRows(catalog, ids), limits.tokensAtOnceMax);
    finders.set(catalog, find);
  }
  return find(stringifyAny(id));
}

const finders = new WeakMap<Catalog, (id: string) => Promise<JoinedRow | undefined>>();

async function findRows(catalog: Catalog, ids: string[]): Promise<(JoinedRow | undefined)[]> {
  const rows = await catalog('access_token')
    .leftJoin('person', 'person.id', 'access_token.person')
    .whereRaw('access_token.id = any(?::uuid[])', [[...new Set(ids)]])
    .select<JoinedRow[]>(
      'access_token.*',
      {
        person_department: 'person.department',
        person_login: 'person.login',
        person_roles: 'person.roles',
        person_disabled_at: 'person.disabled_at',
      },
      // By the one clock that all servers share.
      catalog.raw('coalesce(access_token.expires_at <= now(), false) as expired'),
      catalog.raw('coalesce(previous_expires_at <= now(), true) as former_ended'),
    );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id));
}

function stringifyAny(id: Buffer): string {
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function secretOf(id: string, random: Uint8Array): string {
  return PREFIX + Buffer.concat([parse(id), random]).toString('base64url');
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
    ...(row.addresses === null ? {} : { addresses: row.addresses }),
    ...(row.person === null ? {} : { person: row.person }),
    ...(row.previous_expires_at === null || isPast(row.previous_expires_at)
      ? {}
      : { formerSecretUntil: row.previous_expires_at.toISOString() }),
  };
}
