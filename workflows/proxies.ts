/** Activities with the time-outs and retries that each needs; limits are in lib/pure/. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { exchangeQueue } from '../lib/pure/task-queues.ts';
import { workflowLimits as limits } from '../lib/pure/workflow-limits.ts';
import type { ExchangeActivities, SourceActivities } from './activity-types.ts';

const retry = {
  initialInterval: limits.retryDelayFirstMs,
  backoffCoefficient: 2,
  maximumInterval: limits.retryDelayMaxMs,
};

/** Short, and repeated while the catalog or the store is away. */
export const exchange = proxyActivities<Pick<ExchangeActivities, 'admitRun' | 'beginRun' | 'commitRun'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.exchangeActivityMaxMs,
  scheduleToCloseTimeout: limits.exchangeActivityRetriesMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry,
});

/** Repeated for ever: a run must not stay `running` when its workflow has ended. */
export const { failRun } = proxyActivities<Pick<ExchangeActivities, 'failRun'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.exchangeActivityMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry,
});

export const { recheckRun } = proxyActivities<Pick<ExchangeActivities, 'recheckRun'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.recheckMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry: { ...retry, maximumAttempts: limits.extractAttemptsMax },
});

/** Each attempt is a new generation; a cancelled one is waited for, so that the source is free when the run has ended. */
export function extraction(taskQueue: string): Pick<SourceActivities, 'extract'> {
  return proxyActivities<Pick<SourceActivities, 'extract'>>({
    taskQueue,
    scheduleToStartTimeout: limits.workerWaitMaxMs,
    startToCloseTimeout: limits.snapshotAgeMaxMs,
    heartbeatTimeout: limits.heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...retry, maximumAttempts: limits.extractAttemptsMax },
  });
}

type Inquiries = 'checkSource' | 'discoverSource' | 'inferDataset' | 'previewDataset';

/** A person waits for the answer: once, and soon. */
export function inquiry(taskQueue: string): Pick<SourceActivities, Inquiries> {
  return proxyActivities<Pick<SourceActivities, Inquiries>>({
    taskQueue,
    scheduleToStartTimeout: limits.workerWaitInteractiveMaxMs,
    startToCloseTimeout: limits.inquiryMaxMs,
    retry: { maximumAttempts: 1 },
  });
}

/** An officer waits for the answer; the catalog is tried again for as long as one waits. */
export const { actOnRequest } = proxyActivities<Pick<ExchangeActivities, 'actOnRequest'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.inquiryMaxMs,
  scheduleToCloseTimeout: limits.inquiryMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry,
});

/** Repeated for ever: a deadline must not be missed because the catalog was away. */
export const requestKeeping = proxyActivities<Pick<ExchangeActivities, 'loadRequest' | 'passTime'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.exchangeActivityMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry,
});

/** As for requests: an officer waits for the answer. */
export const { actOnCase } = proxyActivities<Pick<ExchangeActivities, 'actOnCase'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.inquiryMaxMs,
  scheduleToCloseTimeout: limits.inquiryMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry,
});

/** Repeated for ever, as for requests. */
export const caseKeeping = proxyActivities<Pick<ExchangeActivities, 'loadCase' | 'passCaseTime'>>({
  taskQueue: exchangeQueue,
  startToCloseTimeout: limits.exchangeActivityMaxMs,
  heartbeatTimeout: limits.heartbeatTimeoutMs,
  retry,
});
