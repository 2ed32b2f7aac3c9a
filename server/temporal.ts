/** How the API starts, follows and ends workflows. Temporal's own errors become ours here. */
import {
  type Client,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowNotFoundError,
  type WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { errorCodes } from '../lib/error-codes.ts';
import { type ErrorCode, HuitongError } from '../lib/errors.ts';
import { cancelNoteSignal } from '../workflows/messages.ts';

export interface StartedWorkflow {
  workflowId: string;
  runId: string;
}

export interface WorkflowStart {
  type: string;
  workflowId: string;
  taskQueue: string;
  argument: unknown;
}

/** Starts a workflow that must not be running yet. Throws RUN_IN_PROGRESS where it is, TEMPORAL_UNREACHABLE. */
export async function startWorkflow(client: Client, start: WorkflowStart): Promise<StartedWorkflow> {
  try {
    const handle = await client.workflow.start(start.type, {
      workflowId: start.workflowId,
      taskQueue: start.taskQueue,
      args: [start.argument],
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
    });
    return { workflowId: start.workflowId, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new HuitongError('RUN_IN_PROGRESS', '该数据集正在运行 · a run of this dataset is going on', {
        at: start.workflowId,
        cause: error,
      });
    }
    throw unreachable(error);
  }
}

/** Starts a short workflow and waits for its result; its coded failure is thrown as ours. */
export async function executeWorkflow<T>(client: Client, start: WorkflowStart, timeoutMs: number): Promise<T> {
  try {
    return await client.workflow.execute(start.type, {
      workflowId: start.workflowId,
      taskQueue: start.taskQueue,
      args: [start.argument],
      workflowExecutionTimeout: timeoutMs,
    });
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw codedFailure(error, start.workflowId);
    throw unreachable(error);
  }
}

/** Tells a run's workflow who ends it and why, and ends it; one that has ended already is left as it is. */
export async function cancelWorkflow(
  client: Client,
  { workflowId, runId }: StartedWorkflow,
  note: { actor: string; reason?: string },
): Promise<void> {
  try {
    const handle = client.workflow.getHandle(workflowId, runId);
    await handle.signal(cancelNoteSignal, note);
    await handle.cancel();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return;
    throw unreachable(error);
  }
}

/** What the running extraction last told with its heartbeat; undefined where there is none. */
export async function progressOf(client: Client, { workflowId, runId }: StartedWorkflow): Promise<unknown> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
    const payload = raw.pendingActivities?.find((activity) => activity.heartbeatDetails)?.heartbeatDetails
      ?.payloads?.[0];
    return payload ? client.options.loadedDataConverter.payloadConverter.fromPayload(payload) : undefined;
  } catch {
    // Progress is a courtesy: a listing or a run without it is still right.
    return undefined;
  }
}

/** Runs one call of Temporal's client. Throws TEMPORAL_UNREACHABLE where it does not answer. */
export async function callTemporal<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw unreachable(error);
  }
}

/** The outermost failure of a workflow or an update whose type is our code, with the place and the hint that it carries. */
export function codedFailure(error: WorkflowFailedError | WorkflowUpdateFailedError, at: string): HuitongError {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type && cause.type in errorCodes) {
      const [detail] = (cause.details ?? []) as (FailureDetail | undefined)[];
      return new HuitongError(cause.type as ErrorCode, cause.message, { at, ...detail, cause: error });
    }
    if (cause instanceof TimeoutFailure) {
      return new HuitongError('WORKER_UNAVAILABLE', '部门工作进程未及时响应 · no worker answered in time', {
        at,
        cause: error,
      });
    }
  }
  return new HuitongError('INTERNAL', 'the workflow failed', { at, cause: error });
}

/** As activities say it (activities/failure.ts). */
interface FailureDetail {
  hint?: string;
  at?: string;
  pointer?: string;
}

function unreachable(error: unknown): HuitongError {
  if (error instanceof HuitongError) return error;
  if (error instanceof ServiceError) {
    return new HuitongError('TEMPORAL_UNREACHABLE', '工作流服务未响应 · Temporal does not answer', { cause: error });
  }
  return new HuitongError('INTERNAL', 'a call of Temporal failed', { cause: error });
}
