/** What time does to a case: when its workflow wakes, and for what. Pure, so that it is tested without a clock. */
import type { CaseFacts } from './case-machine.ts';
import { finalCaseStates } from './case-states.ts';
import type { CaseAction } from './case-transitions.ts';

/** All that a workflow keeps of a case; the catalog has the rest. Times are RFC 3339 in UTC. */
export interface CaseSnapshot {
  id: string;
  /** Of the newest step. */
  sequence: number;
  facts: CaseFacts;
  duty: OpenCaseDuty | null;
}

interface OpenCaseDuty {
  /** Of those not sent yet. */
  remindersDue: string[];
  deadline: string;
  provisional: boolean;
  overdue: boolean;
  /** Time that merely runs out. */
  window: boolean;
}

export interface CaseWake {
  at: Date;
  /** `advance`: try the exchange's own next step again. */
  action: Extract<CaseAction, 'remind' | 'overdue' | 'close-rejected' | 'recompute'> | 'advance';
}

export const caseClock = {
  /** A deadline over holidays that are not announced yet is computed again this often. */
  provisionalRecheckMs: 7 * 24 * 60 * 60 * 1000,
  /** A step of the exchange's own that could not be made is tried again this often. */
  advanceRetryMs: 60 * 60 * 1000,
} as const;

export function caseHasEnded({ facts }: CaseSnapshot): boolean {
  return finalCaseStates.includes(facts.state);
}

/** The next thing that time brings; what is late already is due at once. Undefined: only people move it. */
export function nextCaseWake({ duty, facts }: CaseSnapshot, now: Date): CaseWake | undefined {
  const wakes: CaseWake[] = [];
  if (duty !== null && !duty.overdue) {
    const [reminder] = duty.window ? [] : duty.remindersDue;
    if (reminder !== undefined) wakes.push({ at: new Date(reminder), action: 'remind' });
    wakes.push({ at: new Date(duty.deadline), action: duty.window ? 'close-rejected' : 'overdue' });
  }
  if (duty?.provisional) {
    wakes.push({ at: new Date(now.getTime() + caseClock.provisionalRecheckMs), action: 'recompute' });
  }
  if (facts.state === 'FILED' || facts.state === 'FIXED_IN') {
    wakes.push({ at: new Date(now.getTime() + caseClock.advanceRetryMs), action: 'advance' });
  }
  return wakes.reduce<CaseWake | undefined>((first, wake) => (first && first.at <= wake.at ? first : wake), undefined);
}
