/**
 * Explicit grants: made by the provider (normally as the end of a request), never changed, ended early where they must
 * be. Each change writes its leaf into the audit outbox in its own transaction. How one is chosen for a read: grants.ts.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { getDataset } from '../../catalog/datasets.ts';
import { getDepartment } from '../../catalog/departments.ts';
import { readSchemaMessage } from '../../columnar/message.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Dataset } from '../../schemas/generated/api.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import { addLeaf } from '../publication/outbox.ts';
import type { Publication } from '../publication/publication.ts';
import { UUID } from '../publication/rows.ts';
import { readManifest, resolveVersion } from '../publication/versions.ts';
import { addressList } from './addresses.ts';
import { compilePolicy } from './policy/compile.ts';
import { givenItems, type Policy, policyOf } from './policy/policy.ts';
import { requireTerms } from './policy/terms.ts';

export type GrantState = 'active' | 'suspended' | 'revoked' | 'expired';

export interface ExplicitGrant {
  id: string;
  terms: GrantTerms;
  /** The department whose dataset it is. */
  provider: string;
  /** `expired` from the moment that it is, also where nobody has noted it yet. */
  state: GrantState;
  epoch: number;
  /** The request that it answers. */
  request: string | null;
  /** Why it was suspended or revoked. */
  reason: string | null;
  createdBy: string;
  createdAt: Date;
  changedAt: Date;
}

/** Who acts, as leaves name them: `actorOf(access, principal)`, or `{ actor: 'request:<id>' }`. */
export type Actor = Pick<AuditLeaf, 'actor' | 'subject' | 'onBehalfOf'>;

export interface GrantRow {
  id: string;
  grantee: string;
  dataset: string;
  provider: string;
  terms: GrantTerms;
  policy_digest: string | null;
  not_before: Date;
  expires_at: Date;
  request: string | null;
  state: GrantState;
  epoch: number;
  reason: string | null;
  created_by: string;
  created_at: Date;
  changed_at: Date;
}

export interface CreateGrant {
  terms: unknown;
  actor: Actor;
  request?: string;
  /** For a caller that must find the same grant again when it repeats the call (an activity); default: a new one. */
  id?: string;
}

/**
 * What `createGrant` would make of these terms, before anybody decides on them.
 * @throws POLICY_INVALID for terms, masks or a filter that do not fit the contract, with pointers
 * @throws ITEM_NOT_SHARED for an item that the catalog does not share; NOT_FOUND, ENTRY_NOT_IN_FORCE for the dataset
 */
export async function checkGrant(publication: Publication, asked: unknown): Promise<CheckedGrant> {
  const { catalog } = publication;
  const terms = requireTerms(asked);
  const dataset = await getDataset(catalog, terms.dataset);
  assertInForce(dataset);
  await assertGrantee(catalog, terms, dataset);
  assertItems(terms, dataset);
  assertVerifications(terms, dataset);
  assertTerm(terms);
  addressList(terms.addresses ?? [], (message, i) => invalid(message, `/addresses/${i}`));
  const policy = policyOf(terms);
  if (policy !== null) await assertCompiles(publication, policy, dataset);
  return { terms, dataset, policy };
}

interface CheckedGrant {
  terms: GrantTerms;
  dataset: Dataset;
  policy: Policy | null;
}

/** Throws as `checkGrant` does. */
export async function createGrant(publication: Publication, request: CreateGrant): Promise<ExplicitGrant> {
  const { catalog } = publication;
  const id = request.id ?? uuidv7();
  const { terms, dataset, policy } = await checkGrant(publication, request.terms);
  const row = {
    id,
    grantee: terms.grantee,
    dataset: dataset.code,
    provider: dataset.department,
    terms: JSON.stringify(terms),
    policy_digest: policy?.digest ?? null,
    not_before: terms.notBefore,
    expires_at: terms.expires,
    request: request.request ?? null,
    created_by: request.actor.actor,
  };
  return catalog.transaction(async (transaction) => {
    // A revocation of the dataset ends the grants that it finds: none comes after it.
    assertInForce(await transaction('dataset').where({ code: dataset.code }).forShare().first('code', 'state'));
    const inserted = await transaction('access_grant').insert(row).onConflict('id').ignore().returning<GrantRow[]>('*');
    if (inserted[0] === undefined) return getGrant(transaction, id);
    await addLeaf(transaction, { ...leafOf(inserted[0], request.actor), action: 'grant.created' });
    return toGrant(inserted[0]);
  });
}

/** Throws NOT_FOUND. */
export async function getGrant(catalog: Catalog, id: string): Promise<ExplicitGrant> {
  const row = UUID.test(id) ? await catalog<GrantRow>('access_grant').where({ id }).first() : undefined;
  if (row === undefined) throw noGrant();
  return toGrant(row);
}

export interface ListGrants {
  /** Only grants in which this department takes part, as grantee or provider. */
  department?: string;
  dataset?: string;
  grantee?: string;
  state?: GrantState;
  limit?: number;
  cursor?: string;
}

/** Newest first. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listGrants(catalog: Catalog, request: ListGrants = {}): Promise<Page<ExplicitGrant>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog('access_grant')
    .select<GrantRow[]>('*')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  const { department, dataset, grantee, state } = request;
  if (department !== undefined)
    query.where((either) => either.where({ grantee: department }).orWhere({ provider: department }));
  if (dataset !== undefined) query.where({ dataset });
  if (grantee !== undefined) query.where({ grantee });
  if (state !== undefined) query.whereRaw(`${STATE_NOW} = ?`, [state]);
  if (request.cursor !== undefined) query.where('id', '<', decodeCursor(request.cursor, 'uuid')[0]);
  return pageOf(await query, limit, ({ id }) => [id], toGrant);
}

export interface ChangeGrant {
  id: string;
  actor: Actor;
  /** Shown to both departments. */
  reason?: string;
}

/** Running downloads end within `limits.grantCheckBytes` twice. Throws NOT_FOUND, GRANT_ENDED. */
export function suspendGrant(catalog: Catalog, change: ChangeGrant): Promise<ExplicitGrant> {
  return changeState(catalog, change, 'suspended');
}

/** Throws NOT_FOUND, GRANT_ENDED. */
export function resumeGrant(catalog: Catalog, change: ChangeGrant): Promise<ExplicitGrant> {
  return changeState(catalog, change, 'active');
}

/** For good, at once. A second time changes nothing. Throws NOT_FOUND; GRANT_ENDED where it has expired. */
export function revokeGrant(catalog: Catalog, change: ChangeGrant): Promise<ExplicitGrant> {
  return changeState(catalog, change, 'revoked');
}

/** Notes what time has ended, with a leaf for each; it was refused before that already. Gives how many. */
export async function expireGrants(catalog: Catalog): Promise<number> {
  return catalog.transaction(async (transaction) => {
    const rows = await transaction('access_grant')
      .whereIn('state', ['active', 'suspended'])
      .where('expires_at', '<=', transaction.fn.now())
      .update({ state: 'expired', epoch: transaction.raw('epoch + 1'), changed_at: transaction.fn.now() })
      .returning<GrantRow[]>('*');
    for (const row of rows) {
      await addLeaf(transaction, { ...leafOf(row, { actor: 'system:exchange' }), action: 'grant.expired' });
    }
    return rows.length;
  });
}

/** Revokes every grant of a dataset, those that answer a request too; in the transaction that ends the dataset. */
export async function endGrantsOf(
  transaction: Catalog,
  { dataset, actor, reason }: { dataset: string; actor: Actor; reason: string },
): Promise<void> {
  const rows = await transaction('access_grant')
    .where({ dataset })
    .whereIn('state', ['active', 'suspended'])
    .where('expires_at', '>', transaction.fn.now())
    .update({ state: 'revoked', epoch: transaction.raw('epoch + 1'), reason, changed_at: transaction.fn.now() })
    .returning<GrantRow[]>('*');
  for (const row of rows) await addLeaf(transaction, { ...leafOf(row, actor), action: 'grant.revoked' });
}

async function changeState(catalog: Catalog, change: ChangeGrant, state: GrantState): Promise<ExplicitGrant> {
  if (!UUID.test(change.id)) throw noGrant();
  return catalog.transaction(async (transaction) => {
    const before = await transaction<GrantRow>('access_grant').where({ id: change.id }).forUpdate().first();
    if (before === undefined) throw noGrant();
    const now = toGrant(before).state;
    if (now === state) return toGrant(before);
    if (now === 'revoked' || now === 'expired')
      throw new HuitongError('GRANT_ENDED', `授权已终止 · the grant is ${now}`);
    const [row] = await transaction('access_grant')
      .where({ id: change.id })
      .update({ state, epoch: before.epoch + 1, reason: change.reason ?? null, changed_at: transaction.fn.now() })
      .returning<GrantRow[]>('*');
    const action = state === 'active' ? 'grant.resumed' : `grant.${state}`;
    await addLeaf(transaction, { ...leafOf(row as GrantRow, change.actor), action });
    return toGrant(row as GrantRow);
  });
}

/** What a grant's state is at this moment, in SQL. */
const STATE_NOW = `case when state in ('active', 'suspended') and expires_at <= now() then 'expired' else state end`;

export function toGrant(row: GrantRow): ExplicitGrant {
  const over = row.expires_at.getTime() <= Date.now() && row.state !== 'revoked';
  return {
    id: row.id,
    terms: row.terms,
    provider: row.provider,
    state: over ? 'expired' : row.state,
    epoch: row.epoch,
    request: row.request,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  };
}

function leafOf(row: GrantRow, actor: Actor): Omit<AuditLeaf, 'time' | 'outbox' | 'action'> {
  const { purpose, matter } = row.terms;
  return {
    ...actor,
    object: `dataset/${row.dataset}`,
    grant: row.id,
    decision: 'allow',
    purpose,
    ...(matter === undefined ? {} : { matter }),
    detail: { grantee: row.grantee, epoch: row.epoch, ...(row.request === null ? {} : { request: row.request }) },
  };
}

function assertInForce({ code, state }: Pick<Dataset, 'code' | 'state'>): void {
  if (state !== 'revoked') return;
  throw new HuitongError('ENTRY_NOT_IN_FORCE', '目录条目已撤销 · the catalog entry was revoked', { at: code });
}

async function assertGrantee(catalog: Catalog, terms: GrantTerms, dataset: Dataset): Promise<void> {
  if (terms.grantee === dataset.department) {
    throw invalid('本部门数据无需授权 · a department reads its own data without a grant', '/grantee');
  }
  await getDepartment(catalog, terms.grantee).catch((e: unknown) => {
    throw isHuitongError(e, 'NOT_FOUND') ? invalid('没有该部门 · there is no such department', '/grantee') : e;
  });
}

function assertItems(terms: GrantTerms, dataset: Dataset): void {
  const items = new Map(dataset.items.map((item) => [item.name, item]));
  terms.items.forEach((name, i) => {
    const item = items.get(name);
    if (item === undefined) throw invalid('数据契约中没有该数据项 · the contract has no such item', `/items/${i}`);
    if (item.sharingClass === 'not-shared') {
      throw new HuitongError('ITEM_NOT_SHARED', '目录规定该数据项不予共享 · the catalog does not share this item', {
        pointer: `/items/${i}`,
      });
    }
  });
  const masked = Object.keys(terms.masks ?? {}).find((name) => !terms.items.includes(name));
  if (masked !== undefined) throw invalid('只能对授权的数据项脱敏 · a mask is for an item that is granted', '/masks');
  if (givenItems(terms).length === 0) throw invalid('所有数据项都被去除 · every item is dropped', '/masks');
}

function assertVerifications({ modes, verifications }: GrantTerms, dataset: Dataset): void {
  if (modes.includes('verify') !== (verifications !== undefined)) {
    throw invalid(
      '核验方式与核验项须一并给出 · the mode verify and the verifications that it is for belong together',
      '/verifications',
    );
  }
  verifications?.forEach((name, i) => {
    if (Object.hasOwn(dataset.verifications ?? {}, name)) return;
    throw invalid('该数据集没有此核验项 · the dataset has no such verification', `/verifications/${i}`);
  });
}

function assertTerm({ notBefore, expires }: GrantTerms): void {
  if (!(Date.parse(notBefore) < Date.parse(expires)))
    throw invalid('截止时间早于起始时间 · it ends before it begins', '/expires');
  if (!(Date.parse(expires) > Date.now())) throw invalid('截止时间已过 · it has ended already', '/expires');
}

/** Against the version that is read now: types are the version's, not only the contract's. */
async function assertCompiles(publication: Publication, policy: Policy, dataset: Dataset): Promise<void> {
  if (dataset.currentVersion === null) {
    throw invalid(
      '脱敏与筛选须对照已发布的版本，请先发布 · masks and filters are checked against a version: publish one first',
      '/dataset',
    );
  }
  const version = await resolveVersion(publication, dataset.code, 'current');
  const manifest = await readManifest(publication, version);
  const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
  compilePolicy(policy, schema, policy.hashedFor === null ? null : new Uint8Array(32));
}

function invalid(message: string, pointer: string): HuitongError {
  return new HuitongError('POLICY_INVALID', message, { pointer });
}

function noGrant(): HuitongError {
  return new HuitongError('NOT_FOUND', '没有该授权 · there is no such grant');
}
