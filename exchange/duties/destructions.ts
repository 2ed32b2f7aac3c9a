/**
 * Grants that answer no request have no workflow that would ask for the destruction of the copies at their end: that is
 * asked for here. A grant that answers a request is asked about by the request (DESTRUCTION_PENDING).
 */
import type { Catalog } from '../../catalog/database.ts';
import { openCase, systemActor } from './open.ts';

interface EndedGrant {
  id: string;
  grantee: string;
  provider: string;
  dataset: string;
  ended_at: Date;
}

/**
 * Opens a case for each grant that has ended and was ever used; one that was never used left no copies. The time counts
 * from the grant's end. Gives how many were opened; repeating it is harmless.
 */
export async function openDestructions(catalog: Catalog, at: Date): Promise<number> {
  const { rows } = await catalog.raw<{ rows: EndedGrant[] }>(ENDED);
  for (const { id, grantee, provider, dataset, ended_at } of rows) {
    await catalog.transaction((transaction) =>
      openCase(transaction, {
        ...{ kind: 'destruction', cause: `grant/${id}`, department: grantee, provider, dataset, version: null },
        ...{ person: null, actor: systemActor, at, from: ended_at },
      }),
    );
  }
  return rows.length;
}

const ENDED = `
  select id, grantee, provider, dataset, case state when 'revoked' then changed_at else expires_at end as ended_at
  from access_grant ended
  where request is null and (state in ('revoked', 'expired') or expires_at <= now())
    and exists (select from grant_usage where "grant" = ended.id and used > 0)
    and not exists (
      select from duty_case
      where kind = 'destruction' and cause = 'grant/' || ended.id and department = ended.grantee
    )
  order by id`;
