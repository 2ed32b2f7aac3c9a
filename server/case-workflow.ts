/** How the API and the server's passes speak with the workflows of cases. */
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import type { Access } from '../exchange/access/access.ts';
import { bySystem as requestsBySystem } from '../exchange/access/requests/advance.ts';
import { bySystem } from '../exchange/duties/apply.ts';
import { REVOKED } from '../exchange/duties/entries/revoke.ts';
import { findMended, type Tended, tendCases } from '../exchange/duties/tend.ts';
import type { CaseSnapshot } from '../lib/pure/case-clock.ts';
import {
  type CaseActMessage,
  type CaseInput,
  caseActUpdate,
  caseWorkflowId,
  exchangeQueue,
  policyChangedSignal,
} from '../workflows/messages.ts';
import { sendAct } from './request-workflow.ts';
import { callTemporal, codedFailure } from './temporal.ts';

type CaseWorkflow = (input: CaseInput) => Promise<CaseSnapshot>;

/**
 * Has a case's workflow carry out one action, and starts the workflow where there is none yet. The same act's id again
 * gives the same answer.
 * @throws what the action is refused with; TEMPORAL_UNREACHABLE
 */
export function sendCaseAct(client: Client, id: string, act: CaseActMessage): Promise<CaseSnapshot> {
  return callTemporal(async () => {
    const startWorkflowOperation = new WithStartWorkflowOperation<CaseWorkflow>('dutyCase', {
      workflowId: caseWorkflowId(id),
      taskQueue: exchangeQueue,
      args: [{ case: id }],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    });
    try {
      return await client.workflow.executeUpdateWithStart(caseActUpdate, {
        updateId: act.id,
        args: [act],
        startWorkflowOperation,
      });
    } catch (error: unknown) {
      if (error instanceof WorkflowUpdateFailedError) throw codedFailure(error, `case/${id}`);
      throw error;
    }
  });
}

/** Starts a case's workflow; one that runs is left alone. Throws TEMPORAL_UNREACHABLE. */
export async function startCase(client: Client, id: string): Promise<void> {
  await callTemporal(async () => {
    try {
      await client.workflow.start<CaseWorkflow>('dutyCase', {
        workflowId: caseWorkflowId(id),
        taskQueue: exchangeQueue,
        args: [{ case: id }],
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      });
    } catch (error: unknown) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  });
}

/** Tells the workflows of these cases that the policy or the calendar has changed; one that has ended needs not. */
export async function announceToCases(client: Client, cases: readonly string[]): Promise<void> {
  for (const id of cases) {
    await callTemporal(async () => {
      try {
        await client.workflow.getHandle(caseWorkflowId(id)).signal(policyChangedSignal);
      } catch (error: unknown) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    });
  }
}

/** Looks for what the newest versions of these datasets have mended; gives how many corrections. */
export function tendPublished(access: Access, client: Client, datasets: string[]): Promise<number> {
  return findMended(access, fixThrough(client), datasets);
}

function fixThrough(client: Client) {
  return (id: string, version: number) =>
    sendCaseAct(client, id, { ...bySystem, action: 'fix', version, shown: true, id: uuidv7() });
}

/** One pass over what is due by itself. */
export function tend(access: Access, client: Client): Promise<Tended> {
  return tendCases({
    access,
    changed: (id) => sendCaseAct(client, id, { ...bySystem, action: 'entry-changed', id: uuidv7() }),
    end: (request) =>
      sendAct(client, request, { ...requestsBySystem, action: 'revoke', reason: REVOKED, id: uuidv7() }),
    fix: fixThrough(client),
    start: (id) => startCase(client, id),
  });
}
