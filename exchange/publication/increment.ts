/**
 * Increments: what a run builds on, and up to where the source has been read. Both are of the current version, so a
 * killed run leaves nothing behind, and the next one begins from what was committed.
 */
import { createHash } from 'node:crypto';
import type { Catalog } from '../../catalog/database.ts';
import type { Publishable } from '../../catalog/publishing.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { IncrementalAssignment } from '../../schemas/generated/assignment.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import { readManifestObject } from './manifest.ts';
import type { Publication } from './publication.ts';
import type { RunRow } from './rows.ts';

const CAPTURE_NAME_DIGITS = 20;

/** Undefined for a snapshot. Another mode, table, column or contract than the state's: everything is read again. */
export async function incrementOf(
  catalog: Catalog,
  run: RunRow,
  { assignment, contractDigest, mode }: Publishable,
): Promise<{ basis: string; assignment: IncrementalAssignment } | undefined> {
  if (mode === undefined || mode.kind === 'snapshot') return undefined;
  const { columns, overrides, source, table } = assignment;
  const basis = digestOf({ columns, contractDigest, mode, overrides, source: source.code, table });
  const captureName = captureNameOf(run.dataset);
  const [state] = await catalog('extraction_state')
    .join('version', { 'version.dataset': 'extraction_state.dataset', 'version.number': 'extraction_state.version' })
    .where({ 'extraction_state.dataset': run.dataset, 'extraction_state.version': run.base_version, basis })
    .select<{ version: number; position: string | null; manifest: string }[]>(
      'extraction_state.version',
      'extraction_state.position',
      { manifest: 'version.manifest_digest' },
    );
  const common = { mode: { ...mode }, captureName };
  if (!state) return { basis, assignment: { ...common, full: true } };
  const { from, full = false, to } = run.reading ?? {};
  return {
    basis,
    assignment: {
      ...common,
      full,
      base: { version: state.version, manifest: state.manifest },
      ...(state.position !== null && { position: state.position }),
      ...(to !== undefined && { backfill: { ...(from !== undefined && { from }), to } }),
    },
  };
}

/** The name of a capture that nobody reads any more, because the dataset has another mode now. */
export async function abandonedCapture(
  catalog: Catalog,
  run: RunRow,
  { mode }: Publishable,
): Promise<string | undefined> {
  if (run.base_version === null || mode?.kind === 'changes') return undefined;
  const [captured] = await catalog('version')
    .where({ dataset: run.dataset, number: run.base_version, mode: 'changes' })
    .select('number');
  return captured && captureNameOf(run.dataset);
}

function captureNameOf(dataset: string): string {
  return `huitong_${digestOf(dataset).slice(0, CAPTURE_NAME_DIGITS)}`;
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** Throws FENCED where the version that an increment was built on is no longer the current one. */
export function assertBase(run: RunRow, report: RunReport, current: number | null): void {
  const { incremental } = report;
  if (incremental === undefined || (run.base_version === current && (incremental.base ?? current) === current)) return;
  throw new HuitongError('FENCED', `it was built on version ${run.base_version}, the current one is ${current}`, {
    at: run.id,
  });
}

/** In the transaction that commits: the state is that of the version, or there is none. */
export async function writeState(
  transaction: Catalog,
  run: RunRow,
  version: number,
  { incremental }: RunReport,
): Promise<void> {
  if (incremental === undefined) {
    await transaction('extraction_state').where({ dataset: run.dataset }).delete();
    return;
  }
  const state = {
    dataset: run.dataset,
    run: run.id,
    version,
    basis: run.basis,
    position: incremental.position ?? null,
    updated_at: transaction.fn.now(),
  };
  await transaction('extraction_state').insert(state).onConflict('dataset').merge();
}

/** The version that was current when the run began. */
export async function readBase(publication: Publication, run: RunRow): Promise<Manifest | undefined> {
  const name = await baseName(publication, run);
  return name === undefined ? undefined : readManifestObject(publication.store, name);
}

async function baseName({ catalog }: Publication, run: RunRow): Promise<string | undefined> {
  if (run.base_version === null) return undefined;
  const [version] = await catalog('version')
    .where({ dataset: run.dataset, number: run.base_version })
    .select<{ manifest_digest: string }[]>('manifest_digest');
  return version?.manifest_digest;
}

/** Digests of what a run's base is made of: what its worker may read besides its own. Manifests do not change. */
const objectsOf = new Map<string, Set<string>>();
const BASES_KEPT = 8;

export async function isOfBase(publication: Publication, run: RunRow, digest: string): Promise<boolean> {
  const name = run.basis === null ? undefined : await baseName(publication, run);
  if (name === undefined) return false;
  let objects = objectsOf.get(name);
  if (objects === undefined) {
    const { segments } = await readManifestObject(publication.store, name);
    objects = new Set([name, ...segments.flatMap(({ parts }) => parts.map((part) => part.digest))]);
    const [oldest] = objectsOf.keys();
    if (objectsOf.size >= BASES_KEPT && oldest !== undefined) objectsOf.delete(oldest);
    objectsOf.set(name, objects);
  }
  return objects.has(digest);
}
