/**
 * The commit: a version exists when one PostgreSQL transaction has inserted it (DESIGN.md, decision 4). Everything
 * before that transaction only reads, or stages a manifest that nobody sees; it can be cut off anywhere and repeated.
 */
import { publishRulesOf } from '../../catalog/publishing.ts';
import { isHuitongError } from '../../lib/errors.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import { type Conclusion, conclude, recordedOutcome } from './conclude.ts';
import { decide } from './decide.ts';
import { assertBase } from './increment.ts';
import { buildManifest, encodeManifest, partsOf, readManifestObject } from './manifest.ts';
import { addLeaf } from './outbox.ts';
import type { CommitOutcome, Publication } from './publication.ts';
import { assertRechecked } from './recheck.ts';
import { checkReport, readReport, readStagedRows } from './report.ts';
import { survivingCatalogLoss } from './retry.ts';
import { type RunRow, readRunRow } from './rows.ts';
import { assertOpen, type Generation, stageObject } from './staging.ts';

export interface CommitRun extends Generation {
  /** The run report that the generation staged. */
  reportDigest: string;
}

/**
 * Publishes what a generation staged, or finds it unchanged, or rejects it (TOLERANCE_EXCEEDED, PUBLISH_GUARD). A
 * repeated call gives the same answer. Throws FENCED, which it also writes to the audit log, where a newer run or
 * generation has taken over; REPORT_INVALID, RECONCILIATION_MISMATCH, CONTRACT_RECHECK_FAILED; NOT_FOUND.
 */
export async function commitRun(publication: Publication, request: CommitRun): Promise<CommitOutcome> {
  return survivingCatalogLoss(async () => {
    const run = await readRunRow(publication.catalog, request.runId);
    try {
      return recordedOutcome(run, request.reportDigest) ?? (await commitOnce(publication, run, request));
    } catch (e: unknown) {
      if (!isHuitongError(e, 'FENCED')) throw e;
      // Perhaps it was this very commit that ended the run: delivered twice, or cut off while PostgreSQL went on.
      const now = await readRunRow(publication.catalog, request.runId);
      const recorded = recordedOutcome(now, request.reportDigest);
      if (recorded) return recorded;
      await logFenced(publication, run, request);
      throw e;
    }
  });
}

async function commitOnce(publication: Publication, run: RunRow, request: CommitRun): Promise<CommitOutcome> {
  assertOpen(run, request.generation);
  const staged = await readStagedRows(publication, run.id, request.generation);
  const report = await readReport(publication, request.reportDigest, staged);
  const target = await readTarget(publication, run);
  const currentParts = new Map((target.current ? partsOf(target.current) : []).map((part) => [part.digest, part]));
  assertBase(run, report, target.current?.version ?? null);
  checkReport(report, run, staged, currentParts, target.current);
  assertRechecked(run, request.reportDigest);

  const decision = decide(report, publishRulesOf(target.definition), target.current, run.confirmed);
  const conclusion: Conclusion = { ...request, report, definition: target.definition, decision };
  if (decision.outcome !== 'publish') return conclude(publication.catalog, conclusion);
  return conclude(publication.catalog, {
    ...conclusion,
    publish: await stageManifest(publication, report, target, run),
  });
}

interface Target {
  definition: DatasetDefinition;
  current: Manifest | undefined;
  contractDigest: string;
}

async function readTarget({ catalog, store }: Publication, run: RunRow): Promise<Target> {
  const [row] = await catalog('dataset')
    .join('contract', 'contract.dataset', 'dataset.code')
    .leftJoin('version', { 'version.dataset': 'dataset.code', 'version.number': 'dataset.current_version' })
    .where({ 'dataset.code': run.dataset, 'contract.version': run.contract_version })
    .select<{ definition: DatasetDefinition; contract_digest: string; manifest_digest: string | null }[]>(
      'dataset.definition',
      { contract_digest: 'contract.digest' },
      'version.manifest_digest',
    );
  const current = row.manifest_digest === null ? undefined : await readManifestObject(store, row.manifest_digest);
  return { definition: row.definition, current, contractDigest: row.contract_digest };
}

async function stageManifest(publication: Publication, report: RunReport, target: Target, run: RunRow) {
  const number = (target.current?.version ?? 0) + 1;
  const manifest = buildManifest(report, number, target.contractDigest, target.current);
  const bytes = (async function* () {
    yield encodeManifest(manifest);
  })();
  const { runId, generation } = { runId: run.id, generation: report.generation };
  const { digest } = await stageObject(publication, { runId, generation, kind: 'manifest', bytes });
  return { manifest, manifestDigest: digest };
}

/** In a transaction of its own: the one that was refused is rolled back. */
async function logFenced({ catalog }: Publication, run: RunRow, request: CommitRun): Promise<void> {
  await addLeaf(catalog, {
    actor: run.actor,
    action: 'dataset.publish',
    object: `dataset/${run.dataset}`,
    decision: 'deny',
    rule: 'FENCED',
    run: run.id,
    detail: { generation: request.generation, epoch: run.epoch },
  });
}
