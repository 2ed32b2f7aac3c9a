/** Activities of cases: each is one or more transactions of the catalog, and harmless when repeated. */
import { advanceCase, applyCaseAction, loadCase, takeSystemCaseStep } from '../../exchange/duties/apply.ts';
import type { ApplyCaseAction } from '../../exchange/duties/cases.ts';
import type { Publication } from '../../exchange/publication/publication.ts';
import { isHuitongError } from '../../lib/errors.ts';
import type { CaseSnapshot, CaseWake } from '../../lib/pure/case-clock.ts';
import { withFailures } from '../failure.ts';
import { heartbeating } from './heartbeat.ts';

export type { ApplyCaseAction };

/** What time brings to a case. */
export interface PassCaseTime {
  case: string;
  action: CaseWake['action'];
  /** UUID: the same one again changes nothing. */
  id: string;
  /** By the workflow's clock. */
  at: string;
}

export function createCaseActivities({ publication: { catalog } }: { publication: Publication }) {
  const run = (body: () => Promise<CaseSnapshot>) => withFailures(() => heartbeating(body));
  return {
    loadCase: ({ case: id }: { case: string }): Promise<CaseSnapshot> => run(() => loadCase(catalog, id)),

    /** The step, and after it the exchange's own. */
    actOnCase: (act: ApplyCaseAction): Promise<CaseSnapshot> =>
      run(async () => {
        await applyCaseAction(catalog, act);
        return advanceCase(catalog, { id: act.case, at: act.at });
      }),

    passCaseTime: ({ case: id, action, ...step }: PassCaseTime): Promise<CaseSnapshot> =>
      run(async () => {
        if (action !== 'advance') await systemStep({ ...step, case: id, action });
        return advanceCase(catalog, { id, at: step.at });
      }),
  };

  /** Time may come too late: somebody has acted meanwhile, and what it would have done has no place any more. */
  async function systemStep(step: Parameters<typeof takeSystemCaseStep>[1]): Promise<void> {
    try {
      await takeSystemCaseStep(catalog, step);
    } catch (e: unknown) {
      if (!isHuitongError(e, 'CASE_STATE')) throw e;
    }
  }
}
