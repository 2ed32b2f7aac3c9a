/**
 * What has changed since a version that the reader has: applied to a bulk read of that version it gives, cell by cell, a
 * bulk read of the later one under the same grant. Rows are compared as the grant shows them, so a row that comes under
 * its filter is an insert, one that leaves it a delete, and a change that its columns and masks hide is none.
 *
 * The net difference of the two versions (decision 0213). Parts that both have are not read, and masks are applied to
 * the others only.
 */
import type { Schema } from 'apache-arrow';
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import { partsOfStore } from '../../publication/part-tags.ts';
import type { Version } from '../../publication/publication.ts';
import type { Access } from '../access.ts';
import { type Asked, type Decision, decide, readLeaf, recordedDenial } from '../decision.ts';
import type { Grant } from '../grants.ts';
import { type Reading, shownWhileRead } from '../masked.ts';
import type { Shown } from '../projections.ts';
import { projectedBatches, projectedSchema } from '../renditions/batches.ts';
import { csvFormat } from '../renditions/csv.ts';
import { jsonLinesFormat } from '../renditions/json-lines.ts';
import type { Sent } from '../renditions/rendition.ts';
import { textRendition } from '../renditions/text.ts';
import { openSession, type Session } from '../session.ts';
import { changeBatches, changeSchema, changeStream } from './change-stream.ts';
import { diffColumns, typeText } from './columns.ts';
import { type Comparison, digestsOf, type Side } from './comparison.ts';
import { decideBeside, type Pair, pairingKey, unsharedParts } from './pair.ts';

export type ChangesFormat = 'arrow' | 'csv' | 'json-lines';

export interface ChangesRequest extends Pick<Asked, 'principal' | 'dataset' | 'grant' | 'address'> {
  /** The version that the reader has. */
  since: number;
  until: 'current' | number;
  format: ChangesFormat;
}

export interface OpenedChanges extends Session {
  grant: Grant;
  /** What the reader has when it has applied them: its next `since`. */
  version: Version;
  contentType: string;
}

/** As Delta's change data feed has them. */
export const words = {
  added: 'insert',
  removed: 'delete',
  changedFrom: 'update_preimage',
  changedTo: 'update_postimage',
};

/**
 * @throws what `prepareRead` throws for the later version; COLUMN_NOT_GRANTED where the grant does not show the key
 * @throws CHANGES_UNAVAILABLE where only a bulk read leads on: the earlier version can no longer be read, or its key or
 * columns are not those of the later one
 */
export async function openChanges(access: Access, request: ChangesRequest): Promise<OpenedChanges> {
  const { since, until, format, ...rest } = request;
  const asked = { ...rest, mode: 'changes' as const };
  const later = await decide(access, { ...asked, version: until });
  if (since > later.version.number) {
    throw new HuitongError(
      'REQUEST_INVALID',
      `版本 ${since} 不早于版本 ${later.version.number} · version ${since} is not earlier than version ${later.version.number}`,
      {
        pointer: '/since',
      },
    );
  }
  const pair = await decideBeside(access, asked, { to: later, version: since }).catch(throwUnavailable);
  const comparison = await compare(access, pair).catch(async (e: unknown) => {
    throw await recordedDenial(access, request.principal, { dataset: later.version.dataset, mode: 'changes' }, e);
  });
  const { contentType, bytes } = renditionOf(comparison, format);
  const leaf = {
    ...readLeaf(access, request.principal, later),
    action: 'dataset.changes',
    format,
    detail: { since },
  };
  const session = await openSession(access, leaf, { grant: later.grant, digests: digestsOf(comparison), bytes });
  return { ...session, grant: later.grant, version: later.version, contentType };
}

function throwUnavailable(e: unknown): never {
  const gone = ['NOT_FOUND', 'VERSION_EXPIRED', 'VERSION_RECALLED'] as const;
  if (gone.some((code) => isHuitongError(e, code)))
    throw unavailable('较早的版本已不可读取 · the earlier version can no longer be read');
  throw e;
}

function unavailable(why: string): HuitongError {
  return new HuitongError('CHANGES_UNAVAILABLE', why, { pointer: '/since' });
}

async function compare(access: Access, pair: Pair): Promise<Comparison> {
  const key = await pairingKey(access, pair);
  if (key === null) throw unavailable('此后契约的主键已更改 · the contract’s key is another since then');
  const { publication, subjectKey } = access;
  return comparisonOf({ store: partsOfStore(publication), subjectKey }, pair, key);
}

/** @throws POLICY_INVALID where one of them no longer fits the policy, CHANGES_UNAVAILABLE where the columns differ */
export function comparisonOf(reading: Reading, pair: Pair, key: string[]): Comparison {
  const { from, to } = pair;
  const parts = unsharedParts(from.parts, to.parts);
  const before = sideOf(reading, from, { schema: from.schema, parts: parts.before });
  const after = sideOf(reading, to, { schema: to.schema, parts: parts.after });
  if (shapeOf(before.schema) !== shapeOf(after.schema))
    throw unavailable('此后数据项已更改 · the columns are others since then');
  return { key, columns: diffColumns(before.schema, after.schema), before, after };
}

function sideOf(reading: Reading, { grant, projection }: Decision, stored: Shown): Side {
  const { parts } = stored;
  if (grant.policy !== null) return { parts, ...shownWhileRead(reading, grant.policy, stored) };
  const source = { store: reading.store, ...stored, projection };
  return { schema: projectedSchema(source), parts, batches: () => projectedBatches(source) };
}

function shapeOf({ fields }: Schema): string {
  return JSON.stringify(fields.map((field) => [field.name, typeText(field)]));
}

function renditionOf(comparison: Comparison, format: ChangesFormat) {
  if (format === 'arrow') {
    const contentType = 'application/vnd.apache.arrow.stream';
    return { contentType, bytes: (sent: Sent) => changeStream(comparison, words, sent) };
  }
  const schema = changeSchema(comparison);
  const lines = format === 'csv' ? csvFormat(schema) : jsonLinesFormat(schema);
  return textRendition(lines, () => changeBatches(comparison, words));
}
