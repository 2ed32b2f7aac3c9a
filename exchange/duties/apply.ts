/** One step of a case, in one transaction: row, event, duty and the audit log's leaf, or nothing. */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { CaseSnapshot } from '../../lib/pure/case-clock.ts';
import { type CaseStep, caseStep, isCaseImpediment } from '../../lib/pure/case-machine.ts';
import { entryKinds } from '../../lib/pure/case-states.ts';
import { type CaseAction, type CaseNeed, caseTransition } from '../../lib/pure/case-transitions.ts';
import type { Actor } from '../access/explicit-grants.ts';
import { addLeaf } from '../publication/outbox.ts';
import {
  type ApplyCaseAction,
  type CaseContent,
  type CaseDutyRow,
  type CaseRow,
  caseFactsOf,
  caseSnapshotOf,
} from './cases.ts';
import { notifyReaders } from './confirmations.ts';
import { caseDutyAfter, changeCaseDuty, openCaseDuty, recomputedCaseDuty } from './duty.ts';
import { publishEntry } from './entries/publication.ts';
import { revokeEntry } from './entries/revoke.ts';
import { systemActor } from './open.ts';

/**
 * @returns the case as the step leaves it; where the step had been taken before, as it is
 * @throws NOT_FOUND, FORBIDDEN, CASE_STATE, CASE_RULE, REQUEST_INVALID for what is missing; of a publication what
 * `publishEntry` throws, of a revocation what `revokeEntry` does
 */
export function applyCaseAction(catalog: Catalog, act: ApplyCaseAction): Promise<CaseSnapshot> {
  return catalog.transaction(async (transaction) => {
    const row = await transaction<CaseRow>('duty_case').where({ id: act.case }).forUpdate().first();
    if (row === undefined) throw noCase(act.case);
    const open = await openCaseDuty(transaction, row.id);
    if (await wasTaken(transaction, act)) return caseSnapshotOf(row, open);
    const taken = caseStep(caseFactsOf(row), act);
    if (isCaseImpediment(taken)) throw new HuitongError(taken.code, taken.message, { at: act.action });
    requireNeeds(act, caseTransition(act.action).needs ?? []);
    const step = { before: row, open, taken, act, at: new Date(act.at) };
    return isNotice(act.action) ? recordNotice(transaction, step) : recordMove(transaction, step);
  });
}

/** Takes every step that the exchange takes by itself. Repeating it is harmless. Throws NOT_FOUND. */
export async function advanceCase(catalog: Catalog, { id, at }: { id: string; at: string }): Promise<CaseSnapshot> {
  for (;;) {
    const snapshot = await loadCase(catalog, id);
    const { state } = snapshot.facts;
    const action = state === 'FILED' ? 'route' : state === 'FIXED_IN' ? 'notify' : undefined;
    if (action === undefined) return snapshot;
    try {
      await takeSystemCaseStep(catalog, { case: id, at, action });
    } catch (e: unknown) {
      // Between reading and locking somebody else was faster: what is next now, the next turn sees.
      if (!isHuitongError(e, 'CASE_STATE')) throw e;
    }
  }
}

/** One step of the exchange's own. */
export function takeSystemCaseStep(
  catalog: Catalog,
  { id = uuidv7(), ...step }: CaseContent & { case: string; at: string; action: CaseAction; id?: string },
): Promise<CaseSnapshot> {
  return applyCaseAction(catalog, { ...step, id, ...bySystem });
}

/** Who acts where the exchange itself does. */
export const bySystem = { parties: ['system'] as const, person: null, actor: systemActor, department: null };

/** Throws NOT_FOUND. */
export async function loadCase(catalog: Catalog, id: string): Promise<CaseSnapshot> {
  return catalog.transaction(
    async (transaction) => {
      const row = await transaction<CaseRow>('duty_case').where({ id }).first();
      if (row === undefined) throw noCase(id);
      return caseSnapshotOf(row, await openCaseDuty(transaction, id));
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

export function noCase(id: string): HuitongError {
  return new HuitongError('NOT_FOUND', '没有该事项 · there is no such case', { at: id });
}

interface TakenCaseStep {
  before: CaseRow;
  /** The duty that was open before. */
  open: CaseDutyRow | undefined;
  taken: CaseStep;
  act: ApplyCaseAction;
  at: Date;
}

async function wasTaken(transaction: Catalog, act: ApplyCaseAction): Promise<boolean> {
  const event = await transaction('duty_case_event').where({ id: act.id }).first<{ case: string } | undefined>('case');
  if (event !== undefined && event.case !== act.case) {
    throw new HuitongError('REQUEST_INVALID', '该编号属于另一事项的办理 · the id is that of another case’s step', {
      pointer: '/id',
    });
  }
  return event !== undefined;
}

function requireNeeds(act: CaseContent, needs: readonly CaseNeed[]): void {
  const missing = needs.find((need) => act[need] === undefined || act[need] === '');
  if (missing !== undefined) {
    throw new HuitongError('REQUEST_INVALID', `缺少 · missing: ${missing}`, { pointer: `/${missing}` });
  }
}

function isNotice(action: CaseAction): action is 'remind' | 'overdue' | 'recompute' {
  return action === 'remind' || action === 'overdue' || action === 'recompute';
}

async function recordMove(transaction: Catalog, step: TakenCaseStep): Promise<CaseSnapshot> {
  const { before, open, taken, act, at } = step;
  const row: CaseRow = {
    ...before,
    ...{ state: taken.facts.state, claimants: [...taken.facts.claimants] },
    ...{ sequence: before.sequence + 1, updated_at: at },
  };
  if (act.action === 'fix') {
    const fixed = { fixed_version: act.version, fix_shown: act.shown === true };
    await transaction('correction').where({ case: row.id }).update(fixed);
  }
  if (act.action === 'notify') await notifyReaders(transaction, row, at);
  if (act.action === 'publish')
    await publishEntry(transaction, row, { digest: act.digest as string, actor: act.actor });
  if (act.action === 'revoke') await revokeEntry(transaction, row, leafActorOf(act));
  const duty = await caseDutyAfter(transaction, open, { row, at });
  await record(transaction, step, row, duty === open ? undefined : duty);
  return caseSnapshotOf(row, duty);
}

/** A notice that has nothing new to say (a duty that ended, a recount with the same result) is no step at all. */
async function recordNotice(transaction: Catalog, step: TakenCaseStep): Promise<CaseSnapshot> {
  const { before, open, act, at } = step;
  const duty = open === undefined ? undefined : await noticed(transaction, open, act.action, at);
  if (duty === undefined) return caseSnapshotOf(before, open);
  const row = { ...before, sequence: before.sequence + 1, updated_at: at };
  await changeCaseDuty(transaction, duty);
  await record(transaction, step, row, duty);
  return caseSnapshotOf(row, duty);
}

async function noticed(
  transaction: Catalog,
  open: CaseDutyRow,
  action: CaseAction,
  at: Date,
): Promise<CaseDutyRow | undefined> {
  switch (action) {
    case 'remind': {
      const due = open.reminders_due[open.reminders_sent];
      return due === undefined || due > at ? undefined : { ...open, reminders_sent: open.reminders_sent + 1 };
    }
    case 'overdue':
      return open.overdue_at !== null || open.deadline > at ? undefined : { ...open, overdue_at: at };
    default:
      return recomputedCaseDuty(transaction, open, at);
  }
}

/** @param duty that the step began or changed */
async function record(
  transaction: Catalog,
  { before, taken, act, at }: TakenCaseStep,
  row: CaseRow,
  duty: CaseDutyRow | undefined,
): Promise<void> {
  const { id, state, sequence, claimants, updated_at } = row;
  await transaction('duty_case').where({ id }).update({ state, sequence, claimants, updated_at });
  const { person, department, actor, action, version = null, digest } = act;
  await transaction('duty_case_event').insert({
    ...{ case: id, sequence, id: act.id, action, from_state: before.state, to_state: state, party: taken.party },
    ...{ actor, person, department, reason: act.reason ?? null, version, at },
    ...(duty === undefined
      ? {}
      : { deadline: duty.deadline, provisional: duty.provisional, policy_version: duty.policy_version }),
  });
  await addLeaf(transaction, {
    ...leafActorOf(act),
    ...{ action: `case.${row.kind}.${action}`, object: `case/${id}`, rule: taken.party },
    decision: denials.includes(action) ? 'deny' : 'allow',
    detail: {
      ...{ cause: row.cause, from: before.state, to: state, sequence },
      ...(entryKinds.includes(row.kind) ? { dataset: row.dataset } : {}),
      ...(digest === undefined ? {} : { digest }),
      ...(version === null ? {} : { version }),
      ...(duty === undefined ? {} : { deadline: duty.deadline.toISOString(), policyVersion: duty.policy_version }),
    },
  });
}

/** Steps that refuse somebody something. */
const denials: readonly CaseAction[] = ['reject', 'uphold', 'reject-entry', 'keep-entry'];

function leafActorOf({ actor, person, department }: ApplyCaseAction): Actor {
  return {
    actor,
    ...(person === null ? {} : { subject: person }),
    ...(department === null ? {} : { onBehalfOf: department }),
  };
}
