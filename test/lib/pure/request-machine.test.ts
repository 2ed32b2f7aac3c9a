import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isImpediment,
  possibleActions,
  type RequestAct,
  type RequestFacts,
  step,
} from '../../../lib/pure/request-machine.ts';
import {
  duties,
  dutyOf,
  finalStates,
  type Party,
  parties,
  type RequestState,
  requestStateNames,
} from '../../../lib/pure/request-states.ts';
import {
  officerActions,
  type RequestAction,
  requestActions,
  transitions,
} from '../../../lib/pure/request-transitions.ts';

const drafted: RequestFacts = {
  state: 'DRAFT',
  sharingClass: 'conditional',
  requesters: ['zhang'],
  infoAsked: false,
  extension: 'none',
  askedIn: null,
};
const partyNames = Object.keys(parties) as Party[];

/** Carries out a story; throws where a step is impeded. */
function through(facts: RequestFacts, ...story: [RequestAction, Party, (string | null)?][]): RequestFacts {
  return story.reduce((now, [action, party, person = party === 'requester' ? 'zhang' : 'li']) => {
    const outcome = step(now, { action, parties: [party], person: party === 'system' ? null : person });
    if (isImpediment(outcome)) throw new Error(`${action}: ${outcome.message}`);
    return outcome.facts;
  }, facts);
}

const inReview = through(
  drafted,
  ['submit', 'requester'],
  ['endorse', 'sharing-officer'],
  ['accept', 'system'],
  ['route', 'system'],
);

describe('a request', () => {
  test('conditional: goes to the provider, who approves; the exchange makes the grant', () => {
    expect(inReview.state).toBe('PROVIDER_REVIEW');
    const approved = through(inReview, ['approve', 'provider'], ['provision', 'system']);
    const active = step(approved, { action: 'activate', parties: ['system'], person: null });
    expect(active).toMatchObject({ facts: { state: 'ACTIVE' }, effects: ['create-grant'] });
  });

  test('unconditional: is granted by the exchange; conditional never is', () => {
    const story: [RequestAction, Party][] = [
      ['submit', 'requester'],
      ['endorse', 'sharing-officer'],
      ['accept', 'system'],
      ['grant-unconditional', 'system'],
    ];
    expect(through({ ...drafted, sharingClass: 'unconditional' }, ...story).state).toBe('APPROVED');
    expect(() => through(drafted, ...story)).toThrow(/unconditional/);
  });

  test('not shared: stops, and cannot be disputed here', () => {
    const stopped = through(
      { ...drafted, sharingClass: 'not-shared' },
      ['submit', 'requester'],
      ['endorse', 'sharing-officer'],
      ['accept', 'system'],
      ['stop', 'system'],
    );
    expect(stopped.state).toBe('REFUSED');
    expect(step(stopped, { action: 'dispute', parties: ['requester'], person: 'zhang' })).toMatchObject({
      code: 'REQUEST_RULE',
      guard: 'shareable',
    });
  });

  test('information is asked for once, and the answer leads back to where it was asked', () => {
    const extended = through(inReview, ['request-extension', 'provider'], ['extend', 'supervisor']);
    const back = through(extended, ['ask', 'provider'], ['answer', 'requester']);
    expect(back.state).toBe('EXTENDED');
    expect(step(back, { action: 'ask', parties: ['provider'], person: 'li' })).toMatchObject({ guard: 'info-once' });
  });

  test('is extended once, and only with the supervisor’s consent', () => {
    const extend: RequestAct = { action: 'extend', parties: ['supervisor'], person: 'wang' };
    expect(step(inReview, extend)).toMatchObject({ guard: 'extension-asked' });
    const asked = through(inReview, ['request-extension', 'provider']);
    expect(step(asked, { ...extend, parties: ['provider'] })).toMatchObject({ code: 'FORBIDDEN' });
    expect(step(asked, extend)).toMatchObject({ facts: { state: 'EXTENDED', extension: 'given' } });
    const denied = through(asked, ['deny-extension', 'supervisor']);
    expect(step(denied, { action: 'request-extension', parties: ['provider'], person: 'li' })).toMatchObject({
      guard: 'extension-once',
    });
  });

  test('nobody decides what they asked for, also where they hold both offices', () => {
    const both: Party[] = ['requester', 'provider'];
    expect(step(inReview, { action: 'approve', parties: both, person: 'zhang' })).toMatchObject({
      guard: 'another-person',
    });
    expect(step(inReview, { action: 'approve', parties: both, person: 'li' })).toMatchObject({
      facts: { state: 'APPROVED' },
    });
    const answered = through(inReview, ['ask', 'provider'], ['answer', 'requester', 'chen']);
    expect(step(answered, { action: 'approve', parties: both, person: 'chen' })).toMatchObject({
      guard: 'another-person',
    });
  });

  test('a dispute is won or lost after mediation, or settled in it', () => {
    const mediated = through(inReview, ['refuse', 'provider'], ['dispute', 'requester'], ['mediate', 'supervisor']);
    expect(through(mediated, ['approve', 'provider']).state).toBe('APPROVED');
    const escalated = through(mediated, ['escalate', 'supervisor']);
    expect(through(escalated, ['uphold', 'supervisor']).state).toBe('UPHELD');
    expect(through(escalated, ['overturn', 'supervisor'], ['carry-out', 'system']).state).toBe('APPROVED');
  });
});

/** Mostly something that can be done, so that stories grow long; sometimes anything at all. */
const anyTry = fc.record({
  pick: fc.nat(),
  wild: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  parties: fc.subarray(partyNames, { minLength: 1 }),
  person: fc.constantFrom('zhang', 'li', 'wang'),
});

function actOf(
  facts: RequestFacts,
  { pick, wild, parties: tried, person }: typeof anyTry extends fc.Arbitrary<infer T> ? T : never,
): RequestAct {
  const caller = { parties: wild ? tried : partyNames, person: tried.includes('system') ? null : person };
  const useful = possibleActions(facts, caller, requestActions).filter((action) => action !== 'withdraw');
  const among = wild || useful.length === 0 ? requestActions : useful;
  return { ...caller, action: among[pick % among.length]! };
}

describe('whatever is tried', () => {
  const beforeActive: RequestState[] = ['ACTIVE', 'SUSPENDED', 'EXPIRED', 'REVOKED', 'DESTRUCTION_PENDING', 'CLOSED'];

  test('the machine keeps its invariants', () => {
    const classes = fc.constantFrom('unconditional', 'conditional', 'not-shared');
    const reached = new Set<RequestState>();
    fc.assert(
      fc.property(classes, fc.array(anyTry, { minLength: 30, maxLength: 80 }), (sharingClass, tries) => {
        let facts: RequestFacts = { ...drafted, sharingClass };
        const path: RequestAction[] = [];
        for (const tried of tries) {
          const act = actOf(facts, tried);
          const outcome = step(facts, act);
          if (isImpediment(outcome)) continue;
          const count = (action: RequestAction) => path.filter((done) => done === action).length;
          path.push(act.action);
          expect(finalStates).not.toContain(facts.state);
          expect(transitions[act.action].by).toContain(outcome.party);
          // A requester decides nothing of their own, and a timer approves nothing that is conditional.
          if (['approve', 'overturn', 'endorse', 'refuse'].includes(act.action)) {
            expect(facts.requesters).not.toContain(act.person);
          }
          if (outcome.facts.state === 'APPROVED' && facts.state !== 'APPROVED' && facts.state !== 'OVERTURNED') {
            expect(act.action === 'grant-unconditional' ? sharingClass : act.action).toMatch(
              act.action === 'grant-unconditional' ? /^unconditional$/ : /^approve$/,
            );
          }
          if (outcome.facts.state === 'WITHDRAWN') expect(beforeActive).not.toContain(facts.state);
          if (act.action === 'activate') expect(sharingClass).not.toBe('not-shared');
          expect(count('ask')).toBeLessThanOrEqual(1);
          expect(count('extend')).toBeLessThanOrEqual(1);
          expect(count('activate')).toBeLessThanOrEqual(1);
          expect(outcome.facts.askedIn === null).toBe(outcome.facts.state !== 'NEEDS_INFO');
          facts = outcome.facts;
          reached.add(facts.state);
        }
      }),
      { seed: 20_261_123, numRuns: 400, verbose: 1 },
    );
    expect(reached.size).toBeGreaterThan(15);
  });

  test('no state is a dead end: a final one can be reached, and every state can be', () => {
    const next = (state: RequestState) =>
      requestActions
        .map((action) => transitions[action])
        .filter(({ from, to }) => from.includes(state) && to !== 'same')
        .flatMap(({ to }) => (to === 'back' ? (['PROVIDER_REVIEW', 'EXTENDED'] as const) : [to as RequestState]));
    const reachable = (start: RequestState) => {
      const seen = new Set([start]);
      for (const state of seen) for (const follower of next(state)) seen.add(follower);
      return seen;
    };
    expect([...reachable('DRAFT')].sort()).toEqual([...requestStateNames].sort());
    for (const state of requestStateNames) {
      expect(
        [...reachable(state)].some((end) => (finalStates as readonly string[]).includes(end)),
        state,
      ).toBe(true);
      expect(next(state).length === 0, state).toBe((finalStates as readonly string[]).includes(state));
    }
  });

  test('a duty can be reminded of exactly where there is one', () => {
    for (const state of requestStateNames) {
      const duty = dutyOf(state, 'conditional');
      const reminds = transitions.remind.from.includes(state);
      const passing = state === 'EXPIRED' || state === 'REVOKED';
      if (!passing) expect(reminds, state).toBe(duty !== undefined && !('window' in duties[duty]));
    }
    expect(officerActions).not.toContain('remind');
  });
});
