/**
 * How an activity's errors reach Temporal: an ApplicationFailure whose type is our code, not retried where the code's
 * recovery says that trying again cannot help. What caused it stays in the worker's log: an unexpected error may quote
 * a cell or a secret, and histories are kept.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { type HuitongError, isHuitongError, toHuitongError } from '../lib/errors.ts';

/** The one member of a failure's details. */
export interface FailureDetail {
  hint: string;
  at?: string;
  pointer?: string;
}

/** Runs an activity's body and maps what it throws. */
export async function withFailures<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (e: unknown) {
    throw toFailure(e);
  }
}

function toFailure(e: unknown): Error {
  if (e instanceof ApplicationFailure) return e;
  const context = Context.current();
  const cancelled = e instanceof CancelledFailure || isHuitongError(e, 'CANCELLED');
  if (cancelled || context.cancellationSignal.aborted) return endedEarly(context);
  const error = toHuitongError(e);
  if (error.recovery === 'retriable') {
    context.log.warn('activity failed', { code: error.code, at: error.at, cause: describeCause(error.cause) });
  }
  return applicationFailure(error);
}

/** The signal also ends an activity whose worker stops or that has timed out; those are tried again elsewhere. */
function endedEarly(context: Context): Error {
  if (context.cancellationDetails?.cancelRequested) return new CancelledFailure('CANCELLED');
  return ApplicationFailure.create({ type: 'WORKER_LOST', message: 'the worker stopped, or lost its lease' });
}

function applicationFailure(error: HuitongError): ApplicationFailure {
  const detail: FailureDetail = { hint: error.hint, at: error.at, pointer: error.pointer };
  return ApplicationFailure.create({
    type: error.code,
    message: error.message,
    nonRetryable: error.recovery !== 'retriable',
    details: [detail],
  });
}

/** Kind and place of an unexpected error, without its message. */
function describeCause(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = 'code' in cause && typeof cause.code === 'string' ? ` ${cause.code}` : '';
  const frames = (cause.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return [`${cause.name}${code}`, ...frames].join('\n');
}
