/** Has the department's worker infer a dataset from a table. */
import { describeFailure, toWorkflowFailure } from './failures.ts';
import type { InferDatasetInquiry, StagedAnswer } from './messages.ts';
import { inquiry as ask } from './proxies.ts';

/** The workflow fails with the worker's code, WORKER_UNAVAILABLE or WORKER_LOST. */
export async function inferDataset({ source, queue, inquiry }: InferDatasetInquiry): Promise<StagedAnswer> {
  try {
    return await ask(queue).inferDataset({ source, ...inquiry });
  } catch (e: unknown) {
    throw toWorkflowFailure(describeFailure(e));
  }
}
