/** The one transaction that ends a run: its locks, its fence, its rows. */
import type { Catalog } from '../../catalog/database.ts';
import { publishRulesOf } from '../../catalog/publishing.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import type { Decision } from './decide.ts';
import { assertBase, writeState } from './increment.ts';
import { edgesOf, writeEdges } from './lineage.ts';
import { addLeaf } from './outbox.ts';
import type { CommitOutcome } from './publication.ts';
import { type RunRow, readRunRow } from './rows.ts';
import { assertOpen, type Generation } from './staging.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Conclusion extends Generation {
  reportDigest: string;
  report: RunReport;
  definition: DatasetDefinition;
  decision: Decision;
  /** Present where the decision is to publish. */
  publish?: { manifest: Manifest; manifestDigest: string };
}

/** What the run's row says of an earlier commit of the same report; undefined where there was none. */
export function recordedOutcome(run: RunRow, reportDigest: string): CommitOutcome | undefined {
  if (run.report_digest !== reportDigest) return undefined;
  const counts = { rows: run.rows_published ?? 0, rowsQuarantined: run.rows_quarantined ?? 0 };
  if (run.state === 'rejected' && run.failure_code !== null) {
    return { outcome: 'rejected', code: run.failure_code, message: run.failure_message ?? '', ...counts };
  }
  if ((run.state === 'published' || run.state === 'unchanged') && run.version !== null) {
    return { outcome: run.state, version: run.version, ...counts };
  }
  return undefined;
}

/** Throws FENCED where the run's epoch or generation has been overtaken; then nothing was written. */
export async function conclude(catalog: Catalog, conclusion: Conclusion): Promise<CommitOutcome> {
  return catalog.transaction(async (transaction) => {
    const { dataset, run } = await lock(transaction, conclusion);
    const recorded = recordedOutcome(run, conclusion.reportDigest);
    if (recorded) return recorded;
    assertOpen(run, conclusion.generation);
    if (dataset.epoch !== run.epoch) {
      throw new HuitongError('FENCED', 'a newer run of the dataset began', { at: run.id });
    }
    assertBase(run, conclusion.report, dataset.current_version);
    const version = await moveCurrent(transaction, run, dataset, conclusion);
    if (version !== null) await writeState(transaction, run, version, conclusion.report);
    await keepObjects(transaction, conclusion);
    await insertQuarantine(transaction, run, conclusion);
    await addLeaf(transaction, leafOf(run, dataset.department, version, conclusion));
    return endRun(transaction, run, version, conclusion);
  });
}

interface LockedDataset {
  department: string;
  epoch: number;
  current_version: number | null;
}

/** The dataset before the run, as `beginRun` does: two orders would be a deadlock. */
async function lock(transaction: Catalog, { runId, report }: Conclusion) {
  const [dataset] = await transaction('dataset')
    .where({ code: report.dataset })
    .forUpdate()
    .select<LockedDataset[]>('department', 'epoch', 'current_version');
  return { dataset, run: await readRunRow(transaction, runId, 'update') };
}

/** Inserts the version and moves the pointer to it; gives the version that the run ends with, if any. */
async function moveCurrent(
  transaction: Catalog,
  run: RunRow,
  dataset: LockedDataset,
  { publish, decision, definition, report }: Conclusion,
): Promise<number | null> {
  if (!publish) return decision.outcome === 'unchanged' ? dataset.current_version : null;
  const { manifest, manifestDigest } = publish;
  await transaction('version').insert({
    dataset: run.dataset,
    number: manifest.version,
    run: run.id,
    manifest_digest: manifestDigest,
    contract_version: manifest.contract.version,
    contract_digest: manifest.contract.digest,
    guarantee: manifest.guarantee,
    snapshot_at: manifest.snapshotAt,
    rows: manifest.rows,
    bytes: manifest.bytes,
    parts: manifest.segments.reduce((sum, segment) => sum + segment.parts.length, 0),
    rows_read: manifest.account.rowsRead,
    rows_quarantined: manifest.account.rowsQuarantined,
    ...(report.incremental && {
      rows_published: manifest.account.rowsPublished,
      mode: report.incremental.mode,
      changes: JSON.stringify(report.incremental.changes),
    }),
  });
  await transaction('dataset')
    .where({ code: run.dataset, epoch: run.epoch })
    .update({ current_version: manifest.version });
  await writeEdges(transaction, run.dataset, manifest.version, edgesOf(definition, report.arrowSchema));
  return manifest.version;
}

/** Quarantined parts are not among them: they are kept by their own rows, until those expire. */
async function keepObjects(transaction: Catalog, conclusion: Conclusion): Promise<void> {
  const { runId, generation, reportDigest, report, publish } = conclusion;
  const published = publish ? [publish.manifestDigest, ...report.parts.map((part) => part.digest)] : [];
  await transaction('staged_object')
    .where({ run: runId, generation })
    .whereRaw('digest = any(?)', [[reportDigest, ...published]])
    .update({ kept: true });
}

/** Also of a run that was rejected: its owner must see why. */
async function insertQuarantine(transaction: Catalog, run: RunRow, { report, definition }: Conclusion): Promise<void> {
  if (report.quarantine.length === 0) return;
  const expiresAt = new Date(Date.now() + publishRulesOf(definition).quarantineDays * DAY_MS);
  const rows = report.quarantine.map((part, position) => ({
    run: run.id,
    position,
    dataset: run.dataset,
    digest: part.digest,
    size_bytes: part.sizeBytes,
    rows: part.rows,
    expires_at: expiresAt,
  }));
  await transaction.batchInsert('quarantine_part', rows);
}

function leafOf(run: RunRow, department: string, version: number | null, { decision, publish, report }: Conclusion) {
  const rejected = decision.outcome === 'rejected';
  return {
    actor: run.actor,
    onBehalfOf: department,
    action: decision.outcome === 'unchanged' ? 'dataset.unchanged' : 'dataset.publish',
    object: version === null ? `dataset/${run.dataset}` : `dataset/${run.dataset}/version/${version}`,
    decision: rejected ? ('deny' as const) : ('allow' as const),
    ...(rejected && { rule: decision.code }),
    rows: report.rowsPublished,
    ...(publish && { bytes: publish.manifest.bytes, versionDigest: publish.manifestDigest }),
    run: run.id,
    detail: { rowsRead: report.rowsRead, rowsQuarantined: report.rowsQuarantined, generation: report.generation },
  };
}

async function endRun(
  transaction: Catalog,
  run: RunRow,
  version: number | null,
  { decision, report, reportDigest }: Conclusion,
): Promise<CommitOutcome> {
  const { rowsRead, rowsPublished, rowsQuarantined, quarantinedByCode } = report;
  const state = decision.outcome === 'publish' ? 'published' : decision.outcome;
  const failure = decision.outcome === 'rejected' ? decision : undefined;
  const ended = {
    state,
    report_digest: reportDigest,
    version,
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
    rows_read: rowsRead,
    rows_published: rowsPublished,
    rows_quarantined: rowsQuarantined,
  } as const;
  await transaction('run')
    .where({ id: run.id })
    .update({
      ...ended,
      quarantined_by_code: JSON.stringify(quarantinedByCode),
      ...(report.incremental && {
        mode: report.incremental.mode,
        changes: JSON.stringify(report.incremental.changes),
        position: failure ? null : report.incremental.position,
      }),
      ended_at: transaction.fn.now(),
    });
  const outcome = recordedOutcome({ ...run, ...ended }, reportDigest);
  if (!outcome) throw new HuitongError('INTERNAL', 'a run ended in a state that has no outcome', { at: run.id });
  return outcome;
}
