/**
 * Every error that leaves a module of Huitong is a `HuitongError` with a stable code.
 *
 * A code tells three things that callers act upon: the HTTP status, the recovery kind, and the words a person reads.
 *   recovery `fatal`      trying again cannot help; a person must change something
 *   recovery `retriable`  the same call may succeed later
 *   recovery `row`        one row is at fault; it goes to quarantine and the run goes on
 *
 * Messages say what happened and where, never a secret and never a cell of personal data.
 * The hint says what to do next. Codes are never renamed: they are part of the API.
 */
import { type ErrorCode, errorCodes, type Recovery } from './error-codes.ts';

export type { ErrorCode, Recovery } from './error-codes.ts';

export interface ErrorDetails {
  /** Where it happened: a file with its line, a table, a dataset, a partition. */
  at?: string;
  /** RFC 6901 pointer into the document at fault. */
  pointer?: string;
  /** What to do next, where it differs from the code's own hint. */
  hint?: string;
  cause?: unknown;
  /** Several findings of one check (for instance, every mistake in a definition). */
  problems?: Problem[];
}

/** One finding, as it is shown in an RFC 9457 problem's `errors` member. */
export interface Problem {
  code: ErrorCode;
  message: string;
  at?: string;
  pointer?: string;
}

export class HuitongError extends Error {
  readonly code: ErrorCode;
  readonly at?: string;
  readonly pointer?: string;
  readonly hint: string;
  readonly problems?: Problem[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'HuitongError';
    this.code = code;
    this.at = details.at;
    this.pointer = details.pointer;
    this.hint = details.hint ?? errorCodes[code].hint.en;
    this.problems = details.problems;
  }

  get recovery(): Recovery {
    return errorCodes[this.code].recovery;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

export function isHuitongError(e: unknown, code?: ErrorCode): e is HuitongError {
  return e instanceof HuitongError && (code === undefined || e.code === code);
}

/**
 * The error itself if it is ours, else DISK_FULL or INTERNAL with the original as its cause.
 * The original's message stays out of ours: it may hold a secret or a row's value.
 */
export function toHuitongError(e: unknown, at?: string): HuitongError {
  if (e instanceof HuitongError) return e;
  if (isDiskFull(e)) return new HuitongError('DISK_FULL', 'no space is left to write to', { at, cause: e });
  return new HuitongError('INTERNAL', 'an unexpected failure', { at, cause: e });
}

/** A file system or its quota (errno), or PostgreSQL's (53100, appendix A of its manual). */
export function isDiskFull(e: unknown): boolean {
  return e instanceof Error && 'code' in e && ['ENOSPC', 'EDQUOT', '53100'].includes(String(e.code));
}
