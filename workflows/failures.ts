/** What went wrong in an activity, in our codes. */
import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { ErrorCode } from '../lib/error-codes.ts';

const SOURCE_BUSY = 'SOURCE_BUSY' satisfies ErrorCode;

export interface Failure {
  code: ErrorCode;
  message: string;
  details: unknown[];
}

/** Throws anything that is not an activity's failure: a bug of the workflow fails its task, and is mended by a release. */
export function describeFailure(e: unknown): Failure {
  if (isCancellation(e)) return { code: 'CANCELLED', message: 'cancelled', details: [] };
  if (e instanceof ApplicationFailure && e.type === SOURCE_BUSY) return codedOf(e);
  if (!(e instanceof ActivityFailure)) throw e;
  const { cause } = e;
  if (cause instanceof TimeoutFailure) return { ...describeTimeout(cause, e.activityType), details: [] };
  if (cause instanceof ApplicationFailure) return codedOf(cause);
  return { code: 'INTERNAL', message: `${e.activityType} failed`, details: [] };
}

/** The type is a code of ours: activities/failure.ts sees to it. The worker's own failures have other types. */
function codedOf({ type, message, details }: ApplicationFailure): Failure {
  return { code: (type ?? 'INTERNAL') as ErrorCode, message, details: details ?? [] };
}

/** A run whose source had no connections to spare for `waitedMs`. */
export function sourceBusy(waitedMs: number): ApplicationFailure {
  const hours = Math.round(waitedMs / 3_600_000);
  const message = `no connections of the source came free within ${hours} hours`;
  return toWorkflowFailure({ code: SOURCE_BUSY, message, details: [] });
}

/** What happened and where, in one line: a run keeps no more than its code and this. */
export function withPlace({ message, details }: Failure): string {
  const [detail] = details as { at?: string; pointer?: string }[];
  const place = [detail?.at, detail?.pointer].filter(Boolean).join(' ');
  return place === '' || message.includes(place) ? message : `${message} (${place})`;
}

/** The workflow's own failure: its type is the code. */
export function toWorkflowFailure({ code, message, details }: Failure): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, details, nonRetryable: true });
}

function describeTimeout(timeout: TimeoutFailure, activity: string): { code: ErrorCode; message: string } {
  if (timeout.timeoutType === 'SCHEDULE_TO_START') {
    return { code: 'WORKER_UNAVAILABLE', message: `no worker took ${activity} in time` };
  }
  // The last attempt's own failure says more than that the time for all attempts is over.
  if (timeout.cause instanceof ApplicationFailure) {
    return { code: (timeout.cause.type ?? 'INTERNAL') as ErrorCode, message: timeout.cause.message };
  }
  return { code: 'WORKER_LOST', message: `the worker that ran ${activity} went silent` };
}
