/** Activities of task queue `exchange`: they know the catalog and the store, and no source. */

import { type Admission, type AdmitRun, admitRun } from '../../exchange/publication/admission.ts';
import { type CommitRun, commitRun } from '../../exchange/publication/commit.ts';
import type { CommitOutcome, Publication, RunState } from '../../exchange/publication/publication.ts';
import { type RecheckRun, recheckRun } from '../../exchange/publication/recheck.ts';
import { type BeginRun, type BegunRun, beginRun, type FailRun, failRun } from '../../exchange/publication/runs.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { withFailures } from '../failure.ts';
import { createCaseActivities } from './cases.ts';
import { heartbeating } from './heartbeat.ts';
import { createRequestActivities } from './requests.ts';

export type { Admission, BegunRun, CommitOutcome };

export interface ExchangeActivityDeps {
  publication: Publication;
}

/** Each sends heartbeats, however short it is: a worker that dies in it is noticed by their absence, and soon. */
export function createExchangeActivities({ publication }: ExchangeActivityDeps) {
  return {
    beginRun: (request: BeginRun): Promise<BegunRun> =>
      withFailures(() => heartbeating(() => beginRun(publication, request))),

    /** Asked again and again: it never waits itself. */
    admitRun: (request: AdmitRun): Promise<Admission> =>
      withFailures(() => heartbeating(() => admitRun(publication, request))),

    /** Returns at once where the worker was the exchange's own. */
    recheckRun: (request: RecheckRun): Promise<{ rowsChecked: number }> =>
      withFailures(() => heartbeating((signal) => recheckRun(publication, request, signal))),

    commitRun: (request: CommitRun): Promise<CommitOutcome> =>
      withFailures(() => heartbeating(() => commitRun(publication, request))),

    /** How the run now stands: where a commit came first, it stays published. A run that never began is left alone. */
    failRun: (request: FailRun): Promise<{ state: RunState; version: number | null } | null> =>
      withFailures(() => heartbeating(() => failIfBegun(publication, request))),

    ...createRequestActivities({ publication }),
    ...createCaseActivities({ publication }),
  };
}

async function failIfBegun(publication: Publication, request: FailRun) {
  try {
    const { state, version } = await failRun(publication, request);
    return { state, version };
  } catch (e: unknown) {
    if (isHuitongError(e, 'NOT_FOUND')) return null;
    throw e;
  }
}
