/**
 * Publishes one dataset: begin → extract → recheck → commit; whatever fails ends the run with its reason. Workflow id
 * `publish/<dataset>`; the run's id is the workflow's run id. Only ids, counts and digests pass through here.
 */
import { CancellationScope, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import { describeFailure, toWorkflowFailure, withPlace } from './failures.ts';
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
    const { queue } = await exchange.beginRun({ ...request, runId, workflowId });
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
    const message = failure.code === 'CANCELLED' ? (cancelNote ?? failure.message) : withPlace(failure);
    await CancellationScope.nonCancellable(() => failRun({ runId, code: failure.code, message }));
    throw isCancellation(e) ? e : toWorkflowFailure(failure);
  } finally {
    progress = { ...progress, stage: 'ended' };
  }
}
