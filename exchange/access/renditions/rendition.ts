/** What every rendition is: bytes made on demand, as fast as they are taken, in memory of one batch. */
import type { Schema } from 'apache-arrow';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { PartStore } from '../../store/part-store.ts';
import type { ByteRange } from '../../store/store.ts';
import type { Projection } from '../projection.ts';

export interface RenditionSource {
  store: Pick<PartStore, 'open'>;
  /** Of the version: every part has it. */
  schema: Schema;
  parts: ManifestPart[];
  projection: Projection;
}

/** Counted while it is sent; `rows` stays undefined where parts of rows cannot be told (a range of bytes). */
export interface Sent {
  rows: number | undefined;
}

export interface Rendition {
  contentType: string;
  /** Exact, where it is known before the first byte; such a rendition can be read in ranges. */
  totalBytes: number | undefined;
  /**
   * Chunks that are lent: each holds until the next is asked for. Throws OBJECT_CORRUPT, OBJECT_MISSING, ARROW_INVALID
   * in the middle of the bytes: they end there, unfinished.
   */
  bytes(sent: Sent, range?: ByteRange): AsyncGenerator<Uint8Array>;
}
