/**
 * People who may sign in. An administrator says who they are, of which department, and in which roles; a password or an
 * identity provider then tells that it is they. Nobody is ever deleted: the log speaks of them.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { getDepartment } from '../../catalog/departments.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Person } from '../../schemas/generated/api.ts';
import type { Actor } from '../access/explicit-grants.ts';
import { requireSeparateRoles } from '../access/rights.ts';
import { addLeaf } from '../publication/outbox.ts';
import { UUID } from '../publication/rows.ts';
import { hashPassword, temporaryPassword } from './password.ts';

export interface PersonRow {
  id: string;
  department: string;
  login: string;
  name: string;
  roles: Person['roles'];
  password_hash: string | null;
  password_temporary: boolean;
  issuer: string | null;
  issuer_subject: string | null;
  failures: number;
  locked_until: Date | null;
  created_at: Date;
  disabled_at: Date | null;
}

export interface CreatePerson {
  department: string;
  /** Lower case; by default also the name that the identity provider knows them by. */
  login: string;
  name: string;
  roles: Person['roles'];
  /** Whether they get a (temporary) password; false: they come through the identity provider only. */
  withPassword: boolean;
}

export interface PersonWithPassword {
  person: Person;
  /** Shown once; must be changed at the first sign-in. Absent where there is none. */
  temporaryPassword?: string;
}

/** @throws LOGIN_TAKEN, ROLES_CONFLICT, REQUEST_INVALID; NOT_FOUND for the department */
export async function createPerson(catalog: Catalog, actor: Actor, request: CreatePerson): Promise<PersonWithPassword> {
  const { department, login, name, roles, withPassword } = request;
  requireSeparateRoles(roles);
  await getDepartment(catalog, department);
  const password = withPassword ? temporaryPassword() : undefined;
  const password_hash = password === undefined ? null : await hashPassword(password);
  return catalog.transaction(async (transaction) => {
    const row = { id: uuidv7(), department, login, name, roles, password_hash, password_temporary: withPassword };
    const [inserted] = await transaction<PersonRow>('person').insert(row).onConflict('login').ignore().returning('*');
    if (inserted === undefined) {
      throw new HuitongError('LOGIN_TAKEN', '该登录名已有账号 · another account has this login', { pointer: '/login' });
    }
    await record(transaction, actor, 'person.create', inserted);
    return { person: toPerson(inserted), ...(password === undefined ? {} : { temporaryPassword: password }) };
  });
}

/** By login. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listPeople(
  catalog: Catalog,
  request: { department?: string; limit?: number; cursor?: string } = {},
): Promise<Page<Person>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog('person')
    .select<PersonRow[]>('*')
    .orderBy('login')
    .limit(limit + 1);
  if (request.department !== undefined) query.where({ department: request.department });
  if (request.cursor !== undefined) query.where('login', '>', decodeCursor(request.cursor, 'text')[0]);
  return pageOf(await query, limit, ({ login }) => [login], toPerson);
}

/** Throws NOT_FOUND. */
export async function getPerson(catalog: Catalog, login: string): Promise<Person> {
  const row = await catalog<PersonRow>('person').where({ login }).first();
  if (row === undefined) throw noPerson();
  return toPerson(row);
}

export interface ChangePerson {
  department?: string;
  name?: string;
  roles?: Person['roles'];
  /** Disabled: every session of theirs ends now. Enabling also forgets failed sign-ins. */
  disabled?: boolean;
}

/** Holds for the person's next call, also of sessions that are open. Throws NOT_FOUND, ROLES_CONFLICT. */
export async function changePerson(catalog: Catalog, actor: Actor, id: string, change: ChangePerson): Promise<Person> {
  if (change.roles) requireSeparateRoles(change.roles);
  if (change.department !== undefined) await getDepartment(catalog, change.department);
  const { disabled, ...columns } = change;
  return catalog.transaction(async (transaction) => {
    const [row] = await transaction<PersonRow>('person')
      .where({ id: known(id) })
      .update({
        ...columns,
        ...(disabled === true && { disabled_at: transaction.raw('coalesce(disabled_at, now())') }),
        ...(disabled === false && { disabled_at: null, failures: 0, locked_until: null }),
        // An empty change is none, and still says whether there is such a person.
        id,
      })
      .returning('*');
    if (row === undefined) throw noPerson();
    await record(transaction, actor, 'person.change', row);
    return toPerson(row);
  });
}

/** A new temporary password; every session of theirs ends now. Throws NOT_FOUND. */
export async function resetPassword(catalog: Catalog, actor: Actor, id: string): Promise<PersonWithPassword> {
  const password = temporaryPassword();
  const password_hash = await hashPassword(password);
  return catalog.transaction(async (transaction) => {
    const [row] = await transaction<PersonRow>('person')
      .where({ id: known(id) })
      .update({ password_hash, password_temporary: true, failures: 0, locked_until: null })
      .returning('*');
    if (row === undefined) throw noPerson();
    await endSessions(transaction, row.id);
    await record(transaction, actor, 'person.reset-password', row);
    return { person: toPerson(row), temporaryPassword: password };
  });
}

export async function endSessions(catalog: Catalog, person: string): Promise<void> {
  await catalog('access_token').where({ person, revoked_at: null }).update({ revoked_at: catalog.fn.now() });
}

export function toPerson(row: PersonRow): Person {
  return {
    id: row.id,
    department: row.department,
    login: row.login,
    name: row.name,
    roles: row.roles,
    signsInWith: [
      ...(row.password_hash === null ? [] : ['password' as const]),
      ...(row.issuer === null ? [] : ['oidc' as const]),
    ],
    createdAt: row.created_at.toISOString(),
    disabledAt: row.disabled_at?.toISOString() ?? null,
    lockedUntil: row.locked_until && row.locked_until.getTime() > Date.now() ? row.locked_until.toISOString() : null,
  };
}

async function record(transaction: Catalog, actor: Actor, action: string, row: PersonRow): Promise<void> {
  await addLeaf(transaction, {
    ...actor,
    action,
    object: `person/${row.id}`,
    decision: 'allow',
    detail: { department: row.department, roles: row.roles.join(' '), disabled: row.disabled_at !== null },
  });
}

/** An id that is none at all matches no row, rather than being refused by PostgreSQL. */
function known(id: string): string {
  if (UUID.test(id)) return id;
  throw noPerson();
}

function noPerson(): HuitongError {
  return new HuitongError('NOT_FOUND', '没有该人员 · there is no such person');
}
