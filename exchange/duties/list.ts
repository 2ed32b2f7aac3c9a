/** Cases as departments see them. */
import type { Catalog } from '../../catalog/database.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { limits } from '../../lib/limits.ts';
import { possibleCaseActions } from '../../lib/pure/case-machine.ts';
import {
  type CaseKind,
  type CaseState,
  caseDuties,
  caseKinds,
  caseStates,
  entryKinds,
} from '../../lib/pure/case-states.ts';
import { caseTransition, caseTransitions, officerCaseActions } from '../../lib/pure/case-transitions.ts';
import type { Case, CaseEvent } from '../../schemas/generated/api.ts';
import { dutyResource } from '../access/requests/list.ts';
import { listingLimit, mayEver, type Principal } from '../access/rights.ts';
import { UUID } from '../publication/rows.ts';
import { noCase } from './apply.ts';
import { type CaseDutyRow, type CaseEventRow, type CaseRow, type CorrectionRow, caseFactsOf } from './cases.ts';
import { openCaseDuty } from './duty.ts';
import { casePartiesOf } from './parties.ts';

/** Who looks: the principal, and the keyed hash of the person. */
export interface Viewer {
  principal: Principal;
  person: string;
}

export interface ListCases {
  kind?: CaseKind;
  state?: CaseState;
  dataset?: string;
  /** `recall/<dataset>/<version>` and the like. */
  cause?: string;
  limit?: number;
  cursor?: string;
}

/** Newest first; those in which the viewer's department takes part, or all where the role sees all. */
export async function listCases(catalog: Catalog, viewer: Viewer, asked: ListCases = {}): Promise<Page<Case>> {
  const limit = Math.min(asked.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = visible(catalog, viewer.principal)
    .orderBy('id', 'desc')
    .limit(limit + 1);
  for (const name of ['kind', 'state', 'dataset', 'cause'] as const) {
    if (asked[name] !== undefined) query.where(name, asked[name]);
  }
  if (asked.cursor !== undefined) query.where('id', '<', decodeCursor(asked.cursor, 'uuid')[0]);
  const rows = await query;
  const ids = rows.map(({ id }) => id);
  const open = await catalog<CaseDutyRow>('duty_case_duty').whereIn('case', ids).whereNull('ended_at');
  const corrections = await catalog<CorrectionRow>('correction').whereIn('case', ids);
  return pageOf(
    rows,
    limit,
    ({ id }) => [id],
    (row) => ({
      ...toCase(
        row,
        open.find((duty) => duty.case === row.id),
      ),
      ...correctionMembers(corrections.find((one) => one.case === row.id)),
    }),
  );
}

/** With history, and with what the viewer may do now. Throws NOT_FOUND, also for what is no business of the viewer's. */
export async function getCase(catalog: Catalog, viewer: Viewer, id: string): Promise<Case> {
  const row = await requireCase(catalog, viewer.principal, id);
  const events = await catalog<CaseEventRow>('duty_case_event').where({ case: id }).orderBy('sequence');
  const correction = await catalog<CorrectionRow>('correction').where({ case: id }).first();
  const caller = { parties: casePartiesOf(viewer.principal, row), person: viewer.person };
  const actions = possibleCaseActions(caseFactsOf(row), caller, officerCaseActions).map((action) => {
    const { zh, en, needs = [] } = caseTransition(action);
    return { action, title: { zh, en }, needs: [...needs] };
  });
  return {
    ...toCase(row, await openCaseDuty(catalog, id)),
    ...correctionMembers(correction),
    actions,
    history: events.map(toEvent),
  };
}

/** The case where it is the principal's business. Throws NOT_FOUND. */
export async function requireCase(catalog: Catalog, principal: Principal, id: string): Promise<CaseRow> {
  const row = UUID.test(id) ? await visible(catalog, principal).where({ id }).first() : undefined;
  if (row === undefined) throw noCase(id);
  return row;
}

/** Cases that time still acts upon, in no order: whose workflows hear of a new policy or calendar. */
export async function casesWithDuty(catalog: Catalog): Promise<string[]> {
  return catalog('duty_case_duty').whereNull('ended_at').pluck('case');
}

function visible(catalog: Catalog, principal: Principal) {
  const query = catalog<CaseRow>('duty_case').select<CaseRow[]>('*');
  const own = listingLimit(principal, 'case.read');
  if (own !== undefined) {
    query.where((either) => either.where('department', own).orWhere('provider', own));
  }
  // An engineer's are entries alone: what is said of data, and of copies, is between officers.
  const roles = principal.roles.filter((role) => role !== 'engineer');
  if (!mayEver({ ...principal, roles }, 'case.read')) query.whereIn('kind', [...entryKinds]);
  return query;
}

function toCase(row: CaseRow, duty: CaseDutyRow | undefined): Case {
  return {
    id: row.id,
    kind: row.kind,
    kindTitle: caseKinds[row.kind],
    cause: row.cause,
    department: row.department,
    provider: row.provider,
    dataset: row.dataset,
    version: row.version,
    state: row.state,
    stateTitle: caseStates[row.state],
    duty: duty === undefined ? null : dutyResource(duty, caseDuties[duty.duty]),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** What is no personal data of a correction. */
function correctionMembers(row: CorrectionRow | undefined): Partial<Case> {
  if (row === undefined) return {};
  return { item: row.item, keyHash: row.key_hash, fixedVersion: row.fixed_version, fixShown: row.fix_shown };
}

function toEvent(row: CaseEventRow): CaseEvent {
  const { zh, en } = row.action === 'open' ? opened : caseTransitions[row.action];
  return {
    sequence: row.sequence,
    action: row.action,
    title: { zh, en },
    from: row.from_state,
    to: row.to_state,
    party: row.party,
    department: row.department,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.deadline === null ? {} : { deadline: row.deadline.toISOString() }),
    ...(row.provisional === null ? {} : { provisional: row.provisional }),
    ...(row.policy_version === null ? {} : { policyVersion: row.policy_version }),
    at: row.at.toISOString(),
  };
}

const opened = { zh: '立项', en: 'open' };
