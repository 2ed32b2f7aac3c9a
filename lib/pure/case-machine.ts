/**
 * A case's state machine, carried out: facts and an act give new facts, or the reason why not. Pure: the workflow's
 * validator runs it on what it last heard, and the writer of the catalog on the row that it has locked.
 */
import { type CaseKind, type CaseParty, type CaseState, caseStates } from './case-states.ts';
import { type CaseAction, caseTransition } from './case-transitions.ts';

/** All that the machine knows of a case. */
export interface CaseFacts {
  kind: CaseKind;
  state: CaseState;
  /** Keyed hashes of all who spoke for the claimant: none of them decides it. */
  claimants: readonly string[];
}

export interface CaseAct {
  action: CaseAction;
  /** Every party that the caller is to this case. */
  parties: readonly CaseParty[];
  /** Keyed hash; null for the system. */
  person: string | null;
}

export interface CaseStep {
  facts: CaseFacts;
  /** As which of the caller's parties. */
  party: CaseParty;
}

export interface CaseImpediment {
  code: 'FORBIDDEN' | 'CASE_STATE' | 'CASE_RULE';
  /** Chinese first, then English. */
  message: string;
}

export function isCaseImpediment(outcome: CaseStep | CaseImpediment): outcome is CaseImpediment {
  return 'code' in outcome;
}

/** The next facts, or why not: first kind and party, then the state, then whether it is somebody else. */
export function caseStep(facts: CaseFacts, act: CaseAct): CaseStep | CaseImpediment {
  const rule = caseTransition(act.action);
  const party = rule.kinds.includes(facts.kind) ? rule.by.find((one) => act.parties.includes(one)) : undefined;
  if (party === undefined) {
    return { code: 'FORBIDDEN', message: `您不能对此事项${rule.zh} · not yours to ${act.action}` };
  }
  if (!rule.from.includes(facts.state)) {
    const { zh, en } = caseStates[facts.state];
    const message = `事项处于“${zh}”，不能${rule.zh} · the case is ${facts.state} (${en}): no ${act.action} now`;
    return { code: 'CASE_STATE', message };
  }
  if (rule.anotherPerson && act.person !== null && facts.claimants.includes(act.person)) {
    return { code: 'CASE_RULE', message: '不得由提出人本人办理 · nobody decides what they have filed' };
  }
  const state = rule.to === 'same' ? facts.state : rule.to;
  const speaks = party === 'claimant' || rule.speaks === true;
  return { facts: { ...(speaks ? withSpeaker(facts, act) : facts), state }, party };
}

/** What can be done now by such a caller, in the table's order. */
export function possibleCaseActions(
  facts: CaseFacts,
  caller: Omit<CaseAct, 'action'>,
  among: readonly CaseAction[],
): CaseAction[] {
  return among.filter((action) => !isCaseImpediment(caseStep(facts, { ...caller, action })));
}

function withSpeaker(facts: CaseFacts, { person }: CaseAct): CaseFacts {
  if (person === null || facts.claimants.includes(person)) return facts;
  return { ...facts, claimants: [...facts.claimants, person] };
}
