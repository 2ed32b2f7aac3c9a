/** What passes between the owner of a run and its reading threads: plain data. Rows and parts never do. */
import type { CaptureRequest, ChangePosition, ReadPlan } from '../connectors/connector.ts';
import type { ErrorCode, ErrorDetails, HuitongError } from '../lib/errors.ts';
import type { Assignment } from '../schemas/generated/assignment.ts';
import type { ReportedPart } from '../schemas/generated/run-report.ts';
import type { MergeResult, MergeTask } from './incremental/merge.ts';
import type { PrivateFile } from './incremental/private-file.ts';
import type { SpillIndex } from './key-spill.ts';
import type { RowBudgetState } from './row-budget.ts';
import type { StagingHandle } from './staging.ts';

/** Given to a thread when it starts. */
export interface ThreadSetup {
  kind: string;
  /** With secrets resolved: it stays in this process. */
  config: unknown;
  plan: ReadPlan;
  assignment: Assignment;
  handle: StagingHandle;
  /** Tells a DBA who is asking. */
  label: string;
  loopbackAllowed?: boolean;
  /** Where keys are spilled; absent where the source proves them unique. */
  spillDirectory?: string;
  /** Where rows are sorted on their way into buckets; absent: they become parts as they are read. */
  runsDirectory?: string;
  /** Changes are read instead of the plan's partitions, all in one stream. */
  changes?: { capture: CaptureRequest; after: ChangePosition; changesMax: number };
  limits: BatchLimits;
  /** Absent: as fast as the source gives them. */
  rowBudget?: RowBudgetState;
}

/** Part of a run's plan: equal limits over equal data give equal parts. */
export interface BatchLimits {
  batchRowsMax: number;
  batchBytesMax: number;
  partRowsMax: number;
  partBytesMax: number;
}

export type ThreadTask =
  | { kind: 'read'; partition: number; attempt: number }
  /** Over the results of all partitions; gives them back without duplicates. */
  | { kind: 'deduplicate'; results: PartitionResult[]; earlier?: EarlierParts }
  /** Parts of small segments and new ones, made one segment. */
  | { kind: 'compact'; parts: ReportedPart[] }
  | MergeTask;

/** Of the segments that an appended dataset has already: the new rows' keys must not be among theirs. */
export interface EarlierParts {
  parts: Pick<ReportedPart, 'digest' | 'sizeBytes'>[];
}

/** What a task gives. */
export type ThreadOutcome = { results: PartitionResult[] } | { merged: MergeResult } | { parts: ReportedPart[] };

export type ToThread = { task: ThreadTask } | { cancel: true };

export type FromThread = { progress: PartitionProgress } | ThreadOutcome | { failure: TransportedError };

export interface PartitionProgress {
  partition: number;
  rows: number;
  /** Decoded. */
  bytes: number;
}

export interface PartitionResult {
  partition: number;
  rowsRead: number;
  bytesRead: number;
  parts: ReportedPart[];
  quarantine: ReportedPart[];
  quarantinedByCode: Record<string, number>;
  publishedSums: Record<string, string>;
  quarantinedSums: Record<string, string>;
  /** Columns with cells that their Arrow type cannot hold: their sums cannot be compared with the source's. */
  unrepresentable: string[];
  spill?: SpillIndex;
  /** Sorted rows, where they go into buckets. */
  runs?: PrivateFile[];
  /** Of changes: up to where they were told, and whether the table was emptied on the way. */
  changes?: { position?: ChangePosition; truncated: boolean };
}

/** An error of ours as it crosses a thread; the cause's text stays behind, it may hold a value. */
export interface TransportedError {
  code: ErrorCode;
  message: string;
  details: Pick<ErrorDetails, 'at' | 'pointer' | 'hint'>;
}

export function transportError({ code, message, at, pointer, hint }: HuitongError): TransportedError {
  return { code, message, details: { at, pointer, hint } };
}
