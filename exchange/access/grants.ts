/**
 * The grant: the only way to data. Two kinds are implicit, and take the same path as any other: a department's own
 * data, and the unconditional items of everybody's. Explicit ones were made by the provider (explicit-grants.ts).
 *
 * A reader may name an explicit grant; then that one is used or nothing. Else the best of those that can be used now:
 *   1. one that gives every column asked for (where columns are asked for)
 *   2. one without a row filter
 *   3. the one that gives the most columns; where columns are asked for, the one that masks fewest of them
 *   4. an implicit one before an explicit one, which has an end and perhaps a quota; then the newest
 */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Dataset } from '../../schemas/generated/api.ts';
import type { GrantTerms } from '../../schemas/generated/grant-terms.ts';
import { UUID } from '../publication/rows.ts';
import { isAt } from './addresses.ts';
import type { GrantRow } from './explicit-grants.ts';
import { givenItems, type Policy, policyOf } from './policy/policy.ts';
import { mayEver, type Principal } from './rights.ts';

export type Mode = GrantTerms['modes'][number];

export interface Grant {
  /** As it stands in the audit log: `implicit:own`, `implicit:unconditional`, or an explicit grant's id. */
  id: string;
  grantee: string;
  dataset: string;
  /** The columns that it gives, in the contract's order; null: all of them, now and later. */
  columns: string[] | null;
  /** What masks and row filter make of them; null: they are given as they are. */
  policy: Policy | null;
  modes: Mode[];
  /** Under the mode `verify`: the questions that it may ask, by name. */
  verifications: string[];
  quota: NonNullable<GrantTerms['quota']>;
  /** What it was given for; implicit grants need no purpose. */
  purpose?: string;
  matter?: string;
  /**
   * When it ends, on the scale of `performance.now()`: what is left was counted by PostgreSQL's clock, and no other can
   * be set under it (FAULTS 18). Null: as long as the dataset stays as it is.
   */
  endsAt: number | null;
  /** Raised with every change of state: a stream that began under an older one ends. Null for implicit grants. */
  epoch: number | null;
}

export interface GrantQuery {
  principal: Principal;
  dataset: Dataset;
  mode: Mode;
  /** The columns asked for; absent: all that there are. */
  columns?: string[];
  /** An explicit grant's id. */
  grant?: string;
  /** What it is for: grants for that are preferred. */
  purpose?: string;
  /** The caller's IP address; absent where there is none to know, and then no grant bound to addresses is given. */
  address?: string;
}

/**
 * @throws NOT_FOUND where there is none: the same as for a dataset that does not exist
 * @throws GRANT_NOT_USABLE where the only ones are the caller's own and suspended, ended, not yet valid or of another
 * mode: the caller knows its own grants, and learns nothing else
 */
export async function resolveGrant(catalog: Catalog, query: GrantQuery): Promise<Grant> {
  const { principal, dataset, mode } = query;
  if (!mayEver(principal, 'dataset.read')) throw none();
  // Revoked (decision 0238): its owner keeps it; to everybody else it is as if it were not.
  if (dataset.state === 'revoked' && dataset.department !== principal.department) throw none();
  const rows = await ownRows(catalog, query);
  const usable = rows.filter((row) => whyNot(row, mode) === undefined).map((row) => explicitGrant(row, dataset));
  const candidates = query.grant === undefined ? [...implicitGrants(principal, dataset, mode), ...usable] : usable;
  const [best] = candidates.sort((a, b) => preference(a, b, query));
  if (best !== undefined) return best;
  const [newest] = rows;
  if (newest === undefined) throw none();
  throw unusable(newest.id, whyNot(newest, mode) ?? ended.expired);
}

/** @throws GRANT_NOT_USABLE where it was suspended, resumed, revoked or has expired since it was resolved */
export async function assertStillUsable(catalog: Catalog, grant: Grant): Promise<void> {
  if (grant.epoch === null) return;
  const row = await catalog('access_grant')
    .where({ id: grant.id })
    .first<Pick<TimedRow, 'state' | 'epoch' | 'left_ms'> | undefined>('state', 'epoch', catalog.raw(LEFT));
  if (row?.epoch === grant.epoch && row.state === 'active' && row.left_ms > 0) return;
  throw notUsable(grant, row === undefined || row.state === 'active' ? 'expired' : row.state);
}

export function hasExpired({ endsAt }: Grant): boolean {
  return endsAt !== null && endsAt <= performance.now();
}

/** Time by PostgreSQL's clock. */
interface TimedRow extends GrantRow {
  left_ms: number;
  begun: boolean;
}

const LEFT = '(extract(epoch from expires_at - now()) * 1000)::float8 as left_ms';
const BEGUN = 'not_before <= now() as begun';

const ended = {
  suspended: { zh: '已暂停', en: 'suspended' },
  revoked: { zh: '已撤销', en: 'revoked' },
  expired: { zh: '已到期', en: 'expired' },
};

export function notUsable({ id }: Grant, why: keyof typeof ended): HuitongError {
  return unusable(id, ended[why]);
}

function unusable(id: string, { zh, en }: { zh: string; en: string }): HuitongError {
  return new HuitongError('GRANT_NOT_USABLE', `授权${zh} · the grant is ${en}`, { at: id });
}

/** Grants of the caller's own department, newest first; one that is bound to other addresses is as if it were not. */
async function ownRows(catalog: Catalog, { principal, dataset, grant, address }: GrantQuery): Promise<TimedRow[]> {
  if (grant !== undefined && !UUID.test(grant)) return [];
  const query = catalog('access_grant')
    .where({ grantee: principal.department, dataset: dataset.code })
    .orderByRaw(`(state = 'active' and expires_at > now()) desc, id desc`)
    .limit(GRANTS_CONSIDERED_MAX)
    .select<TimedRow[]>('*', catalog.raw(LEFT), catalog.raw(BEGUN));
  if (grant !== undefined) query.where({ id: grant });
  return (await query).filter(({ terms }) => isAt(address, terms.addresses));
}

/** Of one department for one dataset; the newest that are active come first. */
const GRANTS_CONSIDERED_MAX = 100;

function whyNot({ state, terms, ...row }: TimedRow, mode: Mode): { zh: string; en: string } | undefined {
  if (state !== 'revoked' && row.left_ms <= 0) return ended.expired;
  if (state !== 'active') return ended[state];
  if (!row.begun) return { zh: '尚未生效', en: 'not yet valid' };
  return terms.modes.includes(mode) ? undefined : { zh: `不含方式 ${mode}`, en: `not for ${mode}` };
}

function implicitGrants({ department }: Principal, dataset: Dataset, mode: Mode): Grant[] {
  if (mode !== 'bulk' && mode !== 'changes') return [];
  const terms = {
    grantee: department,
    dataset: dataset.code,
    policy: null,
    modes: [mode],
    verifications: [],
    quota: {},
    endsAt: null,
  };
  if (dataset.department === department) return [{ ...terms, id: 'implicit:own', columns: null, epoch: null }];
  const given = dataset.items.filter(({ sharingClass }) => sharingClass === 'unconditional');
  if (given.length === 0) return [];
  // A column that the contract does not name is not an item, and was never declared unconditional: hence a list.
  return [{ ...terms, id: 'implicit:unconditional', columns: given.map(({ name }) => name), epoch: null }];
}

function explicitGrant(row: TimedRow, dataset: Dataset): Grant {
  const { terms } = row;
  const given = new Set(givenItems(terms));
  return {
    id: row.id,
    grantee: row.grantee,
    dataset: row.dataset,
    columns: dataset.items.map(({ name }) => name).filter((name) => given.has(name)),
    policy: policyOf(terms),
    modes: terms.modes,
    verifications: terms.verifications ?? [],
    quota: terms.quota ?? {},
    purpose: terms.purpose,
    ...(terms.matter === undefined ? {} : { matter: terms.matter }),
    endsAt: performance.now() + row.left_ms,
    epoch: row.epoch,
  };
}

/** Negative where `a` is to be preferred. */
function preference(a: Grant, b: Grant, { columns: asked, purpose }: GrantQuery): number {
  const measures = (grant: Grant): number[] => {
    const all = grant.columns ?? asked ?? [];
    const missing = (asked ?? []).filter((name) => !all.includes(name)).length;
    const masks = grant.policy?.masks ?? {};
    return [
      purpose === undefined || grant.purpose === purpose ? 0 : 1,
      missing,
      grant.policy?.rowFilter ? 1 : 0,
      asked === undefined && grant.columns !== null ? -grant.columns.length : Number.NEGATIVE_INFINITY,
      (asked ?? all).filter((name) => Object.hasOwn(masks, name)).length,
      grant.epoch === null ? 0 : 1,
    ];
  };
  const [left, right] = [measures(a), measures(b)];
  const decisive = left.findIndex((measure, i) => measure !== right[i]);
  if (decisive >= 0) return (left[decisive] as number) < (right[decisive] as number) ? -1 : 1;
  return a.id > b.id ? -1 : 1;
}

function none(): HuitongError {
  return new HuitongError('NOT_FOUND', 'there is no grant');
}
