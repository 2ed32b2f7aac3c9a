/**
 * Projections that were made: a version as a policy shows it, as Arrow parts in the store, so that every read of it is
 * the read of plain columns. Also a version in another format (renditions/parquet.ts). Derived data: named by what it
 * was made from, made once, collected when nobody reads it, made again when it is wanted.
 */
import type { Schema } from 'apache-arrow';
import type { Catalog } from '../../catalog/database.ts';
import { readSchemaMessage, schemaMessage } from '../../columnar/message.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { ManifestPart } from '../../schemas/generated/manifest.ts';
import { holdOffCollector } from '../publication/collection-lock.ts';
import type { Publication } from '../publication/publication.ts';
import { buildOnce } from './build-once.ts';

/** What is read: parts that all have the schema. */
export interface Shown {
  schema: Schema;
  parts: ManifestPart[];
}

export interface ProjectionWanted {
  /** SHA-256 over everything that it depends on. */
  key: string;
  manifestDigest: string;
  policyDigest: string | null;
  format: 'arrow' | 'parquet';
  /** Makes it; `alive` is called between batches, so that others know that somebody is at it. */
  make(alive: () => Promise<void>): Promise<Shown>;
}

/** Those under way in this process, so that its readers share one and do not poll. */
const underWay = new WeakMap<Catalog, Map<string, Promise<Shown>>>();

/** Found, or made once, however many ask in however many processes. Throws what `make` throws. */
export function projectionOf(publication: Publication, wanted: ProjectionWanted): Promise<Shown> {
  const here = underWay.get(publication.catalog) ?? new Map<string, Promise<Shown>>();
  underWay.set(publication.catalog, here);
  const running = here.get(wanted.key);
  if (running !== undefined) return running;
  const started = findOrMake(publication, wanted).finally(() => here.delete(wanted.key));
  here.set(wanted.key, started);
  return started;
}

function findOrMake(publication: Publication, wanted: ProjectionWanted): Promise<Shown> {
  const { catalog } = publication;
  return buildOnce(catalog, {
    key: wanted.key,
    find: () => findProjection(catalog, wanted.key),
    async make(alive) {
      const shown = await wanted.make(alive);
      await keep(publication, wanted, shown);
      return shown;
    },
  });
}

/** Also notes, now and then, that it is used. */
async function findProjection(catalog: Catalog, key: string): Promise<Shown | undefined> {
  const row = await catalog('projection')
    .where({ key })
    .first<{ arrow_schema: string; used_at: Date } | undefined>('arrow_schema', 'used_at');
  if (row === undefined) return undefined;
  if (row.used_at.getTime() < Date.now() - limits.projectionIdleMs / 10) {
    // Where it was collected in this moment there is nothing to note, and it is made again.
    const noted = await catalog('projection').where({ key }).update({ used_at: catalog.fn.now() });
    if (noted === 0) return undefined;
  }
  const parts = await catalog('projection_part')
    .where({ projection: key })
    .orderBy('position')
    .select<ManifestPart[]>('digest', { sizeBytes: 'size_bytes' }, 'rows');
  return { schema: readSchemaMessage(Buffer.from(row.arrow_schema, 'base64')), parts };
}

/** From here on the collector leaves the parts alone. Made twice (a lease that ran out), the first one stays. */
async function keep({ catalog, store }: Publication, wanted: ProjectionWanted, shown: Shown): Promise<void> {
  await catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    const inserted = await transaction('projection')
      .insert({
        key: wanted.key,
        manifest_digest: wanted.manifestDigest,
        policy_digest: wanted.policyDigest,
        format: wanted.format,
        arrow_schema: Buffer.from(schemaMessage(shown.schema)).toString('base64'),
        rows: shown.parts.reduce((rows, part) => rows + part.rows, 0),
      })
      .onConflict('key')
      .ignore()
      .returning('key');
    if (inserted.length === 0) return;
    const rows = shown.parts.map(({ digest, sizeBytes, rows }, position) => ({
      projection: wanted.key,
      position,
      digest,
      size_bytes: sizeBytes,
      rows,
    }));
    await transaction.batchInsert('projection_part', rows);
    for (const { digest } of shown.parts) {
      if (await store.stat(digest)) continue;
      throw new HuitongError('OBJECT_MISSING', 'a part of a projection was collected while it was made', {
        at: digest,
      });
    }
  });
}
