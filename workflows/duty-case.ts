/**
 * Looks after one case: what people do arrives as updates, what time brings is a durable timer. The catalog holds the
 * truth and decides; here is kept what is needed to answer at once and to wake in time. Workflow id `case/<id>`.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { type CaseSnapshot, type CaseWake, caseClock, caseHasEnded, nextCaseWake } from '../lib/pure/case-clock.ts';
import { caseStep, isCaseImpediment } from '../lib/pure/case-machine.ts';
import { describeFailure, toWorkflowFailure } from './failures.ts';
import { type CaseActMessage, type CaseInput, caseActUpdate, caseQuery, policyChangedSignal } from './messages.ts';
import { actOnCase, caseKeeping } from './proxies.ts';

interface Known {
  /** As last heard; undefined before the first answer. */
  snapshot: CaseSnapshot | undefined;
  /** An action of unknown outcome may have changed the case: it is to be read again. */
  stale: boolean;
  /** The policy or the calendar has changed. */
  recount: boolean;
}

/** Ends with the case; its result is the case's last state. */
export async function dutyCase({ case: id, snapshot: carried }: CaseInput): Promise<CaseSnapshot> {
  const known: Known = { snapshot: carried, stale: carried === undefined, recount: false };
  answer(id, known);
  for (;;) {
    if (known.stale) {
      known.stale = false;
      adopt(known, await caseKeeping.loadCase({ case: id }));
    }
    const snapshot = known.snapshot as CaseSnapshot;
    if (caseHasEnded(snapshot)) {
      await condition(allHandlersFinished);
      return snapshot;
    }
    if (workflowInfo().continueAsNewSuggested && !known.recount) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof dutyCase>({ case: id, snapshot: known.stale ? undefined : known.snapshot });
    }
    const due = await nextDue(known, snapshot);
    if (due !== undefined) await pass(id, known, due);
  }
}

function answer(id: string, known: Known): void {
  setHandler(caseQuery, () => known.snapshot ?? null);
  setHandler(policyChangedSignal, () => {
    known.recount = true;
  });
  const act = async (message: CaseActMessage): Promise<CaseSnapshot> => {
    try {
      const snapshot = await actOnCase({ ...message, case: id, at: now() });
      adopt(known, snapshot);
      return snapshot;
    } catch (e: unknown) {
      known.stale = true;
      throw toWorkflowFailure(describeFailure(e));
    }
  };
  // What cannot be done is refused without a trace in the history; the catalog judges the rest, under its lock.
  const validator = (message: CaseActMessage): void => {
    if (known.snapshot === undefined || known.stale) return;
    const outcome = caseStep(known.snapshot.facts, message);
    if (isCaseImpediment(outcome)) throw toWorkflowFailure({ ...outcome, details: [{ at: message.action }] });
  };
  setHandler(caseActUpdate, act, { validator });
}

/** Waits for what time brings next; undefined where somebody has acted before that. */
async function nextDue(known: Known, snapshot: CaseSnapshot): Promise<CaseWake['action'] | undefined> {
  const wake = nextCaseWake(snapshot, new Date());
  const changed = () => hasChanged(known, snapshot);
  if (wake === undefined) await condition(changed);
  else if (!(await condition(changed, Math.max(1, wake.at.getTime() - Date.now())))) return wake.action;
  if (!known.recount) return undefined;
  known.recount = false;
  return 'recompute';
}

/** Lets time have its effect. Where it has none, the next try waits. */
async function pass(id: string, known: Known, action: CaseWake['action']): Promise<void> {
  const before = known.snapshot as CaseSnapshot;
  try {
    adopt(known, await caseKeeping.passCaseTime({ case: id, action, id: uuid4(), at: now() }));
  } catch (e: unknown) {
    if (isCancellation(e)) throw e;
    const { code, message } = describeFailure(e);
    log.error('time could not have its effect', { case: id, action, code, message });
  }
  await condition(() => hasChanged(known, before), caseClock.advanceRetryMs);
}

function hasChanged(known: Known, since: CaseSnapshot): boolean {
  return known.stale || known.recount || known.snapshot?.sequence !== since.sequence;
}

/** Answers may overtake each other: the newest holds. */
function adopt(known: Known, next: CaseSnapshot): void {
  if (known.snapshot === undefined || next.sequence >= known.snapshot.sequence) known.snapshot = next;
}

/** The workflow's own time: the same when its history is replayed. */
function now(): string {
  return new Date().toISOString();
}
