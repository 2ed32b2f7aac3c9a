import { Context } from '@temporalio/activity';
import { limits } from '../../lib/limits.ts';

/** Heartbeat details of an extract, as `WorkflowHandle.describe()` shows them while it runs. */
export interface ExtractDetails {
  generation: number;
  rows: number;
  /** Decoded. */
  bytes: number;
  partitions: number;
  partitionsDone: number;
}

/**
 * Runs `body` while telling Temporal that it lives, also where nothing moves (a long count in the source). Cancellation,
 * time-out and shutdown reach it through the signal.
 */
export async function heartbeating<T>(
  body: (signal: AbortSignal, tell: (details: ExtractDetails) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let latest: ExtractDetails | undefined;
  const beat = setInterval(() => context.heartbeat(latest), limits.heartbeatTimeoutMs / 4);
  try {
    return await body(context.cancellationSignal, (details) => {
      latest = details;
      context.heartbeat(details);
    });
  } finally {
    clearInterval(beat);
  }
}
