/** Duties: begun and ended by steps, counted in working days of the policy that holds. */
import type { Catalog } from '../../../catalog/database.ts';
import { currentPolicy, type Deadline, deadlineOf } from '../../../catalog/policy.ts';
import { duties, dutyOf, type Party, type RequestDuty } from '../../../lib/pure/request-states.ts';
import type { RequestAction } from '../../../lib/pure/request-transitions.ts';
import type { PolicyDefinition } from '../../../schemas/generated/policy.ts';
import { type DutyRow, factsOf, type RequestRow } from './requests.ts';

export interface DutyStep {
  action: RequestAction;
  /** The row as the step leaves it. */
  row: RequestRow;
  at: Date;
}

/**
 * The duty that holds after a step. Neighbouring states with one duty share its deadline; otherwise the open one ends
 * and that of the new state begins. Undefined where the new state has none.
 */
export async function dutyAfter(
  transaction: Catalog,
  open: DutyRow | undefined,
  step: DutyStep,
): Promise<DutyRow | undefined> {
  const { state, sharingClass } = factsOf(step.row);
  const duty = dutyOf(state, sharingClass);
  if (open?.duty === duty) return open;
  if (open !== undefined) await changeDuty(transaction, { ...open, ended_at: step.at });
  if (duty === undefined) return undefined;
  const policy = await currentPolicy(transaction);
  const begun = begin(policy, duty, step, open);
  await transaction('request_duty').insert(begun);
  return begun;
}

/** The open duty by the policy and the calendar of today; undefined where neither changes anything. */
export async function recomputed(transaction: Catalog, open: DutyRow, at: Date): Promise<DutyRow | undefined> {
  const policy = await currentPolicy(transaction);
  const deadline = deadlineOf(policy, duties[open.duty].days, open.counted_from);
  const same =
    deadline.at.getTime() === open.deadline.getTime() &&
    deadline.provisional === open.provisional &&
    deadline.policyVersion === open.policy_version;
  if (same) return undefined;
  const overdue_at = open.overdue_at !== null && deadline.at > at ? null : open.overdue_at;
  return { ...open, ...counted(policy, open.began_at, deadline), overdue_at };
}

export async function openDuty(transaction: Catalog, request: string): Promise<DutyRow | undefined> {
  return transaction<DutyRow>('request_duty').where({ request }).whereNull('ended_at').first();
}

export async function changeDuty(transaction: Catalog, { request, sequence, ...columns }: DutyRow): Promise<void> {
  await transaction('request_duty').where({ request, sequence }).update(columns);
}

function begin(policy: PolicyDefinition, duty: RequestDuty, step: DutyStep, before: DutyRow | undefined): DutyRow {
  const { row, at, action } = step;
  const party = duties[duty].of;
  // The extension is counted from the deadline that it extends: its last moment still belongs to its day.
  const from = action === 'extend' && before !== undefined ? new Date(before.deadline.getTime() - 1) : at;
  return {
    request: row.id,
    sequence: row.sequence,
    duty,
    party,
    department: departmentOf(party, row),
    began_at: at,
    counted_from: from,
    ...counted(policy, at, deadlineOf(policy, duties[duty].days, from)),
    reminders_sent: 0,
    overdue_at: null,
    ended_at: null,
  };
}

/** Reminders lie at the policy's shares of the time between beginning and deadline. */
export function counted(policy: PolicyDefinition, beganAt: Date, { at, provisional, policyVersion }: Deadline) {
  const span = at.getTime() - beganAt.getTime();
  const shares = [...policy.reminderShares].sort((a, b) => a - b);
  return {
    deadline: at,
    provisional,
    policy_version: policyVersion,
    reminders_due: shares.map((share) => new Date(beganAt.getTime() + Math.round(span * share))),
  };
}

function departmentOf(party: Party, row: RequestRow): string | null {
  switch (party) {
    case 'requester':
    case 'sharing-officer':
      return row.department;
    case 'provider':
      return row.provider;
    case 'supervisor':
      return row.supervisor;
    case 'system':
      return null;
  }
}
