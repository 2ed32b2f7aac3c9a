/** How the API speaks with the workflows of requests. */
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { RequestSnapshot } from '../lib/pure/request-clock.ts';
import {
  exchangeQueue,
  policyChangedSignal,
  type RequestActMessage,
  type RequestInput,
  requestActUpdate,
  requestWorkflowId,
} from '../workflows/messages.ts';
import { callTemporal, codedFailure } from './temporal.ts';

type RequestWorkflow = (input: RequestInput) => Promise<RequestSnapshot>;

/**
 * Has a request's workflow carry out one action, and starts the workflow where there is none yet. The same act's id
 * again gives the same answer.
 * @throws what the action is refused with; TEMPORAL_UNREACHABLE
 */
export function sendAct(client: Client, request: string, act: RequestActMessage): Promise<RequestSnapshot> {
  const workflowId = requestWorkflowId(request);
  return callTemporal(async () => {
    const startWorkflowOperation = new WithStartWorkflowOperation<RequestWorkflow>('request', {
      workflowId,
      taskQueue: exchangeQueue,
      args: [{ request }],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    });
    try {
      return await client.workflow.executeUpdateWithStart(requestActUpdate, {
        updateId: act.id,
        args: [act],
        startWorkflowOperation,
      });
    } catch (error: unknown) {
      if (error instanceof WorkflowUpdateFailedError) throw codedFailure(error, `request/${request}`);
      throw error;
    }
  });
}

/** Tells the workflows of these requests that the policy or the calendar has changed; one that has ended needs not. */
export async function announcePolicy(client: Client, requests: readonly string[]): Promise<void> {
  for (const request of requests) {
    await callTemporal(async () => {
      try {
        await client.workflow.getHandle(requestWorkflowId(request)).signal(policyChangedSignal);
      } catch (error: unknown) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    });
  }
}
