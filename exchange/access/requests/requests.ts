/**
 * Requests: what a department asks of another, decided by people, timed by a workflow, and kept here. The machine
 * (lib/pure/request-machine.ts) says what may happen; this folder makes it happen in one transaction, with the step's
 * row, its duty, its grant and its leaf for the audit log.
 *
 * Glossary
 *   asked     what the requester wants: items, rows, modes, purpose, term
 *   decision  what of it the provider gives, with masks
 *   step      one transition, with who, when and why; a row of `request_event`
 *   duty      what the state obliges somebody to do; a row of `request_duty`, one open at most
 */
import type { RequestSnapshot } from '../../../lib/pure/request-clock.ts';
import type { RequestAct, RequestFacts } from '../../../lib/pure/request-machine.ts';
import type { Party, RequestDuty, RequestState } from '../../../lib/pure/request-states.ts';
import type { RequestAction } from '../../../lib/pure/request-transitions.ts';
import type { RequestDecision, RequestTerms, Words } from '../../../schemas/generated/api.ts';

/** What an action comes with; which of it is needed, the transition table says. */
export interface ActContent {
  reason?: string;
  basis?: Words;
  decision?: RequestDecision;
  terms?: RequestTerms;
}

export interface ApplyAction extends RequestAct, ActContent {
  request: string;
  /** UUID of the sender's: the same one again changes nothing. */
  id: string;
  /** As the audit log names actors. */
  actor: string;
  /** On whose behalf; null for the exchange itself. */
  department: string | null;
  /** By the clock of the request's workflow; RFC 3339. */
  at: string;
}

export interface RequestRow {
  id: string;
  department: string;
  dataset: string;
  provider: string;
  supervisor: string;
  state: RequestState;
  sequence: number;
  sharing_class: RequestFacts['sharingClass'];
  requesters: string[];
  info_asked: boolean;
  extension: RequestFacts['extension'];
  asked_in: RequestState | null;
  asked: RequestTerms;
  decision: RequestDecision | null;
  refusal: { reason?: string; basis: Words } | null;
  grant: string | null;
  created_at: Date;
  updated_at: Date;
}

export interface DutyRow {
  request: string;
  sequence: number;
  duty: RequestDuty;
  party: Party;
  department: string | null;
  began_at: Date;
  counted_from: Date;
  deadline: Date;
  provisional: boolean;
  policy_version: string;
  reminders_due: Date[];
  reminders_sent: number;
  overdue_at: Date | null;
  ended_at: Date | null;
}

export interface EventRow {
  request: string;
  sequence: number;
  id: string;
  action: RequestAction | 'create';
  from_state: RequestState | null;
  to_state: RequestState;
  party: Party;
  actor: string;
  person: string | null;
  department: string | null;
  reason: string | null;
  basis: Words | null;
  detail: object | null;
  policy_version: string | null;
  deadline: Date | null;
  provisional: boolean | null;
  at: Date;
}

export function factsOf(row: RequestRow): RequestFacts {
  return {
    state: row.state,
    sharingClass: row.sharing_class,
    requesters: row.requesters,
    infoAsked: row.info_asked,
    extension: row.extension,
    askedIn: row.asked_in,
  };
}

/** The columns of the machine's facts. */
export function columnsOf(facts: RequestFacts): Partial<RequestRow> {
  return {
    state: facts.state,
    sharing_class: facts.sharingClass,
    requesters: [...facts.requesters],
    info_asked: facts.infoAsked,
    extension: facts.extension,
    asked_in: facts.askedIn,
  };
}

export function snapshotOf(row: RequestRow, duty: DutyRow | undefined): RequestSnapshot {
  return {
    id: row.id,
    sequence: row.sequence,
    facts: factsOf(row),
    duty:
      duty === undefined
        ? null
        : {
            remindersDue: duty.reminders_due.slice(duty.reminders_sent).map((moment) => moment.toISOString()),
            deadline: duty.deadline.toISOString(),
            provisional: duty.provisional,
            overdue: duty.overdue_at !== null,
            window: duty.duty === 'objection',
          },
    expires: row.grant === null ? null : (row.decision?.expires ?? row.asked.expires),
  };
}
