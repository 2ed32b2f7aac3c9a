/** A policy compiled against the schema of one version: what a reader of it sees, batch by batch. */
import { Data, type Field, RecordBatch, Schema, Struct } from 'apache-arrow';
import { filterBatch } from '../../../columnar/filter.ts';
import { certainly } from '../../../columnar/truth.ts';
import { type BatchFilter, columnsOf, compileFilter } from './filter.ts';
import { policyInvalid } from './literals.ts';
import { compileMask } from './masks.ts';
import type { CompiledMask, Policy } from './policy.ts';

export interface CompiledPolicy {
  /** Of what is given: the items that the version has, in its order, with the types that masks give them. */
  schema: Schema;
  /** The columns that must be decoded, in the version's order: given ones, and those that the filter asks. */
  reads: string[];
  /** @param batch of the columns `reads` @returns the rows and cells that are given; perhaps no row at all */
  apply(batch: RecordBatch): RecordBatch;
  /** The two halves of `apply`, for look-ups, which must do the same work whether or not a row is given. */
  rows: {
    /** One byte a row: 1 where the row is given. The array is the caller's. */
    kept(batch: RecordBatch): Uint8Array;
    /** The cells as they are given, of every row. */
    shown(batch: RecordBatch): RecordBatch;
  };
}

/**
 * An item that the version no longer has is not given; a filter or mask that no longer fits refuses the whole: a policy
 * is never applied in part.
 * @param key of the grantee's keyed hashes; null where the policy has none
 * @throws POLICY_INVALID with the pointer into the terms
 */
export function compilePolicy(policy: Policy, schema: Schema, key: Uint8Array | null): CompiledPolicy {
  const { masks, rowFilter } = policy;
  const items = new Set(policy.items);
  const filtered = new Set(rowFilter === null ? [] : columnsOf(rowFilter));
  const given = schema.fields.filter(({ name }) => items.has(name));
  if (given.length === 0) throw policyInvalid('the version has none of the items', '/items');
  const readFields = schema.fields.filter(({ name }) => items.has(name) || filtered.has(name));
  const reads = new Schema(readFields, schema.metadata);
  const filter = rowFilter === null ? null : compileFilter(rowFilter, reads, new Set(Object.keys(masks)));
  const columns = given.map((field) => columnOf(field, readFields.indexOf(field), policy, key));
  const shown = new Schema(
    columns.map(({ field }) => field),
    schema.metadata,
  );
  return {
    schema: shown,
    reads: readFields.map(({ name }) => name),
    apply: (batch) => mask(keep(chosen(batch, columns, given), batch, filter), columns, shown),
    rows: {
      kept: (batch) => (filter === null ? new Uint8Array(batch.numRows).fill(1) : certainly(filter(batch))),
      shown: (batch) => mask(chosen(batch, columns, given), columns, shown),
    },
  };
}

interface GivenColumn {
  /** In the batches that are read. */
  place: number;
  field: Field;
  mask: CompiledMask | null;
}

function columnOf(field: Field, place: number, { masks }: Policy, key: Uint8Array | null): GivenColumn {
  const asked = Object.hasOwn(masks, field.name) ? masks[field.name] : undefined;
  if (asked === undefined) return { place, field, mask: null };
  const compiled = compileMask(asked, field, key, `/masks/${field.name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return { place, field: compiled.field, mask: compiled };
}

/** Only what is given is copied when rows are left out; masks then work on the rows that stay. */
function chosen(batch: RecordBatch, columns: GivenColumn[], given: Field[]): RecordBatch {
  const children = columns.map(({ place }) => batch.data.children[place]!);
  return batchOf(new Schema(given), batch.numRows, children);
}

function keep(given: RecordBatch, batch: RecordBatch, filter: BatchFilter | null): RecordBatch {
  if (filter === null) return given;
  const kept = certainly(filter(batch));
  return kept.includes(0) ? filterBatch(given, kept, 1) : given;
}

function mask(batch: RecordBatch, columns: GivenColumn[], schema: Schema): RecordBatch {
  const children = columns.map((column, i) => {
    const data = batch.data.children[i]!;
    return column.mask === null ? data : column.mask.apply(data);
  });
  return batchOf(schema, batch.numRows, children);
}

function batchOf(schema: Schema, rows: number, children: Data[]): RecordBatch {
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, rows, 0, undefined, children));
}
