/**
 * Cases: what departments owe each other after data has been shared (lib/pure/case-states.ts has the words). The machine
 * says what may happen; this folder makes it happen in one transaction, with the step's row, its duty and its leaf for
 * the audit log; a workflow keeps the time. What is derived from the log (metering, subject access) lives here too.
 *
 * Glossary
 *   cause  what a case came from; each causes one case a department at most
 *   step   one transition, with who, when and why; a row of `duty_case_event`
 *   duty   what the state obliges somebody to do; a row of `duty_case_duty`, one open at most
 *   tend   to open what is due by itself, and to start the workflows of cases that have none
 */
import type { DistrictFiles } from '../../catalog/district/district.ts';
import type { CaseSnapshot } from '../../lib/pure/case-clock.ts';
import type { CaseAct, CaseFacts } from '../../lib/pure/case-machine.ts';
import type { CaseDuty, CaseKind, CaseParty, CaseState } from '../../lib/pure/case-states.ts';
import { isWindow } from '../../lib/pure/case-states.ts';
import type { CaseAction } from '../../lib/pure/case-transitions.ts';

/** What an action comes with; which of it is needed, the transition table says. */
export interface CaseContent {
  reason?: string;
  /** In which the row is mended. */
  version?: number;
  /** Whether the exchange has seen the row differ there; never the caller's to say. */
  shown?: boolean;
  /** Of what the reviewer of an entry has seen. */
  digest?: string;
}

export interface ApplyCaseAction extends CaseAct, CaseContent {
  case: string;
  /** UUID of the sender's: the same one again changes nothing. */
  id: string;
  /** As the audit log names actors. */
  actor: string;
  /** On whose behalf; null for the exchange itself. */
  department: string | null;
  /** By the clock of the case's workflow; RFC 3339. */
  at: string;
}

export interface CaseRow {
  id: string;
  kind: CaseKind;
  cause: string;
  department: string;
  provider: string;
  supervisor: string;
  dataset: string;
  version: number | null;
  state: CaseState;
  sequence: number;
  claimants: string[];
  tended_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

export interface CaseDutyRow {
  case: string;
  sequence: number;
  duty: CaseDuty;
  party: CaseParty;
  department: string;
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

export interface CaseEventRow {
  case: string;
  sequence: number;
  id: string;
  action: CaseAction | 'open';
  from_state: CaseState | null;
  to_state: CaseState;
  party: CaseParty;
  actor: string;
  person: string | null;
  department: string | null;
  reason: string | null;
  version: number | null;
  policy_version: string | null;
  deadline: Date | null;
  provisional: boolean | null;
  at: Date;
}

/** What only corrections have. */
export interface CorrectionRow {
  case: string;
  item: string;
  key_hash: string;
  claim: Buffer;
  checked_version: number;
  fixed_version: number | null;
  fix_shown: boolean | null;
}

/** What only publications of entries have. */
export interface ProposalRow {
  case: string;
  files: DistrictFiles;
  base: string;
}

export function caseFactsOf({ kind, state, claimants }: CaseRow): CaseFacts {
  return { kind, state, claimants };
}

export function caseSnapshotOf(row: CaseRow, duty: CaseDutyRow | undefined): CaseSnapshot {
  return {
    id: row.id,
    sequence: row.sequence,
    facts: caseFactsOf(row),
    duty:
      duty === undefined
        ? null
        : {
            remindersDue: duty.reminders_due.slice(duty.reminders_sent).map((moment) => moment.toISOString()),
            deadline: duty.deadline.toISOString(),
            provisional: duty.provisional,
            overdue: duty.overdue_at !== null,
            window: isWindow(duty.duty),
          },
  };
}
