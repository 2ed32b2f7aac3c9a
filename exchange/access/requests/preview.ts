/** What a decision would show the requester, for the sharing officer who is about to take it. */
import type { Schema } from 'apache-arrow';
import { readSchemaMessage } from '../../../columnar/message.ts';
import { rowTexter } from '../../../contracts/image.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import type { RequestDecision, RequestPreview } from '../../../schemas/generated/api.ts';
import type { GrantTerms } from '../../../schemas/generated/grant-terms.ts';
import { partsOfStore } from '../../publication/part-tags.ts';
import { readableVersion } from '../../publication/recalls.ts';
import { readManifest } from '../../publication/versions.ts';
import { type Access, actorOf } from '../access.ts';
import { checkGrant } from '../explicit-grants.ts';
import { holdObjects } from '../hold.ts';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import { maskKeyOf } from '../policy/keyed-hash.ts';
import { givenItems } from '../policy/policy.ts';
import { projectedBatches, projectedSchema } from '../renditions/batches.ts';
import type { RenditionSource } from '../renditions/rendition.ts';
import { type Viewer, visibleRow } from './list.ts';
import { partiesOf } from './parties.ts';
import type { RequestRow } from './requests.ts';
import { checkAsked, completeDecision, grantTermsOf } from './terms.ts';

export interface PreviewRequest {
  request: string;
  viewer: Viewer;
  /** Tried, not taken; absent: the one that was taken, or else all as it was asked. */
  decision?: RequestDecision;
}

/**
 * Rows are counted exactly up to `limits.previewRowsMax`. The look is in the audit log before it is answered.
 * @throws NOT_FOUND for what is no business of the viewer's, FORBIDDEN for anyone but the provider's sharing officer
 * @throws REQUEST_INVALID, POLICY_INVALID, ITEM_NOT_SHARED as approving would; AUDIT_UNAVAILABLE
 */
export async function previewRequest(access: Access, { request, viewer, decision }: PreviewRequest) {
  const { publication } = access;
  const row = await visibleRow(publication.catalog, viewer.principal, request);
  if (!partiesOf(viewer.principal, row).includes('provider')) {
    throw new HuitongError('FORBIDDEN', '仅限提供部门共享专员 · only for the provider’s sharing officer');
  }
  const now = new Date();
  const given = await checkAsked(publication.catalog, row.asked, row.department, now);
  const tried = decision ?? row.decision;
  const terms = grantTermsOf(row, completeDecision(row, given, tried ?? {}), now);
  const shown = await look(access, row, terms);
  await access.audit.append({
    ...actorOf(access, viewer.principal),
    ...{ action: 'request.previewed', object: `request/${row.id}`, decision: 'allow', rule: 'provider' },
    ...{ rows: shown.sample.length, columns: givenItems(terms), versionDigest: shown.manifestDigest },
  });
  const { manifestDigest: _, ...preview } = shown;
  return { ...preview, ...differences(row, terms) } satisfies RequestPreview;
}

type Look = Omit<RequestPreview, 'columns' | 'modes' | 'verifications' | 'expires' | 'rowFilter'> & {
  manifestDigest: string;
};

async function look(access: Access, row: RequestRow, terms: GrantTerms): Promise<Look> {
  const { publication } = access;
  const { policy } = await checkGrant(publication, terms);
  const version = await readableVersion(publication, row.dataset, 'current');
  const manifest = await readManifest(publication, version);
  const parts = manifest.segments.flatMap((segment) => segment.parts);
  const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
  const key = policy?.hashedFor == null ? null : maskKeyOf(access.subjectKey, policy.hashedFor);
  const compiled = policy === null ? null : compilePolicy(policy, schema, key);
  const columns = compiled?.reads ?? schema.fields.map(({ name }) => name).filter((name) => terms.items.includes(name));
  const source = { store: partsOfStore(publication), schema, parts, projection: { columns } };
  const hold = await holdObjects(
    publication,
    parts.map(({ digest }) => digest),
    `preview:${row.id}`,
  );
  try {
    const counted = await count(source, compiled, terms.rowFilter !== undefined, version.rows);
    return { version: version.number, rows: version.rows, manifestDigest: version.manifestDigest, ...counted };
  } finally {
    await hold.release();
  }
}

/** Without a filter the first rows are enough; with one, batches are gone through up to the limit. */
async function count(source: RenditionSource, compiled: CompiledPolicy | null, filtered: boolean, rows: number) {
  const schema: Schema = compiled?.schema ?? projectedSchema(source);
  const text = rowTexter(schema);
  const sample: string[] = [];
  let [rowsRead, rowsGiven] = [0, 0];
  for await (const batch of projectedBatches(source)) {
    const shown = compiled === null ? batch : compiled.apply(batch);
    rowsRead += batch.numRows;
    rowsGiven += shown.numRows;
    for (let at = 0; at < shown.numRows && sample.length < limits.previewSampleRows; at++) {
      sample.push(text(shown.data.children, at));
    }
    if (rowsRead >= (filtered ? limits.previewRowsMax : limits.previewSampleRows)) break;
  }
  return filtered ? { rowsRead, rowsGiven, sample } : { rowsRead: rows, rowsGiven: rows, sample };
}

function differences({ asked }: RequestRow, terms: GrantTerms) {
  const given = givenItems(terms);
  const masks = terms.masks ?? {};
  return {
    columns: asked.items.map((name) => ({
      name,
      given: given.includes(name),
      mask: given.includes(name) ? plain(masks[name]) : null,
    })),
    modes: { asked: asked.modes, given: terms.modes },
    verifications: { asked: asked.verifications ?? [], given: terms.verifications ?? [] },
    expires: { asked: asked.expires, given: terms.expires },
    rowFilter: { asked: asked.rowFilter ?? null, given: plain(terms.rowFilter) },
  };
}

/** As an API document, whose own schema is elsewhere. */
function plain(document: object | undefined): Record<string, unknown> | null {
  return document === undefined ? null : { ...document };
}
