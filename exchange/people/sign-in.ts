/**
 * Sign-in with a password. A wrong login, a wrong password, a closed account and a disabled one get one answer, after
 * the same work; each is in the audit log before it is given.
 */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Person } from '../../schemas/generated/api.ts';
import type { Access } from '../access/access.ts';
import { mintToken } from '../access/tokens.ts';
import { keyedHash } from '../audit/leaf.ts';
import { checkPassword, hashPassword, requireStrong } from './password.ts';
import { endSessions, type PersonRow, toPerson } from './people.ts';

export interface Session {
  /** A bearer token, shown once. */
  secret: string;
  expiresAt: string;
  person: Person;
}

export interface PasswordSignIn {
  login: string;
  password: string;
  /** Replaces the password; needed where it is a temporary one. All other sessions of theirs end. */
  newPassword?: string;
}

/**
 * @throws SIGN_IN_FAILED; SIGN_IN_UNAVAILABLE where too many wait
 * @throws PASSWORD_CHANGE_REQUIRED, PASSWORD_WEAK: only to who knows the password
 */
export async function signIn(access: Access, request: PasswordSignIn): Promise<Session> {
  const { catalog } = access.publication;
  const login = request.login.trim().toLowerCase();
  const row = await catalog<PersonRow>('person').where({ login }).first();
  const correct = await checkPassword(request.password, row?.password_hash ?? null);
  if (row === undefined || !correct || !isOpen(row)) {
    // A guess at a closed account keeps it closed no longer: else anybody could lock a person out for good.
    if (row !== undefined && !correct && isOpen(row)) await countFailure(catalog, row.id);
    throw await refused(access, login, 'password');
  }
  if (request.newPassword === undefined) {
    if (row.password_temporary)
      throw new HuitongError('PASSWORD_CHANGE_REQUIRED', '当前为临时密码 · the password is a temporary one');
    await catalog('person').where({ id: row.id }).update({ failures: 0, locked_until: null });
  } else await replacePassword(catalog, row, request.newPassword);
  return openSession(access, row, 'password');
}

/** The session of somebody who proved who they are. It is in the log before its secret leaves. */
export async function openSession(access: Access, row: PersonRow, means: 'password' | 'oidc'): Promise<Session> {
  const expiresAt = new Date(Date.now() + limits.signInSessionMs).toISOString();
  const { department, login: subject, roles, id: person } = row;
  const { token, secret } = await mintToken(access.publication.catalog, {
    department,
    subject,
    roles,
    expiresAt,
    person,
    label: `sign-in: ${means}`,
  });
  await access.audit.append({
    actor: `token:${token.id}`,
    subject: keyedHash(access.subjectKey, subject),
    onBehalfOf: department,
    action: 'sign-in',
    object: `person/${row.id}`,
    decision: 'allow',
    detail: { means },
  });
  return { secret, expiresAt, person: toPerson(row) };
}

/** The refusal, once it is in the log. */
export async function refused(access: Access, login: string, means: 'password' | 'oidc'): Promise<HuitongError> {
  await access.audit.append({
    actor: 'anonymous',
    subject: keyedHash(access.subjectKey, login),
    action: 'sign-in',
    object: 'person',
    decision: 'deny',
    rule: 'SIGN_IN_FAILED',
    detail: { means },
  });
  return new HuitongError('SIGN_IN_FAILED', '未能登录 · nobody could be signed in with that');
}

export function isOpen(row: PersonRow): boolean {
  return row.disabled_at === null && (row.locked_until === null || row.locked_until.getTime() <= Date.now());
}

/** From the fifth failure on the account is closed for a minute, then two, four, … at most an hour. */
async function countFailure(catalog: Catalog, id: string): Promise<void> {
  await catalog.raw(
    `update person set failures = failures + 1,
       locked_until = case when failures + 1 < 5 then null
         else now() + least(interval '1 hour', interval '1 minute' * power(2, least(failures + 1 - 5, 10))) end
     where id = ?`,
    [id],
  );
}

async function replacePassword(catalog: Catalog, row: PersonRow, password: string): Promise<void> {
  requireStrong(password, row.login);
  const password_hash = await hashPassword(password);
  await catalog.transaction(async (transaction) => {
    await transaction('person')
      .where({ id: row.id })
      .update({ password_hash, password_temporary: false, failures: 0, locked_until: null });
    await endSessions(transaction, row.id);
  });
}
