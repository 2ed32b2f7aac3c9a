/**
 * Publishes one dataset: begin → wait for its source → extract → recheck → commit; whatever fails ends the run with its reason. Workflow id
 * `publish/<dataset>`; the run's id is the workflow's run id. Only ids, counts and digests pass through here.
 */
import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { workflowLimits as limits } from '../lib/pure/workflow-limits.ts';
import { describeFailure, sourceBusy, toWorkflowFailure, withPlace } from './failures.ts';
import {
  cancelNoteSignal,
  type PublishDatasetRequest,
  type PublishDatasetResult,
  type PublishProgress,
  progressQuery,
} from './messages.ts';
import { exchange, extraction, failRun, recheckRun } from './proxies.ts';

export async function publishDataset(request: PublishDatasetRequest): Promise<PublishDatasetResult> {
  const { runId, workflowId } = workflowInfo();
  let progress: PublishProgress = { stage: 'beginning' };
  let cancelNote: string | undefined;
  setHandler(progressQuery, () => progress);
  setHandler(cancelNoteSignal, ({ actor, reason }) => {
    cancelNote = reason ? `cancelled by ${actor}: ${reason}` : `cancelled by ${actor}`;
  });

  try {
    const { queue, limited } = await exchange.beginRun({ ...request, runId, workflowId });
    if (limited) {
      await admission(runId, (waiting) => {
        progress = { stage: 'waiting', waiting };
      });
    }
    progress = { stage: 'extracting' };
    const { generation, reportDigest, ...extracted } = await extraction(queue).extract({ runId });
    progress = { stage: 'rechecking', extracted };
    await recheckRun({ runId, generation, reportDigest });
    progress = { stage: 'committing', extracted };
    // Once it has begun it is not cancelled: it is short, and its outcome must be known.
    const outcome = await CancellationScope.nonCancellable(() =>
      exchange.commitRun({ runId, generation, reportDigest }),
    );
    return { ...outcome, runId };
  } catch (e: unknown) {
    const failure = describeFailure(e);
    // An attempt that fails of itself while it is being cancelled: the run ends because somebody wanted it to.
    const cancelled = isCancellation(e) || (cancelRequested() && progress.stage !== 'committing');
    const code = cancelled ? 'CANCELLED' : failure.code;
    const message = cancelled ? (cancelNote ?? 'cancelled') : withPlace(failure);
    await CancellationScope.nonCancellable(() => failRun({ runId, code, message }));
    if (!cancelled) throw toWorkflowFailure(failure);
    throw isCancellation(e) ? e : new CancelledFailure(message);
  } finally {
    progress = { ...progress, stage: 'ended' };
  }
}

function cancelRequested(): boolean {
  return CancellationScope.current().consideredCancelled;
}

/**
 * Asks until the source's limits admit the run, with a durable timer between: until its window opens, or for a while
 * where its connections are in use. Throws SOURCE_BUSY where those were not to be had in time.
 */
async function admission(runId: string, tell: (waiting: PublishProgress['waiting']) => void): Promise<void> {
  let waited = 0;
  for (let asked = 0; waited < limits.admissionWaitMaxMs; ) {
    const answer = await exchange.admitRun({ runId, asked });
    if (answer.admitted) return;
    const { waitingFor, until } = answer;
    tell({ for: waitingFor, until });
    const pause = Math.max(limits.admissionWaitMinMs, Date.parse(until) - Date.now());
    await sleep(pause);
    // A window comes when it comes.
    if (waitingFor === 'window') continue;
    waited += pause;
    asked++;
  }
  throw sourceBusy(limits.admissionWaitMaxMs);
}
