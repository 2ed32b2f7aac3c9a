/**
 * What a schedule starts. Temporal gives scheduled workflows ids of their own; publishing as a child keeps the one id
 * `publish/<dataset>`, so that a scheduled run never takes over from one that a person has started.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild } from '@temporalio/workflow';
import { publishWorkflowId } from '../lib/pure/task-queues.ts';
import type { PublishDatasetResult } from './messages.ts';
import { publishDataset } from './publish-dataset.ts';

export async function publishOnSchedule({
  dataset,
}: {
  dataset: string;
}): Promise<PublishDatasetResult | { outcome: 'skipped' }> {
  try {
    return await executeChild(publishDataset, {
      workflowId: publishWorkflowId(dataset),
      args: [{ dataset, trigger: 'schedule', actor: 'system:schedule' }],
    });
  } catch (e: unknown) {
    if (e instanceof WorkflowExecutionAlreadyStartedError) return { outcome: 'skipped' };
    throw e;
  }
}
