import { describe, expect, test } from 'vitest';
import { hasEnded, nextWake, type RequestSnapshot, requestClock } from '../../../lib/pure/request-clock.ts';
import type { RequestState } from '../../../lib/pure/request-states.ts';

const now = new Date('2026-02-12T02:00:00.000Z');
const at = (day: number) => new Date(now.getTime() + day * 86_400_000);

function snapshot(
  state: RequestState,
  duty: Partial<NonNullable<RequestSnapshot['duty']>> | null = null,
  expires: Date | null = null,
): RequestSnapshot {
  const open = { remindersDue: [], deadline: at(10).toISOString(), provisional: false, overdue: false, window: false };
  return {
    ...{ id: 'r', sequence: 1, expires: expires?.toISOString() ?? null },
    duty: duty === null ? null : { ...open, ...duty },
    facts: { state, sharingClass: 'conditional', requesters: [], infoAsked: false, extension: 'none', askedIn: null },
  };
}

describe('time brings next', () => {
  test('a reminder, then the deadline, then nothing: never a decision', () => {
    const waiting = snapshot('PROVIDER_REVIEW', { remindersDue: [at(5).toISOString(), at(8).toISOString()] });
    expect(nextWake(waiting, now)).toEqual({ at: at(5), action: 'remind' });
    expect(nextWake(snapshot('PROVIDER_REVIEW', {}), now)).toEqual({ at: at(10), action: 'overdue' });
    expect(nextWake(snapshot('PROVIDER_REVIEW', { overdue: true }), now)).toBeUndefined();
  });

  test('what is late already, at once', () => {
    expect(nextWake(snapshot('PROVIDER_REVIEW', {}), at(30))?.at.getTime()).toBeLessThan(at(30).getTime());
  });

  test('the end of a window, without a reminder', () => {
    const window = snapshot('REFUSED', { window: true, remindersDue: [at(5).toISOString()] });
    expect(nextWake(window, now)).toEqual({ at: at(10), action: 'close-refused' });
  });

  test('the end of a grant, also while it is suspended', () => {
    for (const state of ['ACTIVE', 'SUSPENDED'] as const) {
      expect(nextWake(snapshot(state, null, at(365)), now)).toEqual({ at: at(365), action: 'expire' });
    }
    expect(nextWake(snapshot('CLOSED', null, at(365)), now)).toBeUndefined();
  });

  test('another count while the deadline is provisional, and another try while the exchange itself waits', () => {
    const provisional = snapshot('PROVIDER_REVIEW', { provisional: true });
    expect(nextWake(provisional, now)).toEqual({ at: at(7), action: 'recompute' });
    const provisioning = nextWake(snapshot('PROVISIONING', {}), now);
    expect(provisioning).toEqual({ at: new Date(now.getTime() + requestClock.advanceRetryMs), action: 'advance' });
  });

  test('nothing to a draft; and an ended request needs no workflow', () => {
    expect(nextWake(snapshot('DRAFT'), now)).toBeUndefined();
    expect(hasEnded(snapshot('DRAFT'))).toBe(false);
    expect(hasEnded(snapshot('WITHDRAWN'))).toBe(true);
  });
});
