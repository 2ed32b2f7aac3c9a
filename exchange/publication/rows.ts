/** Rows of our tables as PostgreSQL gives them, and the shapes that callers see. */
import type { Catalog } from '../../catalog/database.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { ChangeCounts } from '../../schemas/generated/manifest.ts';
import type { ExpiryRule, IncrementalMode, Reading, Run, RunState, Version } from './publication.ts';

export interface RunRow {
  id: string;
  dataset: string;
  workflow_id: string;
  trigger: 'manual' | 'schedule';
  actor: string;
  confirmed: boolean;
  epoch: number;
  generation: number;
  contract_version: string | null;
  trusted: boolean;
  rechecked_report: string | null;
  state: RunState;
  report_digest: string | null;
  version: number | null;
  failure_code: ErrorCode | null;
  failure_message: string | null;
  rows_read: number | null;
  rows_published: number | null;
  rows_quarantined: number | null;
  quarantined_by_code: Record<string, number> | null;
  base_version: number | null;
  basis: string | null;
  reading: Reading | null;
  regardless: boolean;
  admitted_at: Date | null;
  connections: number | null;
  waiting_for: 'window' | 'connections' | null;
  waiting_until: Date | null;
  mode: IncrementalMode | null;
  changes: ChangeCounts | null;
  position: string | null;
  started_at: Date;
  ended_at: Date | null;
}

export interface VersionRow {
  dataset: string;
  number: number;
  run: string;
  manifest_digest: string;
  contract_version: string;
  contract_digest: string;
  guarantee: Version['guarantee'];
  snapshot_at: Date;
  rows: number;
  bytes: number;
  parts: number;
  rows_read: number;
  rows_quarantined: number;
  rows_published: number | null;
  mode: IncrementalMode | null;
  changes: ChangeCounts | null;
  published_at: Date;
  expired_at: Date | null;
  expired_by: ExpiryRule | null;
  superseded_at: Date | null;
  hold_until: Date | null;
  hold_reason: string | null;
}

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The run's row, locked until the transaction ends where `lock` says how. Throws NOT_FOUND. */
export async function readRunRow(catalog: Catalog, runId: string, lock?: 'share' | 'update'): Promise<RunRow> {
  const query = catalog('run').where({ id: runId });
  if (lock === 'share') query.forShare();
  if (lock === 'update') query.forUpdate();
  const [row] = UUID.test(runId) ? await query.select<RunRow[]>('*') : [];
  if (!row) throw new HuitongError('NOT_FOUND', '没有该运行 · there is no such run', { at: runId });
  return row;
}

export function toRun(row: RunRow & { department: string }): Run {
  const { rows_read: rowsRead, rows_published: rowsPublished, rows_quarantined: rowsQuarantined } = row;
  const counted = rowsRead !== null && rowsPublished !== null && rowsQuarantined !== null;
  return {
    id: row.id,
    dataset: row.dataset,
    department: row.department,
    workflowId: row.workflow_id,
    trigger: row.trigger,
    actor: row.actor,
    confirmed: row.confirmed,
    epoch: row.epoch,
    generation: row.generation,
    state: row.state,
    version: row.version,
    failure: row.failure_code && { code: row.failure_code, message: row.failure_message ?? '' },
    account: counted ? { rowsRead, rowsPublished, rowsQuarantined } : null,
    quarantinedByCode: row.quarantined_by_code,
    mode: row.mode,
    changes: row.changes,
    position: row.position,
    reading: row.reading,
    now: row.regardless,
    waiting: waitingOf(row),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

function waitingOf({ state, waiting_for, waiting_until }: RunRow): Run['waiting'] {
  if (state !== 'running' || waiting_for === null || waiting_until === null) return null;
  return { for: waiting_for, until: waiting_until };
}

export function toVersion(row: VersionRow): Version {
  return {
    dataset: row.dataset,
    number: row.number,
    run: row.run,
    manifestDigest: row.manifest_digest,
    contractVersion: row.contract_version,
    contractDigest: row.contract_digest,
    guarantee: row.guarantee,
    snapshotAt: row.snapshot_at,
    rows: row.rows,
    bytes: row.bytes,
    parts: row.parts,
    rowsRead: row.rows_read,
    rowsPublished: row.rows_published ?? row.rows,
    rowsQuarantined: row.rows_quarantined,
    mode: row.mode,
    changes: row.changes,
    publishedAt: row.published_at,
    supersededAt: row.superseded_at,
    expired: row.expired_at && row.expired_by && { at: row.expired_at, by: row.expired_by },
    hold: row.hold_until && { until: row.hold_until, reason: row.hold_reason ?? '' },
  };
}
