import { Context } from '@temporalio/activity';
import { limits } from '../../lib/limits.ts';

/** Runs `body` while telling Temporal that it lives; the signal ends it on cancellation, time-out and shutdown. */
export async function heartbeating<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), limits.heartbeatTimeoutMs / 4);
  try {
    return await body(context.cancellationSignal);
  } finally {
    clearInterval(beat);
  }
}
