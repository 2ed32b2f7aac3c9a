import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { withFailures } from '../../activities/failure.ts';
import { HuitongError } from '../../lib/errors.ts';

const thrown = (error: unknown, environment = new MockActivityEnvironment()): Promise<unknown> =>
  environment
    .run(() => withFailures(() => Promise.reject(error)))
    .then(
      () => undefined,
      (e: unknown) => e,
    );

describe('an activity’s failure', () => {
  it('has our code as its type, and is retried where that can help', async () => {
    const fatal = new HuitongError('TABLE_NOT_FOUND', 'no such table', { at: 'health-db' });
    expect(await thrown(fatal)).toMatchObject({
      type: 'TABLE_NOT_FOUND',
      nonRetryable: true,
      details: [{ at: 'health-db', hint: fatal.hint }],
    });
    const retriable = new HuitongError('SNAPSHOT_LOST', 'gone');
    expect(await thrown(retriable)).toMatchObject({ type: 'SNAPSHOT_LOST', nonRetryable: false });
  });

  it('of an unexpected error says nothing that it said', async () => {
    const failure = await thrown(new Error('password=canary'));
    expect(failure).toMatchObject({ type: 'INTERNAL', nonRetryable: false });
    expect(JSON.stringify(failure)).not.toContain('canary');
    expect((failure as Error).cause).toBeUndefined();
  });

  it('is a cancellation only where one was asked for; a worker that stops is retried elsewhere', async () => {
    const stopping = new MockActivityEnvironment();
    stopping.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    const failure = await thrown(new HuitongError('CANCELLED', 'cancelled'), stopping);
    expect(failure).not.toBeInstanceOf(CancelledFailure);
    expect(failure).toMatchObject({ type: 'WORKER_LOST' });
    const cancelled = new MockActivityEnvironment();
    cancelled.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    expect(await thrown(new HuitongError('CANCELLED', 'cancelled'), cancelled)).toBeInstanceOf(CancelledFailure);
  });
});
