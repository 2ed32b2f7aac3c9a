import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../workflows/failures.ts';

const activity = (cause: Error) => new ActivityFailure('failed', 'extract', '1', RetryState.TIMEOUT, 'worker', cause);

describe('a workflow’s view of an activity that failed', () => {
  it('is the activity’s own code', () => {
    const cause = ApplicationFailure.create({ type: 'SOURCE_AUTH', message: 'refused' });
    expect(describeFailure(activity(cause))).toMatchObject({ code: 'SOURCE_AUTH', message: 'refused' });
  });

  it('tells a worker that never came from one that went silent', () => {
    const timeout = (type: 'SCHEDULE_TO_START' | 'HEARTBEAT') => activity(new TimeoutFailure('timeout', {}, type));
    expect(describeFailure(timeout('SCHEDULE_TO_START'))).toMatchObject({ code: 'WORKER_UNAVAILABLE' });
    expect(describeFailure(timeout('HEARTBEAT'))).toMatchObject({ code: 'WORKER_LOST' });
  });

  it('is none where the workflow itself is at fault', () => {
    const bug = new TypeError('undefined is not a function');
    expect(() => describeFailure(bug)).toThrow(bug);
  });
});
