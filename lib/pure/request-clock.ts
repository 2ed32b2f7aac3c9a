/** What time does to a request: when its workflow wakes, and for what. Pure, so that it is tested without a clock. */
import type { RequestFacts } from './request-machine.ts';
import { finalStates, type RequestState } from './request-states.ts';
import type { RequestAction } from './request-transitions.ts';

/** All that a workflow keeps of a request; the catalog has the rest. Times are RFC 3339 in UTC. */
export interface RequestSnapshot {
  id: string;
  /** Of the newest step. */
  sequence: number;
  facts: RequestFacts;
  duty: OpenDuty | null;
  /** When the grant ends; null while there is none. */
  expires: string | null;
}

interface OpenDuty {
  /** Of those not sent yet. */
  remindersDue: string[];
  deadline: string;
  provisional: boolean;
  overdue: boolean;
  /** Time that merely runs out. */
  window: boolean;
}

export interface Wake {
  at: Date;
  /** `advance`: try the system's next step again. */
  action: Extract<RequestAction, 'remind' | 'overdue' | 'close-refused' | 'expire' | 'recompute'> | 'advance';
}

export const requestClock = {
  /** A deadline over holidays that are not announced yet is computed again this often. */
  provisionalRecheckMs: 7 * 24 * 60 * 60 * 1000,
  /** A step of the exchange's own that could not be made (no version to give yet) is tried again this often. */
  advanceRetryMs: 60 * 60 * 1000,
} as const;

const passing: readonly RequestState[] = [
  'SUBMITTED',
  'TRIAGE',
  'OVERTURNED',
  'APPROVED',
  'PROVISIONING',
  'EXPIRED',
  'REVOKED',
];

export function hasEnded({ facts }: RequestSnapshot): boolean {
  return (finalStates as readonly RequestState[]).includes(facts.state);
}

/** The next thing that time brings; what is late already is due at once. Undefined: only people move it. */
export function nextWake(snapshot: RequestSnapshot, now: Date): Wake | undefined {
  const { duty, expires, facts } = snapshot;
  const wakes: Wake[] = [];
  if (duty !== null && !duty.overdue) {
    const [reminder] = duty.window ? [] : duty.remindersDue;
    if (reminder !== undefined) wakes.push({ at: new Date(reminder), action: 'remind' });
    wakes.push({ at: new Date(duty.deadline), action: duty.window ? 'close-refused' : 'overdue' });
  }
  if (duty?.provisional) {
    wakes.push({ at: new Date(now.getTime() + requestClock.provisionalRecheckMs), action: 'recompute' });
  }
  if (expires !== null && (facts.state === 'ACTIVE' || facts.state === 'SUSPENDED')) {
    wakes.push({ at: new Date(expires), action: 'expire' });
  }
  if (passing.includes(facts.state)) {
    wakes.push({ at: new Date(now.getTime() + requestClock.advanceRetryMs), action: 'advance' });
  }
  return wakes.reduce<Wake | undefined>((first, wake) => (first && first.at <= wake.at ? first : wake), undefined);
}
