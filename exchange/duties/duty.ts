/** Duties of cases: begun and ended by steps, counted in working days of the policy that holds. */
import type { Catalog } from '../../catalog/database.ts';
import { currentPolicy, deadlineOf } from '../../catalog/policy.ts';
import { type CaseParty, caseDuties, caseDutyOf } from '../../lib/pure/case-states.ts';
import { counted } from '../access/requests/duty.ts';
import type { CaseDutyRow, CaseRow } from './cases.ts';

/**
 * The duty that holds once the row is as given; the one that was open before ends where the state has another.
 * @param from the day that does not count yet; default: the step's
 */
export async function caseDutyAfter(
  transaction: Catalog,
  open: CaseDutyRow | undefined,
  { row, at, from = at }: { row: CaseRow; at: Date; from?: Date },
): Promise<CaseDutyRow | undefined> {
  const duty = caseDutyOf(row.state);
  if (open?.duty === duty) return open;
  if (open !== undefined) await changeCaseDuty(transaction, { ...open, ended_at: at });
  if (duty === undefined) return undefined;
  const policy = await currentPolicy(transaction);
  const { of: party, days } = caseDuties[duty];
  const begun: CaseDutyRow = {
    ...{ case: row.id, sequence: row.sequence, duty, party, department: departmentOf(party, row) },
    ...{ began_at: at, counted_from: from, ...counted(policy, from, deadlineOf(policy, days, from)) },
    ...{ reminders_sent: 0, overdue_at: null, ended_at: null },
  };
  await transaction('duty_case_duty').insert(begun);
  return begun;
}

/** The open duty by the policy and the calendar of today; undefined where neither changes anything. */
export async function recomputedCaseDuty(
  transaction: Catalog,
  open: CaseDutyRow,
  at: Date,
): Promise<CaseDutyRow | undefined> {
  const policy = await currentPolicy(transaction);
  const deadline = deadlineOf(policy, caseDuties[open.duty].days, open.counted_from);
  const same =
    deadline.at.getTime() === open.deadline.getTime() &&
    deadline.provisional === open.provisional &&
    deadline.policyVersion === open.policy_version;
  if (same) return undefined;
  const overdue_at = open.overdue_at !== null && deadline.at > at ? null : open.overdue_at;
  return { ...open, ...counted(policy, open.counted_from, deadline), overdue_at };
}

export async function openCaseDuty(transaction: Catalog, id: string): Promise<CaseDutyRow | undefined> {
  return transaction<CaseDutyRow>('duty_case_duty').where({ case: id }).whereNull('ended_at').first();
}

export async function changeCaseDuty(
  transaction: Catalog,
  { case: id, sequence, ...columns }: CaseDutyRow,
): Promise<void> {
  await transaction('duty_case_duty').where({ case: id, sequence }).update(columns);
}

function departmentOf(party: Exclude<CaseParty, 'system'>, row: CaseRow): string {
  if (party === 'provider') return row.provider;
  return party === 'supervisor' ? row.supervisor : row.department;
}
