/** Manifests: made from a report, stored as canonical JSON, and read back only as their digest says. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import { readWhole } from '../store/read-whole.ts';
import type { ObjectStore } from '../store/store.ts';
import { rowsOf, segmentsOf } from './segments.ts';

/** `current`: what an increment is built on. */
export function buildManifest(
  report: RunReport,
  version: number,
  contractDigest: string,
  current: Manifest | undefined,
): Manifest {
  const segments = segmentsOf(report, current);
  const parts = segments.flatMap((segment) => segment.parts);
  const { incremental, rowsRead, rowsPublished, rowsQuarantined } = report;
  return {
    format: 'huitong.manifest/1',
    dataset: report.dataset,
    version,
    contract: { version: report.contractVersion, digest: contractDigest },
    arrowSchema: report.arrowSchema,
    plan: report.plan,
    guarantee: report.guarantee,
    snapshotAt: report.snapshotAt,
    rows: rowsOf(parts),
    bytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    segments,
    account: {
      rowsRead,
      rowsPublished,
      rowsQuarantined,
      ...(incremental && { changes: incremental.changes }),
    },
    ...(incremental?.buckets && { buckets: incremental.buckets }),
    sums: report.sums,
    ...(report.controlTotals && { controlTotals: report.controlTotals }),
  };
}

export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(canonicalJson(manifest));
}

/** Throws OBJECT_MISSING, and OBJECT_CORRUPT where the bytes are not those the version was published with. */
export async function readManifestObject(store: ObjectStore, digest: string): Promise<Manifest> {
  const bytes = await readWhole(await store.read(digest));
  if (createHash('sha256').update(bytes).digest('hex') !== digest) {
    throw new HuitongError('OBJECT_CORRUPT', 'the manifest no longer has its digest', { at: digest });
  }
  return JSON.parse(bytes.toString());
}

export function partsOf(manifest: Manifest): Manifest['segments'][number]['parts'] {
  return manifest.segments.flatMap((segment) => segment.parts);
}
