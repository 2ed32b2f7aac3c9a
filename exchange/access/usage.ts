/** What is used of a grant, by day: the quota's count, and what its provider is shown before revoking it. */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Grant } from './grants.ts';

export type Use = 'read' | 'lookup';

/**
 * Counts before anything leaves, in one statement: of callers that race for what is left, only as many pass. What
 * fails afterwards stays counted.
 * @throws QUOTA_EXCEEDED, and nothing is counted
 */
export async function countUse(catalog: Catalog, grant: Grant, use: Use, count = 1): Promise<void> {
  if (grant.epoch === null) return;
  const most = (use === 'read' ? grant.quota.readsPerDay : grant.quota.lookupsPerDay) ?? Number.MAX_SAFE_INTEGER;
  const { rows } = await catalog.raw<{ rows: unknown[] }>(COUNT, { grant: grant.id, use, count, most });
  if (rows.length === 0)
    throw new HuitongError('QUOTA_EXCEEDED', `每日 ${most} 次的额度已用完 · the quota of ${most} a day is used up`);
}

const COUNT = `
  insert into grant_usage as today ("grant", mode, day, used)
  select :grant::uuid, :use, (now() at time zone 'Asia/Shanghai')::date, :count::bigint where :count::bigint <= :most::bigint
  on conflict ("grant", mode, day) do update set used = today.used + excluded.used
    where today.used + excluded.used <= :most::bigint
  returning used`;

/** What ends, or goes on, when a grant is revoked. */
export interface GrantImpact {
  /** Downloads that go on now. */
  readingNow: number;
  /** In the last 30 days, today included. */
  reads: number;
  lookups: number;
  /** The last day of any use, YYYY-MM-DD in Asia/Shanghai. */
  lastUsed: string | null;
  /** Other grants of the same department for the same dataset that stay usable. */
  remaining: string[];
}

export async function impactOf(catalog: Catalog, grant: { id: string }): Promise<GrantImpact> {
  const { rows } = await catalog.raw<{ rows: [GrantImpact] }>(IMPACT, {
    grant: grant.id,
    holder: leaseHolder(grant.id, '%'),
  });
  return rows[0];
}

const IMPACT = `
  select
    (select count(distinct id)::int from lease where holder like :holder and expires_at > now()) as "readingNow",
    coalesce(sum(used) filter (where mode = 'read' and recent), 0)::float8 as reads,
    coalesce(sum(used) filter (where mode = 'lookup' and recent), 0)::float8 as lookups,
    max(day)::text as "lastUsed",
    array(
      select other.id::text from access_grant other join access_grant this on this.id = :grant::uuid
      where other.grantee = this.grantee and other.dataset = this.dataset and other.id <> this.id
        and other.state = 'active' and other.expires_at > now()
      order by other.id desc limit 100
    ) as remaining
  from (
    select *, day > (now() at time zone 'Asia/Shanghai')::date - 30 as recent
    from grant_usage where "grant" = :grant::uuid
  ) usage`;

/** Names a read in its lease, so that running reads of a grant can be counted. */
export function leaseHolder(grant: string, session: string): string {
  return `grant:${grant} read:${session}`;
}
