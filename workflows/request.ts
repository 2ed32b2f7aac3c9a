/** Looks after one request (`tend.ts`). Workflow id `request/<id>`. */
import { continueAsNew } from '@temporalio/workflow';
import { hasEnded, nextWake, type RequestSnapshot, requestClock } from '../lib/pure/request-clock.ts';
import { isImpediment, step } from '../lib/pure/request-machine.ts';
import { type RequestInput, requestActUpdate, requestQuery } from './messages.ts';
import { actOnRequest, requestKeeping } from './proxies.ts';
import { tend } from './tend.ts';

/** Ends with the request; its result is the request's last state. */
export async function request({ request: id, snapshot: carried }: RequestInput): Promise<RequestSnapshot> {
  return tend(
    {
      name: { request: id },
      query: requestQuery,
      update: requestActUpdate,
      load: () => requestKeeping.loadRequest({ request: id }),
      act: (message, at) => actOnRequest({ ...message, request: id, at }),
      impediment({ facts }, message) {
        const outcome = step(facts, message);
        if (!isImpediment(outcome)) return undefined;
        return { ...outcome, details: [{ at: outcome.guard ?? message.action }] };
      },
      hasEnded,
      nextWake,
      pass: (action, passId, at) => requestKeeping.passTime({ request: id, action, id: passId, at }),
      retryMs: requestClock.advanceRetryMs,
      continueAsNew: (snapshot) => continueAsNew<typeof request>({ request: id, snapshot }),
    },
    carried,
  );
}
