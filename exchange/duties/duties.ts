/** What is owed, by whom, until when: one list over requests and cases. */
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { limits } from '../../lib/limits.ts';
import { type CaseDuty, type CaseKind, caseDuties } from '../../lib/pure/case-states.ts';
import { duties as requestDuties } from '../../lib/pure/request-states.ts';
import type { Duty } from '../../schemas/generated/api.ts';
import { dutyResource, type PresentedDuty } from '../access/requests/list.ts';
import { listingLimit, type Principal } from '../access/rights.ts';

export interface ListDuties {
  /** Whose: only where the role sees every department's. */
  department?: string;
  of?: 'request' | CaseKind;
  dataset?: string;
  overdue?: boolean;
  limit?: number;
  cursor?: string;
}

interface OpenDutyRow extends PresentedDuty {
  of: NonNullable<ListDuties['of']>;
  id: string;
  dataset: string;
  state: string;
}

/** Open duties, the most urgent first; the viewer's own department's, or everybody's where the role sees all. */
export async function listDuties(catalog: Catalog, principal: Principal, asked: ListDuties = {}): Promise<Page<Duty>> {
  const limit = Math.min(asked.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog
    .from(catalog.raw(`(${OPEN}) as open`))
    .orderBy([{ column: 'deadline' }, { column: 'id' }])
    .limit(limit + 1)
    .select<OpenDutyRow[]>('*');
  const own = listingLimit(principal, 'duty.read');
  if (own !== undefined) query.where('department', own);
  if (asked.department !== undefined) query.where('department', asked.department);
  if (asked.of !== undefined) query.where('of', asked.of);
  if (asked.dataset !== undefined) query.where('dataset', asked.dataset);
  if (asked.overdue === true) query.whereNotNull('overdue_at');
  if (asked.overdue === false) query.whereNull('overdue_at');
  if (asked.cursor !== undefined)
    query.whereRaw('(deadline, id) > (?, ?)', [...decodeCursor(asked.cursor, 'time', 'uuid')]);
  return pageOf(await query, limit, ({ deadline, id }) => [deadline.toISOString(), id], toDuty);
}

const OPEN = `
  select 'request' as of, request.id, dataset, state, duty, party, open.department, began_at, deadline, provisional,
    policy_version, overdue_at
  from request_duty open join request on request.id = open.request where ended_at is null and duty <> 'objection'
  union all
  select kind, duty_case.id, dataset, state, duty, party, open.department, began_at, deadline, provisional,
    policy_version, overdue_at
  from duty_case_duty open join duty_case on duty_case.id = open."case"
  where ended_at is null and duty <> 'correction-objection'`;

function toDuty(row: OpenDutyRow): Duty {
  const words =
    row.of === 'request' ? requestDuties[row.duty as keyof typeof requestDuties] : caseDuties[row.duty as CaseDuty];
  const { of, id, dataset, state } = row;
  return { of, id, dataset, state, ...dutyResource(row, words) };
}
