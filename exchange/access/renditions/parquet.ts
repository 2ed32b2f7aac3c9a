/**
 * Parquet: made once a projection, kept in the store beside the parts, and read in ranges, as DuckDB and pyarrow read it.
 * Column choice is made before: a Parquet of some columns is an object of its own.
 */
import { hash } from 'node:crypto';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { partsOfStore } from '../../publication/part-tags.ts';
import type { Publication } from '../../publication/publication.ts';
import { makeInThreads } from '../making/make-in-threads.ts';
import { projectionOf } from '../projections.ts';
import { projectedSchema } from './batches.ts';
import type { Rendition, RenditionSource } from './rendition.ts';
import { storedRange } from './stored-part.ts';

export interface ParquetSource extends RenditionSource {
  /** Names what `parts` hold (`NamedShown`). */
  digest: string;
  manifestDigest: string;
  policyDigest: string | null;
}

/** Made first where it is not there yet. Throws TYPE_UNMAPPED, OBJECT_MISSING, OBJECT_CORRUPT, ARROW_INVALID. */
export async function parquetRendition(publication: Publication, source: ParquetSource): Promise<StoredRendition> {
  const { digest: of, manifestDigest, policyDigest, projection } = source;
  const store = partsOfStore(publication);
  const made = await projectionOf(publication, {
    key: hash('sha256', canonicalJson({ of, columns: projection.columns, format: 'parquet' }), 'hex'),
    manifestDigest,
    policyDigest,
    format: 'parquet',
    async make(alive) {
      const work = { make: 'parquet', columns: projection.columns } as const;
      return { schema: projectedSchema(source), parts: await makeInThreads(store, source, work, alive) };
    },
  });
  const [file] = made.parts as [(typeof made.parts)[number]];
  return {
    contentType: 'application/vnd.apache.parquet',
    totalBytes: file.sizeBytes,
    digests: [file.digest],
    async *bytes(sent, range) {
      yield* storedRange(store, file.digest, range ?? { offset: 0, length: file.sizeBytes });
      if (range === undefined) sent.rows = file.rows;
    },
  };
}

/** A rendition that is an object of its own. */
export interface StoredRendition extends Rendition {
  digests: string[];
}
