/**
 * The collector: removes what nobody refers to. An object stays while a run or a version keeps it, while a run that is
 * going on has staged it, while its quarantine has not expired, while a projection that is still read or the index of a
 * newest version holds it, while it is a source's uploaded file or a run reads it as one, and while a reader has leased
 * it; and it is never younger than the grace time, which covers an upload that has not been noted yet.
 */
import type { Catalog } from '../../catalog/database.ts';
import { limits } from '../../lib/limits.ts';
import { holdOffStagers } from './collection-lock.ts';
import type { Publication } from './publication.ts';

export interface Collected {
  objects: number;
  bytes: number;
}

interface Candidate {
  digest: string;
  sizeBytes: number;
}

/** Goes through the whole store once, in batches; stagers and readers wait for one batch at most. */
export async function collect(publication: Publication, graceMs: number = limits.collectGraceMs): Promise<Collected> {
  await forgetEnded(publication.catalog);
  const youngest = Date.now() - graceMs;
  const collected: Collected = { objects: 0, bytes: 0 };
  let batch: Candidate[] = [];
  for await (const object of publication.store.list()) {
    if (object.storedAt.getTime() >= youngest) continue;
    batch.push(object);
    if (batch.length < limits.collectBatchObjectsMax) continue;
    await removeUnreferenced(publication, batch, youngest, collected);
    batch = [];
  }
  await removeUnreferenced(publication, batch, youngest, collected);
  return collected;
}

/** Rows that protect nothing any more. */
async function forgetEnded(catalog: Catalog): Promise<void> {
  await catalog('lease').where('expires_at', '<', catalog.fn.now()).delete();
  await catalog('quarantine_part')
    .where('expires_at', '<', catalog.fn.now())
    .whereRaw('not exists (select from lease where lease.digest = quarantine_part.digest)')
    .delete();
  await catalog('projection')
    .where('used_at', '<', new Date(Date.now() - limits.projectionIdleMs))
    .delete();
  await catalog('projection').whereRaw(`not exists (${GRANT_OF_PROJECTION})`).whereNotNull('policy_digest').delete();
  await catalog('projection').whereRaw(`exists (${EXPIRED_OF_PROJECTION})`).delete();
  await catalog('lookup_index').whereRaw(OVERTAKEN_INDEX, [limits.lookupIndexKeptMs]).delete();
  await catalog('projection_build').where('expires_at', '<', catalog.fn.now()).delete();
  await catalog('run_upload').whereRaw(`not exists (${RUNNING_READER})`).delete();
  await catalog('source_upload')
    .where('ended_at', '<', new Date(Date.now() - limits.uploadToldMs))
    .delete();
  await catalog('staged_object').where({ kept: false }).whereRaw(`not exists (${OPEN_GENERATION})`).delete();
}

async function removeUnreferenced(
  { catalog, store }: Publication,
  batch: Candidate[],
  youngest: number,
  collected: Collected,
): Promise<void> {
  if (batch.length === 0) return;
  await catalog.transaction(async (transaction) => {
    await holdOffStagers(transaction);
    const { rows } = await transaction.raw<{ rows: { digest: string }[] }>(UNREFERENCED, [
      batch.map((object) => object.digest),
    ]);
    const unreferenced = new Set(rows.map((row) => row.digest));
    for (const object of batch.filter(({ digest }) => unreferenced.has(digest))) {
      // Put again since it was listed: another stager is about to note it, once it gets the lock.
      const now = await store.stat(object.digest);
      if (!now || now.storedAt.getTime() >= youngest) continue;
      await store.remove(object.digest);
      await transaction('part_tags').where({ digest: object.digest }).delete();
      collected.objects += 1;
      collected.bytes += object.sizeBytes;
    }
  });
}

const OPEN_GENERATION = `
  select from run
  where run.id = staged_object.run and run.generation = staged_object.generation and run.state = 'running'`;

const RUNNING_READER = `select from run where run.id = run_upload.run and run.state = 'running'`;

/** A projection of a policy is of no use once no grant has the policy. */
const GRANT_OF_PROJECTION = `
  select from access_grant
  where access_grant.policy_digest = projection.policy_digest
    and state in ('active', 'suspended') and expires_at > now()`;

/** Made while its version expired. */
const EXPIRED_OF_PROJECTION = `
  select from version where version.manifest_digest = projection.manifest_digest and version.expired_at is not null`;

/** Servers have a copy of what they answer from; in the store the index of an older version is of no use for long. */
const OVERTAKEN_INDEX = `
  exists (
    select from lookup_index newer
    where newer.dataset = lookup_index.dataset and newer.version > lookup_index.version
      and newer.keyed_by = lookup_index.keyed_by and newer.built_at < now() - ? * interval '1 millisecond'
  )`;

const UNREFERENCED = `
  select digest from unnest(?::text[]) as candidate(digest)
  where not exists (select from staged_object where staged_object.digest = candidate.digest)
    and not exists (select from quarantine_part where quarantine_part.digest = candidate.digest)
    and not exists (select from projection_part where projection_part.digest = candidate.digest)
    and not exists (select from source_upload where source_upload.digest = candidate.digest and state = 'current')
    and not exists (select from run_upload where run_upload.digest = candidate.digest)
    and not exists (select from lookup_index where slots_digest = candidate.digest or records_digest = candidate.digest)
    and not exists (select from lease where lease.digest = candidate.digest and lease.expires_at > now())`;
