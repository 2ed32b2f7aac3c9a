/** Writing down a step: the request's row, its event, its duty, and the leaf of the audit log. */
import type { Catalog } from '../../../catalog/database.ts';
import type { RequestSnapshot } from '../../../lib/pure/request-clock.ts';
import type { Step } from '../../../lib/pure/request-machine.ts';
import type { RequestAction } from '../../../lib/pure/request-transitions.ts';
import { addLeaf } from '../../publication/outbox.ts';
import { changeDuty, dutyAfter, recomputed } from './duty.ts';
import { type ApplyAction, type DutyRow, type RequestRow, snapshotOf } from './requests.ts';

export interface TakenStep {
  before: RequestRow;
  /** As the step leaves it, but for its number. */
  row: RequestRow;
  /** The duty that was open before. */
  open: DutyRow | undefined;
  taken: Step;
  act: ApplyAction;
  at: Date;
}

type Notice = 'remind' | 'overdue' | 'recompute';

/** What time says about a duty, without moving the request. */
export function isNotice(action: RequestAction): action is Notice {
  return action === 'remind' || action === 'overdue' || action === 'recompute';
}

export async function recordMove(transaction: Catalog, move: TakenStep): Promise<RequestSnapshot> {
  const row = { ...move.row, sequence: move.before.sequence + 1, updated_at: move.at };
  const duty = await dutyAfter(transaction, move.open, { row, at: move.at, action: move.act.action });
  await record(transaction, { ...move, row }, duty === move.open ? undefined : duty);
  return snapshotOf(row, duty);
}

/** A notice that has nothing new to say (a duty that ended, a recount with the same result) is no step at all. */
export async function recordNotice(transaction: Catalog, notice: TakenStep): Promise<RequestSnapshot> {
  const { open, act, at, before } = notice;
  const duty = open === undefined ? undefined : await noticed(transaction, open, act.action, at);
  if (duty === undefined) return snapshotOf(before, open);
  const row = { ...before, sequence: before.sequence + 1, updated_at: at };
  await changeDuty(transaction, duty);
  await record(transaction, { ...notice, row }, duty);
  return snapshotOf(row, duty);
}

async function noticed(
  transaction: Catalog,
  open: DutyRow,
  action: RequestAction,
  at: Date,
): Promise<DutyRow | undefined> {
  switch (action) {
    case 'remind': {
      const due = open.reminders_due[open.reminders_sent];
      return due === undefined || due > at ? undefined : { ...open, reminders_sent: open.reminders_sent + 1 };
    }
    case 'overdue':
      return open.overdue_at !== null || open.deadline > at ? undefined : { ...open, overdue_at: at };
    default:
      return recomputed(transaction, open, at);
  }
}

/** @param duty that the step began or changed */
async function record(transaction: Catalog, step: TakenStep, duty: DutyRow | undefined): Promise<void> {
  const { before, row, act, taken, at } = step;
  const { id, asked, decision, refusal, ...columns } = row;
  await transaction('request')
    .where({ id })
    .update({ ...columns, asked: json(asked), decision: json(decision), refusal: json(refusal) });
  await transaction('request_event').insert({
    ...{ request: id, sequence: row.sequence, id: act.id, action: act.action },
    ...{ from_state: before.state, to_state: row.state, party: taken.party },
    ...{ actor: act.actor, person: act.person, department: act.department, reason: act.reason ?? null, at },
    ...{ basis: json(act.basis), detail: json(act.decision ?? act.terms) },
    ...(duty === undefined
      ? {}
      : { deadline: duty.deadline, provisional: duty.provisional, policy_version: duty.policy_version }),
  });
  await addLeaf(transaction, leafOf(step, duty));
}

function leafOf({ before, row, taken, act }: TakenStep, duty: DutyRow | undefined): Parameters<typeof addLeaf>[1] {
  const refuses = act.action === 'refuse' || act.action === 'stop' || act.action === 'uphold';
  return {
    actor: act.actor,
    ...(act.person === null ? {} : { subject: act.person }),
    ...(act.department === null ? {} : { onBehalfOf: act.department }),
    action: `request.${act.action}`,
    object: `request/${row.id}`,
    purpose: row.asked.purpose,
    ...(row.asked.matter === undefined ? {} : { matter: row.asked.matter }),
    ...(row.grant === null ? {} : { grant: row.grant }),
    decision: refuses ? 'deny' : 'allow',
    rule: taken.party,
    detail: {
      from: before.state,
      to: row.state,
      sequence: row.sequence,
      ...(duty === undefined ? {} : { deadline: duty.deadline.toISOString(), policyVersion: duty.policy_version }),
    },
  };
}

/** A jsonb column's value: knex would write an array as PostgreSQL's own. */
function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
