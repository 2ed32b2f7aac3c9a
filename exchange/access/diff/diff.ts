/**
 * The difference of two versions by key, under a grant: both are read through its projection, so it tells no more than
 * reading both would. Parts that both versions have are not read. Memory is that of one bucket of rows of each.
 */
import { HuitongError } from '../../../lib/errors.ts';
import { partsOfStore } from '../../publication/part-tags.ts';
import type { Access } from '../access.ts';
import { type Asked, type Decision, decide, readLeaf } from '../decision.ts';
import { shownTo } from '../masked.ts';
import { project } from '../projection.ts';
import type { Shown } from '../projections.ts';
import { projectedBatches, projectedSchema } from '../renditions/batches.ts';
import { openSession, type Session } from '../session.ts';
import { changeStream } from './change-stream.ts';
import { diffColumns } from './columns.ts';
import { type Comparison, comparedBuckets, digestsOf, type Side } from './comparison.ts';
import { decideBeside, type Pair, pairingKey, unsharedParts } from './pair.ts';

export interface DiffRequest extends Pick<Asked, 'principal' | 'dataset' | 'grant' | 'address'> {
  from: number;
  to: 'current' | number;
  /** `json`: the summary; `arrow`: the rows, each with what became of it. */
  format: 'json' | 'arrow';
}

/** Known before a row is read. */
interface DiffFacts {
  dataset: string;
  from: number;
  to: number;
  key: string[];
  /** What was read, and what both versions share. Only to who is shown everything: a part differs for hidden cells too. */
  partsRead?: number;
  partsShared?: number;
}

export interface DiffSummary extends DiffFacts {
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

const words = { added: 'added', removed: 'removed', changedFrom: 'changed-from', changedTo: 'changed-to' };

/**
 * @throws what `prepareRead` throws for either version; COLUMN_NOT_GRANTED where the grant does not show the key,
 * REQUEST_INVALID where the two versions have different keys
 */
export async function openDiff(access: Access, request: DiffRequest): Promise<Session & { contentType: string }> {
  const { from, to, format, ...asked } = request;
  const later = await decide(access, { ...asked, version: to });
  const pair = await decideBeside(access, asked, { to: later, version: from });
  const { comparison, facts, rows } = await compareVersions(access, pair);
  const leaf = {
    ...readLeaf(access, request.principal, later),
    action: 'dataset.diff',
    format,
    detail: { comparedWith: pair.from.version.number },
  };
  const session = await openSession(access, leaf, {
    grant: later.grant,
    digests: digestsOf(comparison),
    bytes: (sent) =>
      format === 'arrow' ? changeStream(comparison, words, sent) : summaryText(comparison, facts, rows, sent),
  });
  const contentType = format === 'arrow' ? 'application/vnd.apache.arrow.stream' : 'application/json';
  return { ...session, contentType };
}

/** `rows`: of the later version, as the grant shows it. */
async function compareVersions(access: Access, pair: Pair) {
  const { from, to } = pair;
  const key = await pairingKey(access, pair);
  if (key === null) {
    throw new HuitongError(
      'REQUEST_INVALID',
      '两个版本的主键不同，无法逐行比对 · the two versions have different keys: their rows cannot be paired',
      {
        at: to.version.dataset,
      },
    );
  }
  // The whole projection of each is asked for, because the rows that did not change are counted too.
  const [earlier, later] = [await shownTo(access, from), await shownTo(access, to)];
  const parts = unsharedParts(earlier.parts, later.parts);
  const before = sideOf(access, from, { ...earlier, parts: parts.before });
  const after = sideOf(access, to, { ...later, parts: parts.after });
  const comparison: Comparison = { key, columns: diffColumns(before.schema, after.schema), before, after };
  const facts: DiffFacts = {
    dataset: to.version.dataset,
    from: from.version.number,
    to: to.version.number,
    key,
    ...(showsEverything(from) &&
      showsEverything(to) && { partsRead: parts.before.length + parts.after.length, partsShared: parts.shared }),
  };
  return { comparison, facts, rows: later.parts.reduce((sum, part) => sum + part.rows, 0) };
}

function showsEverything({ grant: { policy, columns } }: Decision): boolean {
  return policy === null && columns === null;
}

function sideOf({ publication }: Access, { grant, projection }: Decision, { schema, parts }: Shown): Side {
  const chosen = grant.policy === null ? projection : project(grant, schema, undefined);
  const source = { store: partsOfStore(publication), schema, parts, projection: chosen };
  return { schema: projectedSchema(source), parts, batches: () => projectedBatches(source) };
}

async function* summaryText(
  comparison: Comparison,
  facts: DiffFacts,
  rows: number,
  sent: { rows: number | undefined },
): AsyncGenerator<Uint8Array> {
  const { columns } = comparison;
  const counts = new Float64Array(columns.compared.length);
  const total = { added: 0, removed: 0, changed: 0 };
  for await (const { added, removed, changed } of comparedBuckets(comparison, counts)) {
    total.added += added.length;
    total.removed += removed.length;
    total.changed += changed.length / 2;
  }
  const summary: DiffSummary = {
    ...facts,
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
