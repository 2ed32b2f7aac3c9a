/** Looks after one case (`tend.ts`). Workflow id `case/<id>`. */
import { continueAsNew } from '@temporalio/workflow';
import { type CaseSnapshot, caseClock, caseHasEnded, nextCaseWake } from '../lib/pure/case-clock.ts';
import { caseStep, isCaseImpediment } from '../lib/pure/case-machine.ts';
import { type CaseInput, caseActUpdate, caseQuery } from './messages.ts';
import { actOnCase, caseKeeping } from './proxies.ts';
import { tend } from './tend.ts';

/** Ends with the case; its result is the case's last state. */
export async function dutyCase({ case: id, snapshot: carried }: CaseInput): Promise<CaseSnapshot> {
  return tend(
    {
      name: { case: id },
      query: caseQuery,
      update: caseActUpdate,
      load: () => caseKeeping.loadCase({ case: id }),
      act: (message, at) => actOnCase({ ...message, case: id, at }),
      impediment({ facts }, message) {
        const outcome = caseStep(facts, message);
        return isCaseImpediment(outcome) ? { ...outcome, details: [{ at: message.action }] } : undefined;
      },
      hasEnded: caseHasEnded,
      nextWake: nextCaseWake,
      pass: (action, passId, at) => caseKeeping.passCaseTime({ case: id, action, id: passId, at }),
      retryMs: caseClock.advanceRetryMs,
      continueAsNew: (snapshot) => continueAsNew<typeof dutyCase>({ case: id, snapshot }),
    },
    carried,
  );
}
