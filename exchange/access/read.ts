/**
 * Reading a version under a grant. `prepareRead` decides and measures: nothing leaves, so it serves HEAD and
 * If-None-Match too. Its `open` records and sends. `openRead` is both at once.
 */
import { HuitongError } from '../../lib/errors.ts';
import { partsOfStore } from '../publication/part-tags.ts';
import type { Version } from '../publication/publication.ts';
import type { ByteRange } from '../store/store.ts';
import type { Access } from './access.ts';
import { type Asked, type Decision, decide, readLeaf, recordedDenial } from './decision.ts';
import type { Grant } from './grants.ts';
import { type NamedShown, shownTo } from './masked.ts';
import { entityTag, type Projection, project } from './projection.ts';
import { arrowRendition } from './renditions/arrow.ts';
import { projectedBatches, projectedSchema } from './renditions/batches.ts';
import { csvFormat } from './renditions/csv.ts';
import { jsonLinesFormat } from './renditions/json-lines.ts';
import { parquetRendition, type StoredRendition } from './renditions/parquet.ts';
import type { RenditionSource } from './renditions/rendition.ts';
import { type LineFormat, textRendition } from './renditions/text.ts';
import { openSession, type Session } from './session.ts';
import { whileSound } from './unsound.ts';

/** `csv-bom` is CSV that begins with a byte order mark, for Excel. */
export type Format = 'arrow' | 'parquet' | 'csv' | 'csv-bom' | 'json-lines';

export interface ReadRequest extends Asked {
  format: Format;
}

export interface PreparedRead {
  grant: Grant;
  version: Version;
  /** Strong, without quotes. */
  etag: string;
  contentType: string;
  /** Exact length of the whole, for formats that can be read in ranges; else undefined. */
  totalBytes: number | undefined;
  /** In the order sent; null: all, as stored. */
  columns: string[] | null;
  /**
   * Records that it is opened, then gives the bytes: all, or a range of them.
   * @throws AUDIT_UNAVAILABLE, AUDIT_REGRESSION: nothing may be sent; REQUEST_INVALID for a range that is not in it
   */
  open(range?: ByteRange): Promise<Session>;
}

/**
 * @throws NOT_FOUND, COLUMN_NOT_GRANTED: refused, and the refusal is in the log; AUDIT_UNAVAILABLE where it could not be
 * @throws GRANT_NOT_USABLE, POLICY_INVALID likewise
 * @throws TYPE_UNMAPPED for a column that the format cannot say; OBJECT_MISSING, OBJECT_CORRUPT
 */
export function prepareRead(access: Access, request: ReadRequest): Promise<PreparedRead> {
  return whileSound(access, (reading) => prepare(access, request, reading));
}

async function prepare(access: Access, request: ReadRequest, reading: string[]): Promise<PreparedRead> {
  const decision = await decide(access, request);
  const { grant, version } = decision;
  reading.push(...decision.parts.map((part) => part.digest));
  const shown = await shownOrDenied(access, request, decision);
  reading.push(...shown.parts.map((part) => part.digest));
  const projection = grant.policy === null ? decision.projection : project(grant, shown.schema, request.columns);
  const rendition = await renditionOf(access, { decision, shown, projection }, request.format);
  return {
    grant,
    version,
    etag: entityTag(shown.digest, projection, request.format),
    contentType: rendition.contentType,
    totalBytes: rendition.totalBytes,
    columns: projection.columns,
    async open(range) {
      if (range !== undefined) requireRange(range, rendition.totalBytes);
      const leaf = {
        ...readLeaf(access, request.principal, decision),
        format: request.format,
        ...(range === undefined ? {} : { range: `${range.offset}-${range.offset + range.length - 1}` }),
      };
      const { digests } = rendition;
      return openSession(access, leaf, { grant, digests, bytes: (sent) => rendition.bytes(sent, range) });
    },
  };
}

export interface OpenedRead extends PreparedRead, Session {}

/** Throws what `prepareRead` and its `open` throw. */
export async function openRead(access: Access, request: ReadRequest & { range?: ByteRange }): Promise<OpenedRead> {
  const prepared = await prepareRead(access, request);
  return { ...prepared, ...(await prepared.open(request.range)) };
}

/** A policy that the version no longer fits shows nothing: that is a refusal, and in the log. */
function shownOrDenied(access: Access, { principal }: ReadRequest, decision: Decision): Promise<NamedShown> {
  return shownTo(access, decision).catch(async (e: unknown) => {
    throw await recordedDenial(access, principal, { dataset: decision.version.dataset }, e);
  });
}

interface Sources {
  decision: Decision;
  shown: NamedShown;
  projection: Projection;
}

async function renditionOf(access: Access, sources: Sources, format: Format): Promise<StoredRendition> {
  const { decision, shown, projection } = sources;
  const source = { ...shown, store: partsOfStore(access.publication), projection };
  const digests = shown.parts.map((part) => part.digest);
  if (format === 'arrow') return { ...(await arrowRendition(source)), digests };
  if (format === 'parquet') {
    const { manifestDigest } = decision.version;
    const policyDigest = decision.grant.policy?.digest ?? null;
    return parquetRendition(access.publication, { ...source, manifestDigest, policyDigest });
  }
  return { ...textRendition(lineFormat(source, format), () => projectedBatches(source)), digests };
}

function lineFormat(source: RenditionSource, format: Exclude<Format, 'arrow' | 'parquet'>): LineFormat {
  const schema = projectedSchema(source);
  return format === 'json-lines' ? jsonLinesFormat(schema) : csvFormat(schema, { byteOrderMark: format === 'csv-bom' });
}

function requireRange({ offset, length }: ByteRange, totalBytes: number | undefined): void {
  const inside = totalBytes !== undefined && offset >= 0 && length > 0 && offset + length <= totalBytes;
  if (!inside)
    throw new HuitongError(
      'REQUEST_INVALID',
      '请求的范围不在内容之内 · the range does not lie within the bytes of this format',
    );
}
