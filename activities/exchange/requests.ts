/** Activities of requests: each is one or more transactions of the catalog, and harmless when repeated. */
import { Context } from '@temporalio/activity';
import { advanceRequest, loadRequest, takeSystemStep } from '../../exchange/access/requests/advance.ts';
import { applyAction } from '../../exchange/access/requests/apply.ts';
import type { ApplyAction } from '../../exchange/access/requests/requests.ts';
import type { Publication } from '../../exchange/publication/publication.ts';
import { toHuitongError } from '../../lib/errors.ts';
import type { RequestSnapshot, Wake } from '../../lib/pure/request-clock.ts';
import { withFailures } from '../failure.ts';
import { heartbeating } from './heartbeat.ts';

export type { ApplyAction };

/** What time brings to a request. */
export interface PassTime {
  request: string;
  action: Wake['action'];
  /** UUID: the same one again changes nothing. */
  id: string;
  /** By the workflow's clock. */
  at: string;
}

export function createRequestActivities({ publication }: { publication: Publication }) {
  const run = (body: () => Promise<RequestSnapshot>) => withFailures(() => heartbeating(body));
  return {
    loadRequest: ({ request }: { request: string }): Promise<RequestSnapshot> =>
      run(() => loadRequest(publication.catalog, request)),

    /** The step, and after it the exchange's own; a step of the exchange's that fails is tried again later. */
    actOnRequest: (act: ApplyAction): Promise<RequestSnapshot> =>
      run(async () => {
        await applyAction(publication, act);
        return advanceOrWait(publication, act);
      }),

    passTime: ({ request, action, id, at }: PassTime): Promise<RequestSnapshot> =>
      run(async () => {
        if (action !== 'advance') await takeSystemStep(publication, { request, action, id, at });
        return advanceOrWait(publication, { request, at });
      }),
  };
}

/** Something that cannot be granted is for people to see (its duty falls due), not for Temporal to repeat. */
async function advanceOrWait(
  publication: Publication,
  place: { request: string; at: string },
): Promise<RequestSnapshot> {
  try {
    return await advanceRequest(publication, place);
  } catch (e: unknown) {
    const error = toHuitongError(e);
    if (error.recovery === 'retriable' || error.code === 'INTERNAL') throw e;
    Context.current().log.warn('a request cannot advance', { request: place.request, code: error.code });
    return loadRequest(publication.catalog, place.request);
  }
}
