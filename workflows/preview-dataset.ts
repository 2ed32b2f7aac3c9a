/** Has the department's worker try a dataset on the first rows of its table; no version is made. */
import { describeFailure, toWorkflowFailure } from './failures.ts';
import type { PreviewDatasetInquiry, StagedAnswer } from './messages.ts';
import { inquiry as ask } from './proxies.ts';

/** The workflow fails with the worker's code, WORKER_UNAVAILABLE or WORKER_LOST. */
export async function previewDataset({ source, queue, inquiry }: PreviewDatasetInquiry): Promise<StagedAnswer> {
  try {
    return await ask(queue).previewDataset({ source, ...inquiry });
  } catch (e: unknown) {
    throw toWorkflowFailure(describeFailure(e));
  }
}
