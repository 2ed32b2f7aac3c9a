import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CaseSnapshot, caseHasEnded, nextCaseWake } from '../../../lib/pure/case-clock.ts';
import { type CaseFacts, caseStep, isCaseImpediment, possibleCaseActions } from '../../../lib/pure/case-machine.ts';
import {
  type CaseKind,
  type CaseParty,
  type CaseState,
  caseDuties,
  caseDutyOf,
  caseKindNames,
  caseParties,
  caseStateNames,
  finalCaseStates,
  firstStates,
  isWindow,
} from '../../../lib/pure/case-states.ts';
import {
  type CaseAction,
  caseActions,
  caseTransition,
  officerCaseActions,
} from '../../../lib/pure/case-transitions.ts';

const partyNames = Object.keys(caseParties) as CaseParty[];
const opened = (kind: CaseKind): CaseFacts => ({ kind, state: firstStates[kind], claimants: ['zhang'] });

/** Carries out a story; throws where a step is impeded. */
function through(facts: CaseFacts, ...story: [CaseAction, CaseParty, string?][]): CaseFacts {
  return story.reduce((now, [action, party, person = party === 'claimant' ? 'zhang' : 'li']) => {
    const outcome = caseStep(now, { action, parties: [party], person: party === 'system' ? null : person });
    if (isCaseImpediment(outcome)) throw new Error(`${action}: ${outcome.message}`);
    return outcome.facts;
  }, facts);
}

describe('a correction', () => {
  const checked = through(opened('correction'), ['route', 'system']);

  test('accepted: is mended in a version, and the readers are notified', () => {
    expect(checked.state).toBe('PROVIDER_CHECK');
    const fixed = through(checked, ['accept', 'provider'], ['fix', 'system']);
    expect(fixed.state).toBe('FIXED_IN');
    expect(through(fixed, ['notify', 'system']).state).toBe('CONSUMERS_NOTIFIED');
  });

  test('rejected: is disputed, and the supervisor rules', () => {
    const disputed = through(checked, ['reject', 'provider'], ['dispute', 'claimant']);
    expect(through(disputed, ['uphold', 'supervisor']).state).toBe('UPHELD');
    expect(through(disputed, ['overturn', 'supervisor']).state).toBe('ACCEPTED');
  });

  test('rejected and not disputed: is closed by time', () => {
    expect(through(checked, ['reject', 'provider'], ['close-rejected', 'system']).state).toBe('CLOSED');
  });

  test('nobody decides what they have filed, also where they hold both offices', () => {
    const both: CaseParty[] = ['claimant', 'provider'];
    expect(caseStep(checked, { action: 'accept', parties: both, person: 'zhang' })).toMatchObject({
      code: 'CASE_RULE',
    });
    expect(caseStep(checked, { action: 'accept', parties: both, person: 'li' })).toMatchObject({
      facts: { state: 'ACCEPTED' },
    });
    const disputed = through(checked, ['reject', 'provider'], ['dispute', 'claimant', 'chen']);
    const uphold = { action: 'uphold', parties: ['supervisor'] } as const;
    expect(caseStep(disputed, { ...uphold, person: 'chen' })).toMatchObject({ code: 'CASE_RULE' });
    expect(caseStep(disputed, { ...uphold, person: 'wang' })).toMatchObject({ facts: { state: 'UPHELD' } });
  });
});

test('a low rating is answered by the provider and by nobody else', () => {
  expect(through(opened('rating'), ['answer', 'provider']).state).toBe('ANSWERED');
  expect(() => through(opened('rating'), ['answer', 'claimant'])).toThrow(/answer/);
});

test('copies are confirmed by who holds them, in the words of their kind', () => {
  expect(through(opened('confirmation'), ['confirm-replaced', 'holder']).state).toBe('CONFIRMED');
  expect(through(opened('confirmation'), ['confirm-destroyed', 'holder']).state).toBe('CONFIRMED');
  expect(through(opened('destruction'), ['confirm-destruction', 'holder']).state).toBe('CLOSED');
  expect(() => through(opened('destruction'), ['confirm-replaced', 'holder'])).toThrow(/not yours/);
  expect(() => through(opened('destruction'), ['confirm-destruction', 'provider'])).toThrow(/not yours/);
});

describe('over random acts', () => {
  const act = fc.record({
    action: fc.constantFrom(...caseActions),
    parties: fc.subarray(partyNames),
    person: fc.option(fc.constantFrom('zhang', 'li', 'wang', 'chen')),
  });

  test('an end is an end, kinds stay apart, only parties act, and no claimant ever decides', () => {
    fc.assert(
      fc.property(fc.constantFrom(...caseKindNames), fc.array(act, { maxLength: 30 }), (kind, acts) => {
        let facts = opened(kind);
        for (const one of acts) {
          const outcome = caseStep(facts, one);
          if (isCaseImpediment(outcome)) continue;
          const rule = caseTransition(one.action);
          expect(finalCaseStates).not.toContain(facts.state);
          expect(rule.kinds).toContain(kind);
          expect(one.parties).toContain(outcome.party);
          expect(rule.by).toContain(outcome.party);
          if (rule.anotherPerson && one.person !== null) expect(facts.claimants).not.toContain(one.person);
          expect(outcome.facts.claimants).toEqual(expect.arrayContaining([...facts.claimants]));
          facts = outcome.facts;
        }
      }),
    );
  });

  test('whatever happened, a case that has not ended can still be ended, and somebody or time is at work on it', () => {
    const everybody = { parties: partyNames, person: null };
    const reach = (facts: CaseFacts, seen = new Set<CaseState>()): Set<CaseState> => {
      if (seen.has(facts.state)) return seen;
      seen.add(facts.state);
      for (const action of possibleCaseActions(facts, everybody, caseActions)) {
        const outcome = caseStep(facts, { ...everybody, action });
        if (!isCaseImpediment(outcome)) reach(outcome.facts, seen);
      }
      return seen;
    };
    const reached = new Set<CaseState>();
    for (const kind of caseKindNames) {
      for (const state of reach(opened(kind))) {
        reached.add(state);
        expect([...reach({ ...opened(kind), state })].some((end) => finalCaseStates.includes(end))).toBe(true);
        const ended = finalCaseStates.includes(state);
        const atOnce = state === 'FILED' || state === 'FIXED_IN';
        expect(caseDutyOf(state) !== undefined || atOnce).toBe(!ended);
      }
    }
    expect([...reached].toSorted()).toEqual([...caseStateNames].toSorted());
  });
});

test('officers’ actions are those that somebody but the exchange may take', () => {
  for (const action of caseActions) {
    const people = caseTransition(action).by.filter((party) => party !== 'system');
    expect(officerCaseActions.includes(action)).toBe(people.length > 0);
  }
});

describe('time', () => {
  const now = new Date('2026-03-01T00:00:00Z');
  const snapshot = (state: CaseState, duty: Partial<CaseSnapshot['duty']> | null): CaseSnapshot => ({
    ...{ id: 'x', sequence: 1, facts: { kind: 'correction', state, claimants: [] } },
    duty: duty && {
      ...{ remindersDue: [], deadline: '2026-03-10T00:00:00Z', provisional: false, overdue: false, window: false },
      ...duty,
    },
  });

  test('reminds, then reports overdue once, then leaves it to people', () => {
    const open = { remindersDue: ['2026-03-05T00:00:00Z'] };
    expect(nextCaseWake(snapshot('PROVIDER_CHECK', open), now)?.action).toBe('remind');
    expect(nextCaseWake(snapshot('PROVIDER_CHECK', {}), now)).toEqual({
      ...{ action: 'overdue', at: new Date('2026-03-10T00:00:00Z') },
    });
    expect(nextCaseWake(snapshot('PROVIDER_CHECK', { overdue: true }), now)).toBeUndefined();
  });

  test('a window closes without a reminder', () => {
    expect(isWindow(caseDutyOf('REJECTED')!)).toBe(true);
    const window = { window: true, remindersDue: ['2026-03-05T00:00:00Z'] };
    expect(nextCaseWake(snapshot('REJECTED', window), now)?.action).toBe('close-rejected');
  });

  test('what is provisional is counted again each week; what the exchange does itself, each hour', () => {
    expect(nextCaseWake(snapshot('PROVIDER_CHECK', { provisional: true }), now)).toEqual({
      ...{ action: 'recompute', at: new Date('2026-03-08T00:00:00Z') },
    });
    expect(nextCaseWake(snapshot('FIXED_IN', null), now)).toEqual({
      ...{ action: 'advance', at: new Date('2026-03-01T01:00:00Z') },
    });
    expect(caseHasEnded(snapshot('CONSUMERS_NOTIFIED', null))).toBe(true);
    expect(caseHasEnded(snapshot('FIXED_IN', null))).toBe(false);
  });
});

test('every duty names words and days, and its state exists', () => {
  const used = new Set(caseStateNames.map((state) => caseDutyOf(state)).filter((duty) => duty !== undefined));
  expect([...used].toSorted()).toEqual(Object.keys(caseDuties).toSorted());
});
