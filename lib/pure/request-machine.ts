/**
 * A request's state machine, carried out: facts and an act give new facts and effects, or the reason why not. Pure: the
 * workflow's validators run it on what they last heard, and the writer of the catalog on the row that it has locked.
 */
import type { Party, RequestState } from './request-states.ts';
import { requestStates } from './request-states.ts';
import { type Effect, type Guard, guards, type RequestAction, transitions } from './request-transitions.ts';

/** All that the machine knows of a request. */
export interface RequestFacts {
  state: RequestState;
  /** The strictest of the items asked for. */
  sharingClass: 'unconditional' | 'conditional' | 'not-shared';
  /** Keyed hashes of all who drafted it, changed it or spoke for it: none of them decides it. */
  requesters: readonly string[];
  /** Information has been asked for: it is, once. */
  infoAsked: boolean;
  extension: 'none' | 'asked' | 'given' | 'denied';
  /** In NEEDS_INFO: the state in which it was asked. */
  askedIn: RequestState | null;
}

export interface RequestAct {
  action: RequestAction;
  /** Every party that the caller is to this request. */
  parties: readonly Party[];
  /** Keyed hash; null for the system. */
  person: string | null;
}

export interface Step {
  facts: RequestFacts;
  /** As which of the caller's parties. */
  party: Party;
  effects: readonly Effect[];
}

export interface Impediment {
  code: 'FORBIDDEN' | 'REQUEST_STATE' | 'REQUEST_RULE';
  /** Chinese first, then English. */
  message: string;
  /** Of REQUEST_RULE. */
  guard?: Guard;
}

export function isImpediment(outcome: Step | Impediment): outcome is Impediment {
  return 'code' in outcome;
}

/** The next facts, or why not: first the party, then the state, then the guards. */
export function step(facts: RequestFacts, act: RequestAct): Step | Impediment {
  const transition = transitions[act.action];
  const party = transition.by.find((allowed) => act.parties.includes(allowed));
  if (party === undefined) {
    const message = `您不能对此申请${transition.zh} · not yours to ${act.action}`;
    return { code: 'FORBIDDEN', message };
  }
  if (!transition.from.includes(facts.state)) {
    const { zh, en } = requestStates[facts.state];
    const message = `申请处于“${zh}”，不能${transition.zh} · the request is ${facts.state} (${en}): no ${act.action} now`;
    return { code: 'REQUEST_STATE', message };
  }
  const broken = transition.guards?.find((guard) => !holds(guard, facts, act));
  if (broken !== undefined) {
    return { code: 'REQUEST_RULE', message: `${guards[broken].zh} · ${guards[broken].en}`, guard: broken };
  }
  return { facts: after(withSpeaker(facts, act, party), act.action), party, effects: transition.effects ?? [] };
}

/** What can be done now by such a caller, in the table's order. */
export function possibleActions(
  facts: RequestFacts,
  caller: Omit<RequestAct, 'action'>,
  among: readonly RequestAction[],
): RequestAction[] {
  return among.filter((action) => !isImpediment(step(facts, { ...caller, action })));
}

function holds(guard: Guard, facts: RequestFacts, { person }: RequestAct): boolean {
  switch (guard) {
    case 'another-person':
      return person === null || !facts.requesters.includes(person);
    case 'info-once':
      return !facts.infoAsked;
    case 'extension-once':
      return facts.extension === 'none';
    case 'extension-asked':
      return facts.extension === 'asked';
    case 'unconditional':
    case 'conditional':
    case 'not-shared':
      return facts.sharingClass === guard;
    case 'shareable':
      return facts.sharingClass !== 'not-shared';
  }
}

function withSpeaker(facts: RequestFacts, { person }: RequestAct, party: Party): RequestFacts {
  if (party !== 'requester' || person === null || facts.requesters.includes(person)) return facts;
  return { ...facts, requesters: [...facts.requesters, person] };
}

function after(facts: RequestFacts, action: RequestAction): RequestFacts {
  const { to } = transitions[action];
  // A draft that comes back to its author keeps what was used up: once is once.
  const state = to === 'same' ? facts.state : to === 'back' ? (facts.askedIn ?? facts.state) : to;
  const moved = { ...facts, state, askedIn: null };
  switch (action) {
    case 'ask':
      return { ...moved, infoAsked: true, askedIn: facts.state };
    case 'request-extension':
      return { ...moved, extension: 'asked' };
    case 'extend':
      return { ...moved, extension: 'given' };
    case 'deny-extension':
      return { ...moved, extension: 'denied' };
    default:
      return to === 'same' ? { ...moved, askedIn: facts.askedIn } : moved;
  }
}
