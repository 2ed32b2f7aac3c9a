/**
 * Looks after one request: what people do arrives as updates, what time brings is a durable timer. The catalog holds
 * the truth and decides; here is kept what is needed to answer at once and to wake in time. Workflow id `request/<id>`.
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
import { hasEnded, nextWake, type RequestSnapshot, requestClock, type Wake } from '../lib/pure/request-clock.ts';
import { isImpediment, step } from '../lib/pure/request-machine.ts';
import { describeFailure, toWorkflowFailure } from './failures.ts';
import {
  policyChangedSignal,
  type RequestActMessage,
  type RequestInput,
  requestActUpdate,
  requestQuery,
} from './messages.ts';
import { actOnRequest, requestKeeping } from './proxies.ts';

interface Known {
  /** As last heard; undefined before the first answer. */
  snapshot: RequestSnapshot | undefined;
  /** An action of unknown outcome may have changed the request: it is to be read again. */
  stale: boolean;
  /** The policy or the calendar has changed. */
  recount: boolean;
}

/** Ends with the request; its result is the request's last state. */
export async function request({ request: id, snapshot: carried }: RequestInput): Promise<RequestSnapshot> {
  const known: Known = { snapshot: carried, stale: carried === undefined, recount: false };
  answer(id, known);
  for (;;) {
    if (known.stale) {
      known.stale = false;
      adopt(known, await requestKeeping.loadRequest({ request: id }));
    }
    const snapshot = known.snapshot as RequestSnapshot;
    if (hasEnded(snapshot)) {
      await condition(allHandlersFinished);
      return snapshot;
    }
    if (workflowInfo().continueAsNewSuggested && !known.recount) {
      await condition(allHandlersFinished);
      return continueAsNew<typeof request>({ request: id, snapshot: known.stale ? undefined : known.snapshot });
    }
    const due = await nextDue(known, snapshot);
    if (due !== undefined) await pass(id, known, due);
  }
}

function answer(id: string, known: Known): void {
  setHandler(requestQuery, () => known.snapshot ?? null);
  setHandler(policyChangedSignal, () => {
    known.recount = true;
  });
  const act = async (message: RequestActMessage): Promise<RequestSnapshot> => {
    try {
      const snapshot = await actOnRequest({ ...message, request: id, at: now() });
      adopt(known, snapshot);
      return snapshot;
    } catch (e: unknown) {
      known.stale = true;
      throw toWorkflowFailure(describeFailure(e));
    }
  };
  // What cannot be done is refused without a trace in the history; the catalog judges the rest, under its lock.
  const validator = (message: RequestActMessage): void => {
    if (known.snapshot === undefined || known.stale) return;
    const outcome = step(known.snapshot.facts, message);
    if (isImpediment(outcome))
      throw toWorkflowFailure({ ...outcome, details: [{ at: outcome.guard ?? message.action }] });
  };
  setHandler(requestActUpdate, act, { validator });
}

/** Waits for what time brings next; undefined where somebody has acted before that. */
async function nextDue(known: Known, snapshot: RequestSnapshot): Promise<Wake['action'] | undefined> {
  const wake = nextWake(snapshot, new Date());
  const changed = () => hasChanged(known, snapshot);
  if (wake === undefined) await condition(changed);
  else if (!(await condition(changed, Math.max(1, wake.at.getTime() - Date.now())))) return wake.action;
  if (!known.recount) return undefined;
  known.recount = false;
  return 'recompute';
}

/** Lets time have its effect. Where it has none, the next try waits. */
async function pass(id: string, known: Known, action: Wake['action']): Promise<void> {
  const before = known.snapshot as RequestSnapshot;
  try {
    adopt(known, await requestKeeping.passTime({ request: id, action, id: uuid4(), at: now() }));
  } catch (e: unknown) {
    if (isCancellation(e)) throw e;
    const { code, message } = describeFailure(e);
    log.error('time could not have its effect', { request: id, action, code, message });
  }
  await condition(() => hasChanged(known, before), requestClock.advanceRetryMs);
}

function hasChanged(known: Known, since: RequestSnapshot): boolean {
  return known.stale || known.recount || known.snapshot?.sequence !== since.sequence;
}

/** Answers may overtake each other: the newest holds. */
function adopt(known: Known, next: RequestSnapshot): void {
  if (known.snapshot === undefined || next.sequence >= known.snapshot.sequence) known.snapshot = next;
}

/** The workflow's own time: the same when its history is replayed. */
function now(): string {
  return new Date().toISOString();
}
