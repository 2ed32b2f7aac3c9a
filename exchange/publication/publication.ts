/**
 * Publication: from what a worker staged to a version that readers see.
 *
 * Glossary
 *   run         one attempt to publish a dataset; its id is its workflow's run id
 *   epoch       counts a dataset's runs; only the newest run may commit, every older one is FENCED
 *   generation  counts the attempts to extract within a run; each has one snapshot, and fences the one before
 *   staged      handed over by a worker, in the store, and seen by nobody
 *   version     the next integer of its dataset: a row that names a manifest, which names the parts; immutable
 *   kept        a staged object that a run which has ended refers to; whatever else it staged is collected
 *   lease       a reader's word that it needs an object until a time
 *   expired     a version that is read no more: its row stays, its objects are collected unless a living one has them
 *   hold        somebody's word that a version must not expire before a time
 */
import type { Catalog } from '../../catalog/database.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import type { ChangeCounts } from '../../schemas/generated/manifest.ts';
import type { ObjectStore } from '../store/store.ts';

/** What a run may be asked to read, where it is not just what is new. */
export interface Reading {
  /** Everything is read again. */
  full?: boolean;
  /** Only rows with `from` < cursor <= `to`, in the source's own text, and put over what is there. */
  from?: string;
  to?: string;
}

export type IncrementalMode = 'append' | 'upsert' | 'changes';

/** What every function of this folder is given first. */
export interface Publication {
  catalog: Catalog;
  store: ObjectStore;
}

export type RunState = 'running' | 'published' | 'unchanged' | 'rejected' | 'failed' | 'cancelled';

export interface Run {
  id: string;
  dataset: string;
  department: string;
  workflowId: string;
  trigger: 'manual' | 'schedule';
  actor: string;
  confirmed: boolean;
  epoch: number;
  generation: number;
  state: RunState;
  /** The version that it published, or found unchanged. */
  version: number | null;
  /** Why nothing was published. */
  failure: { code: ErrorCode; message: string } | null;
  /** rowsRead = rowsPublished + rowsQuarantined, from the moment a report is known. */
  account: { rowsRead: number; rowsPublished: number; rowsQuarantined: number } | null;
  /** Quarantined rows by the code of their first error. */
  quarantinedByCode: Record<string, number> | null;
  /** Null for a snapshot. */
  mode: IncrementalMode | null;
  changes: ChangeCounts | null;
  /** Up to where the source was read, once the run has ended well. */
  position: string | null;
  reading: Reading | null;
  /** Whatever the source's windows. */
  now: boolean;
  /** What the source's limits keep a running run from reading, and until when. */
  waiting: { for: 'window' | 'connections'; until: Date } | null;
  startedAt: Date;
  endedAt: Date | null;
}

/** What came of a run that was committed; kept in its row, so that a repeated commit gives the same answer. */
export type CommitOutcome =
  | { outcome: 'published'; version: number; rows: number; rowsQuarantined: number }
  | { outcome: 'unchanged'; version: number; rows: number; rowsQuarantined: number }
  | { outcome: 'rejected'; code: ErrorCode; message: string; rows: number; rowsQuarantined: number };

export interface Version {
  dataset: string;
  number: number;
  run: string;
  manifestDigest: string;
  contractVersion: string;
  contractDigest: string;
  guarantee: 'snapshot' | 'transaction' | 'none';
  snapshotAt: Date;
  rows: number;
  bytes: number;
  parts: number;
  rowsRead: number;
  rowsPublished: number;
  rowsQuarantined: number;
  mode: IncrementalMode | null;
  changes: ChangeCounts | null;
  publishedAt: Date;
  /** When the version after it was published; null: it is the newest. */
  supersededAt: Date | null;
  /** Its objects are gone, or will soon be; null: it can be read. */
  expired: { at: Date; by: ExpiryRule } | null;
  /** Kept until then, whatever the rule. */
  hold: { until: Date; reason: string } | null;
}

/** How long versions are kept: the newest always, others until they have been superseded for long enough. */
export interface ExpiryRule {
  versionsMin: number;
  versionDays: number;
}
