/** What every read decides first, and how it is recorded: dataset, grant, version and columns, or a denial. */
import type { Schema } from 'apache-arrow';
import { getDataset } from '../../catalog/datasets.ts';
import { readSchemaMessage } from '../../columnar/message.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { Dataset } from '../../schemas/generated/api.ts';
import type { Manifest, ManifestPart } from '../../schemas/generated/manifest.ts';
import type { Version } from '../publication/publication.ts';
import { readableVersion } from '../publication/recalls.ts';
import { readManifest } from '../publication/versions.ts';
import { type Access, actorOf, recordDenial } from './access.ts';
import { type Grant, type GrantQuery, type Mode, resolveGrant } from './grants.ts';
import { type Projection, project } from './projection.ts';
import type { Principal } from './rights.ts';
import type { SessionLeaf } from './session.ts';

export interface Asked extends Pick<GrantQuery, 'principal' | 'columns' | 'grant' | 'address'> {
  dataset: string;
  version: 'current' | number;
  /** Absent: `bulk`. */
  mode?: Extract<Mode, 'bulk' | 'changes'>;
}

export interface Decision {
  grant: Grant;
  version: Version;
  manifest: Manifest;
  /** Every part's, in the manifest's order. */
  parts: ManifestPart[];
  /** Of what is stored: a grant with a policy shows something else (projections.ts). */
  schema: Schema;
  projection: Projection;
}

/** What is refused, and stands in the log by its code. */
const denials = [
  'COLUMN_NOT_GRANTED',
  'GRANT_NOT_USABLE',
  'POLICY_INVALID',
  'VERSION_EXPIRED',
  'VERSION_RECALLED',
] as const;

/** As the log names them. */
const actions = { bulk: 'dataset.read', changes: 'dataset.changes' } as const;

/**
 * @throws NOT_FOUND for a dataset or version that is absent or not granted, COLUMN_NOT_GRANTED for a column likewise,
 * GRANT_NOT_USABLE, VERSION_EXPIRED, VERSION_RECALLED; each is in the log before it is thrown, or AUDIT_UNAVAILABLE is thrown instead
 */
export async function decide(access: Access, asked: Asked): Promise<Decision> {
  const { publication } = access;
  const { mode = 'bulk' } = asked;
  let dataset: Dataset | undefined;
  try {
    dataset = await getDataset(publication.catalog, asked.dataset);
    const grant = await resolveGrant(publication.catalog, { ...asked, dataset, mode });
    const version = await readableVersion(publication, dataset.code, asked.version);
    const manifest = await readManifest(publication, version);
    const parts = manifest.segments.flatMap((segment) => segment.parts);
    const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
    return { grant, version, manifest, parts, schema, projection: project(grant, schema, asked.columns) };
  } catch (e: unknown) {
    if (isHuitongError(e, 'NOT_FOUND')) {
      await recordReadDenial(access, asked.principal, { dataset: dataset?.code, mode, rule: 'NOT_FOUND' });
      throw notFound();
    }
    throw await recordedDenial(access, asked.principal, { dataset: dataset?.code, mode }, e);
  }
}

/** The error itself, once it is in the log where it is a refusal. @throws AUDIT_UNAVAILABLE where it could not be */
export async function recordedDenial(
  access: Access,
  principal: Principal,
  denied: Omit<Denied, 'rule'>,
  error: unknown,
): Promise<unknown> {
  const rule = denials.find((code) => isHuitongError(error, code));
  if (rule !== undefined) await recordReadDenial(access, principal, { ...denied, rule });
  return error;
}

/** One text for what is absent and what is forbidden. */
export function notFound(): HuitongError {
  return new HuitongError('NOT_FOUND', '没有该数据集、版本或对象 · there is no such dataset, version or object');
}

interface Denied extends Pick<Asked, 'mode'> {
  /** Undefined where there is none: what was asked for is a stranger's text, and stays out of the log. */
  dataset: string | undefined;
  rule: string;
}

export function recordReadDenial(
  access: Access,
  principal: Principal,
  { dataset, mode = 'bulk', rule }: Denied,
): Promise<void> {
  return recordDenial(access, principal, { action: actions[mode], object: `dataset/${dataset ?? '(unknown)'}`, rule });
}

/** What both leaves of a read say of it. */
export function readLeaf(access: Access, principal: Principal, { grant, version, projection }: Decision): SessionLeaf {
  return {
    ...actorOf(access, principal),
    action: 'dataset.read',
    object: `dataset/${version.dataset}/version/${version.number}`,
    grant: grant.id,
    ...(grant.purpose === undefined ? {} : { purpose: grant.purpose }),
    ...(grant.matter === undefined ? {} : { matter: grant.matter }),
    versionDigest: version.manifestDigest,
    ...(projection.columns === null ? {} : { columns: projection.columns }),
  };
}
