/** What clients say to our workflows, and ask of them. Pure: the server imports it. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ApplyCaseAction } from '../activities/exchange/cases.ts';
import type { CommitOutcome } from '../activities/exchange/index.ts';
import type { ApplyAction } from '../activities/exchange/requests.ts';
import type { InferInquiry, PreviewInquiry } from '../activities/source/inquiries.ts';
import type { CaseSnapshot } from '../lib/pure/case-clock.ts';
import type { RequestSnapshot } from '../lib/pure/request-clock.ts';
import type { SourceReference } from './activity-types.ts';

export {
  caseWorkflowId,
  exchangeQueue,
  publishWorkflowId,
  requestWorkflowId,
  sourceQueue,
} from '../lib/pure/task-queues.ts';

export interface PublishDatasetRequest {
  dataset: string;
  trigger: 'manual' | 'schedule';
  /** As the audit log names actors: `token:<id>`, `system:schedule`. */
  actor: string;
  /** Whoever starts it knows that the version may be empty or lose half its rows. */
  confirm?: boolean;
  /** What to read; absent: what the dataset's mode reads. */
  reading?: { full?: boolean; from?: string; to?: string };
  /** Whatever the source's windows. */
  now?: boolean;
}

/** Of `checkSource` and `discoverSource`. */
export interface SourceInquiry {
  source: SourceReference;
  /** Of the workers that can reach it: `sourceQueue(department)`. */
  queue: string;
}

/** What is staged for who asked, sealed: nothing of it passes through Temporal. */
export interface StagedAnswer {
  digest: string;
  sizeBytes: number;
}

export type InferDatasetInquiry = SourceInquiry & { inquiry: InferInquiry };
export type PreviewDatasetInquiry = SourceInquiry & { inquiry: PreviewInquiry };

export type PublishDatasetResult = CommitOutcome & { runId: string };

export type PublishStage = 'beginning' | 'waiting' | 'extracting' | 'rechecking' | 'committing' | 'ended';

export interface PublishProgress {
  stage: PublishStage;
  /** What the source's limits keep it from, and until when (RFC 3339). */
  waiting?: { for: 'window' | 'connections'; until: string };
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

/** Of `request`; `snapshot` where it continues as new. */
export interface RequestInput {
  request: string;
  snapshot?: RequestSnapshot;
}

/** The request is the workflow's own, and so is the time. */
export type RequestActMessage = Omit<ApplyAction, 'request' | 'at'>;

/** One action of an officer; answered when it is in the catalog. Its update id is the act's id. */
export const requestActUpdate = defineUpdate<RequestSnapshot, [RequestActMessage]>('act');

/** The policy profile or the calendar of working days has changed: the open deadline is counted again. */
export const policyChangedSignal = defineSignal('policyChanged');

/** Null before the workflow has read it. */
export const requestQuery = defineQuery<RequestSnapshot | null>('request');

/** Of `dutyCase`; `snapshot` where it continues as new. */
export interface CaseInput {
  case: string;
  snapshot?: CaseSnapshot;
}

/** The case is the workflow's own, and so is the time. */
export type CaseActMessage = Omit<ApplyCaseAction, 'case' | 'at'>;

/** One action of an officer; answered when it is in the catalog. Its update id is the act's id. */
export const caseActUpdate = defineUpdate<CaseSnapshot, [CaseActMessage]>('actOnCase');

/** Null before the workflow has read it. */
export const caseQuery = defineQuery<CaseSnapshot | null>('case');
