/**
 * Looks after one matter with deadlines, a request or a case: what people do arrives as updates, what time brings is a
 * durable timer. The catalog holds the truth and decides; here is kept what is needed to answer at once and to wake in
 * time.
 */
import type { QueryDefinition, UpdateDefinition } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  isCancellation,
  log,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { describeFailure, type Failure, toWorkflowFailure } from './failures.ts';
import { policyChangedSignal } from './messages.ts';

/** What time does: when to wake, and for what. */
interface Wake<Action extends string> {
  at: Date;
  action: Action;
}

/** What distinguishes one sort of matter: how it is asked, acted on, and what time does to it. */
export interface Matter<Snapshot extends { sequence: number }, Message, Action extends string> {
  /** As logs name it. */
  name: Record<string, string>;
  query: QueryDefinition<Snapshot | null>;
  update: UpdateDefinition<Snapshot, [Message]>;
  load(): Promise<Snapshot>;
  /** `at`: the workflow's own time. */
  act(message: Message, at: string): Promise<Snapshot>;
  /** Why a message can't be carried out, judged by what was last heard; undefined where it may be tried. */
  impediment(snapshot: Snapshot, message: Message): Failure | undefined;
  hasEnded(snapshot: Snapshot): boolean;
  nextWake(snapshot: Snapshot, now: Date): Wake<Action> | undefined;
  /** `id`: of this act, the same however often the activity is tried. */
  pass(action: Action | 'recompute', id: string, at: string): Promise<Snapshot>;
  /** What had no effect is tried again after this time. */
  retryMs: number;
  continueAsNew(snapshot: Snapshot | undefined): Promise<never>;
}

interface Known<Snapshot> {
  /** As last heard; undefined before the first answer. */
  snapshot: Snapshot | undefined;
  /** An action of unknown outcome may have changed the matter: it is to be read again. */
  stale: boolean;
  /** The policy or the calendar has changed. */
  recount: boolean;
}

/** Ends with the matter; its result is the matter's last state. `carried`: from the workflow that this one continues. */
export async function tend<Snapshot extends { sequence: number }, Message, Action extends string>(
  matter: Matter<Snapshot, Message, Action>,
  carried: Snapshot | undefined,
): Promise<Snapshot> {
  const known: Known<Snapshot> = { snapshot: carried, stale: carried === undefined, recount: false };
  answer(matter, known);
  for (;;) {
    if (known.stale) {
      known.stale = false;
      adopt(known, await matter.load());
    }
    const snapshot = known.snapshot as Snapshot;
    if (matter.hasEnded(snapshot)) {
      await condition(allHandlersFinished);
      return snapshot;
    }
    if (workflowInfo().continueAsNewSuggested && !known.recount) {
      await condition(allHandlersFinished);
      return matter.continueAsNew(known.stale ? undefined : known.snapshot);
    }
    const due = await nextDue(matter, known, snapshot);
    if (due !== undefined) await pass(matter, known, due);
  }
}

function answer<Snapshot extends { sequence: number }, Message, Action extends string>(
  matter: Matter<Snapshot, Message, Action>,
  known: Known<Snapshot>,
): void {
  setHandler(matter.query, () => known.snapshot ?? null);
  setHandler(policyChangedSignal, () => {
    known.recount = true;
  });
  const act = async (message: Message): Promise<Snapshot> => {
    try {
      const snapshot = await matter.act(message, now());
      adopt(known, snapshot);
      return snapshot;
    } catch (e: unknown) {
      known.stale = true;
      throw toWorkflowFailure(describeFailure(e));
    }
  };
  // What cannot be done is refused without a trace in the history; the catalog judges the rest, under its lock.
  const validator = (message: Message): void => {
    if (known.snapshot === undefined || known.stale) return;
    const impediment = matter.impediment(known.snapshot, message);
    if (impediment !== undefined) throw toWorkflowFailure(impediment);
  };
  setHandler(matter.update, act, { validator });
}

/** Waits for what time brings next; undefined where somebody has acted before that. */
async function nextDue<Snapshot extends { sequence: number }, Message, Action extends string>(
  matter: Matter<Snapshot, Message, Action>,
  known: Known<Snapshot>,
  snapshot: Snapshot,
): Promise<Action | 'recompute' | undefined> {
  const wake = matter.nextWake(snapshot, new Date());
  const changed = () => hasChanged(known, snapshot);
  if (wake === undefined) await condition(changed);
  else if (!(await condition(changed, Math.max(1, wake.at.getTime() - Date.now())))) return wake.action;
  if (!known.recount) return undefined;
  known.recount = false;
  return 'recompute';
}

/** Lets time have its effect. Where it has none, the next try waits. */
async function pass<Snapshot extends { sequence: number }, Message, Action extends string>(
  matter: Matter<Snapshot, Message, Action>,
  known: Known<Snapshot>,
  action: Action | 'recompute',
): Promise<void> {
  const before = known.snapshot as Snapshot;
  try {
    adopt(known, await matter.pass(action, uuid4(), now()));
  } catch (e: unknown) {
    if (isCancellation(e)) throw e;
    const { code, message } = describeFailure(e);
    log.error('time could not have its effect', { ...matter.name, action, code, message });
  }
  await condition(() => hasChanged(known, before), matter.retryMs);
}

function hasChanged<Snapshot extends { sequence: number }>(known: Known<Snapshot>, since: Snapshot): boolean {
  return known.stale || known.recount || known.snapshot?.sequence !== since.sequence;
}

/** Answers may overtake each other: the newest holds. */
function adopt<Snapshot extends { sequence: number }>(known: Known<Snapshot>, next: Snapshot): void {
  if (known.snapshot === undefined || next.sequence >= known.snapshot.sequence) known.snapshot = next;
}

/** The workflow's own time: the same when its history is replayed. */
function now(): string {
  return new Date().toISOString();
}
