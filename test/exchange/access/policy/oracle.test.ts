/** Random policies over random rows give exactly what the SQL that they stand for gives. */
import { createHmac } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { makeData, RecordBatch, Schema, Struct } from 'apache-arrow';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { cellImages } from '../../../../contracts/image.ts';
import { compilePolicy } from '../../../../exchange/access/policy/compile.ts';
import { maskKeyOf } from '../../../../exchange/access/policy/keyed-hash.ts';
import { type Policy, policyOf } from '../../../../exchange/access/policy/policy.ts';
import type { Mask } from '../../../../schemas/generated/grant-terms.ts';
import { ask, load, openOracle } from './duckdb.ts';
import { batchOf, columns, filterSql, maskSql, type PolicyTerms, policies, rows, schema } from './samples.ts';

const key = maskKeyOf(Buffer.alloc(32, 7), 'police');

let oracle: DuckDBConnection;
beforeAll(async () => {
  oracle = await openOracle();
});

test('masks and filters are those of SQL, three-valued logic included', async () => {
  await fc.assert(
    fc.asyncProperty(rows, policies, fc.nat(3), async (list, terms, skipped) => {
      await load(oracle, list.slice(skipped));
      const policy = policyOf(terms) as Policy;
      const compiled = compilePolicy(policy, schema, key);
      // A slice, so that cells do not begin where their memory does.
      const shown = compiled.apply(read(batchOf(list).slice(skipped), compiled.reads));
      expect(shown.schema.fields.map(({ name }) => name)).toEqual(itemsOf(terms));
      expect(textsOf(shown)).toEqual(await expected(terms));
    }),
    { numRuns: 300 },
  );
});

function itemsOf({ items }: PolicyTerms): string[] {
  return Object.keys(columns).filter((name) => items.includes(name));
}

async function expected(terms: PolicyTerms): Promise<(string | null)[][]> {
  const items = itemsOf(terms);
  const masks = items.map((name) => terms.masks?.[name]);
  const select = items.map((name, i) => textSql(name, masks[i]));
  const found = await ask(oracle, select, terms.rowFilter ? filterSql(terms.rowFilter) : 'true');
  return found.map((row) =>
    row.map((cell, i) => (masks[i]?.mask === 'keyed-hash' && cell !== null ? hmac(cell) : cell)),
  );
}

function hmac(text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** As the JSON image writes it, so that both sides compare text. */
function textSql(name: string, mask: Mask | undefined): string {
  const cell = maskSql(name, mask);
  if (columns[name]?.sql === 'double' && mask?.mask !== 'bucket') return cell;
  if (columns[name]?.sql !== 'timestamp') return `cast(${cell} as varchar)`;
  return `replace(strftime(${cell}, '%Y-%m-%dT%H:%M:%S.%f'), '.000000', '')`;
}

function read(batch: RecordBatch, names: string[]): RecordBatch {
  const places = names.map((name) => batch.schema.fields.findIndex((field) => field.name === name));
  const chosen = new Schema(places.map((place) => batch.schema.fields[place]!));
  const children = places.map((place) => batch.data.children[place]!);
  return new RecordBatch(
    chosen,
    makeData({ type: new Struct(chosen.fields), length: batch.numRows, nullCount: 0, children }),
  );
}

function textsOf(batch: RecordBatch): (string | null)[][] {
  const images = cellImages(batch.schema);
  return Array.from({ length: batch.numRows }, (_, row) =>
    images.map((image, i) => {
      const data = batch.data.children[i]!;
      if (!data.getValid(row)) return null;
      return image.jsonType === 'string' ? String(image.value(data, row)) : image.text(data, row).replaceAll('"', '');
    }),
  );
}
