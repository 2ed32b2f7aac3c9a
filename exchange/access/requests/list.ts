/** Requests as departments see them. */
import type { Catalog } from '../../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../../lib/cursor.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { possibleActions } from '../../../lib/pure/request-machine.ts';
import { duties, type Party, type RequestState, requestStates, type Words } from '../../../lib/pure/request-states.ts';
import { officerActions, transitions } from '../../../lib/pure/request-transitions.ts';
import type { Request, RequestEvent } from '../../../schemas/generated/api.ts';
import { listingLimit, type Principal } from '../rights.ts';
import { openDuty } from './duty.ts';
import { partiesOf } from './parties.ts';
import { type DutyRow, type EventRow, factsOf, type RequestRow } from './requests.ts';

/** Who looks: the principal, and the keyed hash of the person. */
export interface Viewer {
  principal: Principal;
  person: string;
}

export interface ListRequests {
  /** `made`: by the viewer's department; `received`: of its datasets; `due`: it is the viewer's department's turn. */
  view?: 'made' | 'received' | 'due';
  state?: RequestState;
  dataset?: string;
  /** Of every department, for the supervisor: a duty's deadline is past. */
  overdue?: boolean;
  limit?: number;
  cursor?: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Newest first; those that the viewer's department made or received, or all where the role sees all. */
export async function listRequests(catalog: Catalog, viewer: Viewer, asked: ListRequests = {}): Promise<Page<Request>> {
  const { principal } = viewer;
  const limit = Math.min(asked.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = visible(catalog, principal)
    .orderBy('request.id', 'desc')
    .limit(limit + 1);
  if (asked.view === 'made') query.where('request.department', principal.department);
  if (asked.view === 'received') query.where('request.provider', principal.department);
  if (asked.view === 'due') query.where('duty.department', principal.department);
  if (asked.overdue === true) query.whereNotNull('duty.overdue_at');
  if (asked.overdue === false) query.whereNull('duty.overdue_at');
  if (asked.state !== undefined) query.where('request.state', asked.state);
  if (asked.dataset !== undefined) query.where('request.dataset', asked.dataset);
  if (asked.cursor !== undefined) query.where('request.id', '<', decodeCursor(asked.cursor, 'uuid')[0]);
  const rows = await query;
  const open = await openDuties(catalog, rows);
  return pageOf(
    rows,
    limit,
    ({ id }) => [id],
    (row) => toRequest(row, open.get(row.id)),
  );
}

/** With history, and with what the viewer may do now. Throws NOT_FOUND, also for what is no business of the viewer's. */
export async function getRequest(catalog: Catalog, viewer: Viewer, id: string): Promise<Request> {
  const row = await visibleRow(catalog, viewer.principal, id);
  const events = await catalog<EventRow>('request_event').where({ request: id }).orderBy('sequence');
  const caller = { parties: partiesOf(viewer.principal, row), person: viewer.person };
  const actions = possibleActions(factsOf(row), caller, officerActions).map((action) => {
    const { zh, en, needs = [] } = transitions[action];
    return { action, title: { zh, en }, needs: [...needs] };
  });
  return { ...toRequest(row, await openDuty(catalog, id)), actions, history: events.map(toEvent) };
}

/** As which parties the principal may act on a request. Throws NOT_FOUND, also for what is no business of theirs. */
export async function requestParties(catalog: Catalog, principal: Principal, id: string): Promise<Party[]> {
  return partiesOf(principal, await visibleRow(catalog, principal, id));
}

/** Requests that time still acts upon, in no order: whose workflows hear of a new policy or calendar. */
export async function requestsWithDuty(catalog: Catalog): Promise<string[]> {
  return catalog('request_duty').whereNull('ended_at').pluck('request');
}

/** Joined with the open duty, so that a listing can ask about it. */
function visible(catalog: Catalog, principal: Principal) {
  const query = catalog('request')
    .leftJoin('request_duty as duty', (join) => {
      join.on('duty.request', 'request.id').andOnNull('duty.ended_at');
    })
    .select<RequestRow[]>('request.*');
  const own = listingLimit(principal, 'request.read');
  if (own !== undefined) {
    query.where((either) => either.where('request.department', own).orWhere('request.provider', own));
  }
  return query;
}

/** The request where it is the principal's business. Throws NOT_FOUND. */
export async function visibleRow(catalog: Catalog, principal: Principal, id: string): Promise<RequestRow> {
  const row = UUID.test(id) ? await visible(catalog, principal).where('request.id', id).first() : undefined;
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该申请 · there is no such request', { at: id });
  return row;
}

async function openDuties(catalog: Catalog, rows: RequestRow[]): Promise<Map<string, DutyRow>> {
  const ids = rows.map(({ id }) => id);
  const open = await catalog<DutyRow>('request_duty').whereIn('request', ids).whereNull('ended_at');
  return new Map(open.map((duty) => [duty.request, duty]));
}

function toRequest(row: RequestRow, duty: DutyRow | undefined): Request {
  return {
    id: row.id,
    department: row.department,
    dataset: row.dataset,
    provider: row.provider,
    state: row.state,
    stateTitle: requestStates[row.state],
    sharingClass: row.sharing_class,
    asked: row.asked,
    decision: row.decision,
    refusal: row.refusal,
    grant: row.grant,
    extension: row.extension,
    duty: duty === undefined ? null : dutyResource(duty, duties[duty.duty]),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** What an open duty of any kind is to those whom it concerns; `words`: its name. */
export function dutyResource<Row extends PresentedDuty>(row: Row, { zh, en }: Words) {
  return {
    duty: row.duty as Row['duty'],
    title: { zh, en },
    party: row.party as Row['party'],
    department: row.department as Row['department'],
    beganAt: row.began_at.toISOString(),
    deadline: row.deadline.toISOString(),
    provisional: row.provisional,
    policyVersion: row.policy_version,
    overdue: row.overdue_at !== null,
  };
}

/** The columns of an open duty that are shown, of a request's and of a case's alike. */
export interface PresentedDuty {
  duty: string;
  party: string;
  department: string | null;
  began_at: Date;
  deadline: Date;
  provisional: boolean;
  policy_version: string;
  overdue_at: Date | null;
}

function toEvent(row: EventRow): RequestEvent {
  const { zh, en } = row.action === 'create' ? created : transitions[row.action];
  return {
    sequence: row.sequence,
    action: row.action,
    title: { zh, en },
    from: row.from_state,
    to: row.to_state,
    party: row.party,
    department: row.department,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.basis === null ? {} : { basis: row.basis }),
    ...(row.deadline === null ? {} : { deadline: row.deadline.toISOString() }),
    ...(row.provisional === null ? {} : { provisional: row.provisional }),
    ...(row.policy_version === null ? {} : { policyVersion: row.policy_version }),
    at: row.at.toISOString(),
  };
}

const created = { zh: '起草', en: 'draft' };
