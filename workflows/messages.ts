/** What clients say to our workflows, and ask of them. Pure: the server imports it. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { CommitOutcome } from '../activities/exchange/index.ts';
import type { SourceReference } from './activity-types.ts';

export { exchangeQueue, publishWorkflowId, sourceQueue } from '../lib/pure/task-queues.ts';

export interface PublishDatasetRequest {
  dataset: string;
  trigger: 'manual' | 'schedule';
  /** As the audit log names actors: `token:<id>`, `system:schedule`. */
  actor: string;
  /** Whoever starts it knows that the version may be empty or lose half its rows. */
  confirm?: boolean;
}

/** Of `checkSource` and `discoverSource`. */
export interface SourceInquiry {
  source: SourceReference;
  /** Of the workers that can reach it: `sourceQueue(department)`. */
  queue: string;
}

export type PublishDatasetResult = CommitOutcome & { runId: string };

export type PublishStage = 'beginning' | 'extracting' | 'rechecking' | 'committing' | 'ended';

export interface PublishProgress {
  stage: PublishStage;
  /** Of the generation that was extracted, once there is one. */
  extracted?: { rowsRead: number; rowsPublished: number; rowsQuarantined: number; parts: number };
}

/**
 * Where a run is. Rows read so far are not here but in the heartbeat details of the pending activity `extract`, which
 * `WorkflowHandle.describe()` shows: they never become history.
 */
export const progressQuery = defineQuery<PublishProgress>('progress');

/** Who cancels and why; sent before the workflow is cancelled, which says neither. */
export const cancelNoteSignal = defineSignal<[{ actor: string; reason?: string }]>('cancelNote');
