/**
 * The difference of two versions by key, under a grant: both are read through its projection, so it tells no more than
 * reading both would. Parts that both versions have are not read. Memory is that of one bucket of rows of each.
 */
import { getContract } from '../../../catalog/contracts.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { Access } from '../access.ts';
import { type Asked, type Decision, decide, readLeaf } from '../decision.ts';
import { shownTo } from '../masked.ts';
import { project } from '../projection.ts';
import type { Shown } from '../projections.ts';
import { projectedSchema } from '../renditions/batches.ts';
import type { RenditionSource } from '../renditions/rendition.ts';
import { openSession, type Session } from '../session.ts';
import { changeStream } from './change-stream.ts';
import { diffColumns } from './columns.ts';
import { type Comparison, comparedBuckets, type DiffFacts } from './comparison.ts';

export interface DiffRequest extends Pick<Asked, 'principal' | 'dataset' | 'grant' | 'address'> {
  from: number;
  to: 'current' | number;
  /** `json`: the summary; `arrow`: the rows, each with what became of it. */
  format: 'json' | 'arrow';
}

export interface DiffSummary extends Omit<DiffFacts, 'rows'> {
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
  /** Columns that both have, in which rows differ, with how many. */
  columns: { name: string; changed: number }[];
  columnsAdded: string[];
  columnsRemoved: string[];
  columnsRetyped: string[];
}

/**
 * @throws what `prepareRead` throws for either version; COLUMN_NOT_GRANTED where the grant does not show the key,
 * REQUEST_INVALID where the two versions have different keys
 */
export async function openDiff(access: Access, request: DiffRequest): Promise<Session & { contentType: string }> {
  const { principal, dataset, address } = request;
  const asked = { principal, dataset, address };
  const to = await decide(access, { ...asked, grant: request.grant, version: request.to });
  // Both are read under one grant, whatever else there is by now.
  const grant = to.grant.epoch === null ? request.grant : to.grant.id;
  const from = await decide(access, { ...asked, grant, version: request.from });
  if (from.grant.id !== to.grant.id) {
    throw new HuitongError('GRANT_NOT_USABLE', 'the two versions are not read under one grant', { at: dataset });
  }
  const comparison = await compareVersions(access, from, to);
  const leaf = {
    ...readLeaf(access, principal, to),
    action: 'dataset.diff',
    format: request.format,
    detail: { comparedWith: from.version.number },
  };
  const digests = [...new Set([...comparison.before.parts, ...comparison.after.parts].map(({ digest }) => digest))];
  const bytes = request.format === 'arrow' ? changeStream : summaryText;
  const session = await openSession(access, leaf, {
    grant: to.grant,
    digests,
    bytes: (sent) => bytes(comparison, sent),
  });
  const contentType = request.format === 'arrow' ? 'application/vnd.apache.arrow.stream' : 'application/json';
  return { ...session, contentType };
}

async function compareVersions(access: Access, from: Decision, to: Decision): Promise<Comparison> {
  const key = await keyOf(access, from, to);
  const [before, after] = [await shownTo(access, from), await shownTo(access, to)];
  const sources = [
    { decision: from, shown: before },
    { decision: to, shown: after },
  ].map(({ decision, shown }) => sourceOf(access, decision, shown)) as [RenditionSource, RenditionSource];
  const columns = diffColumns(
    ...(sources.map(projectedSchema) as [RenditionSource['schema'], RenditionSource['schema']]),
  );
  const shared = sharedDigests(before.parts, after.parts);
  for (const source of sources) source.parts = source.parts.filter(({ digest }) => !shared.has(digest));
  const partsRead = sources.reduce((sum, { parts }) => sum + parts.length, 0);
  const rows = after.parts.reduce((sum, part) => sum + part.rows, 0);
  const facts = { dataset: to.version.dataset, from: from.version.number, to: to.version.number };
  return {
    key,
    columns,
    before: sources[0],
    after: sources[1],
    facts: { ...facts, key, partsRead, partsShared: shared.size, rows },
  };
}

function sourceOf({ publication }: Access, { grant, projection }: Decision, shown: Shown): RenditionSource {
  const chosen = grant.policy === null ? projection : project(grant, shown.schema, undefined);
  return { store: publication.store, schema: shown.schema, parts: shown.parts, projection: chosen };
}

/** A part that both have holds rows that are the same in both, and a key stands in one part only. */
function sharedDigests(before: ManifestPart[], after: ManifestPart[]): Set<string> {
  const digests = new Set(after.map(({ digest }) => digest));
  return new Set(before.map(({ digest }) => digest).filter((digest) => digests.has(digest)));
}

/** Masks other than keyed hashes make one key of several: nothing could be told apart by it. */
async function keyOf({ publication: { catalog } }: Access, from: Decision, to: Decision): Promise<string[]> {
  const [before, after] = await Promise.all(
    [from, to].map(({ version }) => getContract(catalog, version.dataset, version.contractVersion)),
  );
  const [was, key] = [keyIn(before!.document), keyIn(after!.document)];
  if (was.join('\0') !== key.join('\0')) {
    throw new HuitongError('REQUEST_INVALID', 'the two versions have different keys: their rows cannot be paired', {
      at: to.version.dataset,
    });
  }
  const { grant } = to;
  const hidden = key.find((name) => {
    const mask = grant.policy?.masks[name];
    return (grant.columns !== null && !grant.columns.includes(name)) || (mask && mask.mask !== 'keyed-hash');
  });
  if (hidden === undefined) return key;
  throw new HuitongError('COLUMN_NOT_GRANTED', 'versions are compared by their key, which this grant does not show', {
    at: to.version.dataset,
  });
}

function keyIn(document: Record<string, unknown>): string[] {
  return document.key as string[];
}

async function* summaryText(comparison: Comparison, sent: { rows: number | undefined }): AsyncGenerator<Uint8Array> {
  const { columns, facts } = comparison;
  const counts = new Float64Array(columns.compared.length);
  const total = { added: 0, removed: 0, changed: 0 };
  for await (const { added, removed, changed } of comparedBuckets(comparison, counts)) {
    total.added += added.length;
    total.removed += removed.length;
    total.changed += changed.length / 2;
  }
  const { rows, ...known } = facts;
  const summary: DiffSummary = {
    ...known,
    ...total,
    unchanged: rows - total.added - total.changed,
    columns: columns.compared
      .map((place, i) => ({ name: columns.schema.fields[place]!.name, changed: counts[i]! }))
      .filter(({ changed }) => changed > 0),
    columnsAdded: columns.added,
    columnsRemoved: columns.removed,
    columnsRetyped: columns.retyped,
  };
  sent.rows = 0;
  yield Buffer.from(JSON.stringify(summary));
}
