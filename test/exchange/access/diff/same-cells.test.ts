/**
 * Changes applied to a bulk read of the earlier version give a bulk read of the later one, cell by cell, whatever the
 * policy and however the versions are made of parts. (That look-ups give the same too: lookup/same-cells.test.ts.)
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RecordBatch, Schema } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowTexter } from '../../../../contracts/image.ts';
import type { Decision } from '../../../../exchange/access/decision.ts';
import { changeBatches, changeSchema } from '../../../../exchange/access/diff/change-stream.ts';
import { comparisonOf, words } from '../../../../exchange/access/diff/changes.ts';
import type { Grant } from '../../../../exchange/access/grants.ts';
import { maskKeyOf } from '../../../../exchange/access/policy/keyed-hash.ts';
import { givenItems, type Policy, policyOf } from '../../../../exchange/access/policy/policy.ts';
import { project } from '../../../../exchange/access/projection.ts';
import { openFileStore } from '../../../../exchange/store/file-store.ts';
import { openPartStore, type PartStore } from '../../../../exchange/store/part-store.ts';
import type { ManifestPart } from '../../../../schemas/generated/manifest.ts';
import { writePart } from '../../../columnar/samples.ts';
import { memoryTags } from '../../store/memory-tags.ts';
import { bulkRows, KEY, withKey } from '../policy/keyed.ts';
import { batchOf, columns, type PolicyTerms, policies, type Row } from '../policy/samples.ts';

type Keyed = [key: number, row: Row];

const subjectKey = Buffer.alloc(32, 7);
const maskKey = maskKeyOf(subjectKey, 'police');
const { schema } = withKey(batchOf([]));
let directory: string;
let store: PartStore;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-changes-'));
  store = openPartStore(await openFileStore(directory), memoryTags());
});
afterAll(() => rm(directory, { recursive: true }));

const cells = Object.entries(columns).map(([name, column]) => [name, fc.option(column.cells, { freq: 4 })] as const);
const row: fc.Arbitrary<Row> = fc.record(Object.fromEntries(cells));
const keyedRows = (from: number, to: number) =>
  fc.uniqueArray(fc.tuple(fc.integer({ min: from, max: to }), row), { selector: ([key]) => key, maxLength: 25 });

/** What becomes of a row: gone, or some of its cells others; mostly nothing. */
const fate = fc.oneof(
  { arbitrary: fc.constant<Partial<Row> | 'gone'>({}), weight: 3 },
  { arbitrary: fc.constant<Partial<Row> | 'gone'>('gone'), weight: 1 },
  { arbitrary: fc.record(Object.fromEntries(cells), { requiredKeys: [] }), weight: 2 },
);

/** Two versions, each as the rows of its parts. */
interface Versions {
  before: Keyed[][];
  after: Keyed[][];
}

function changed(rows: Keyed[], fates: (Partial<Row> | 'gone')[]): Keyed[] {
  return rows.flatMap(([key, was], i): Keyed[] => {
    const become = fates[i % fates.length]!;
    return become === 'gone' ? [] : [[key, { ...was, ...become } as Row]];
  });
}

const cut = (rows: Keyed[], size: number): Keyed[][] =>
  Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size));
const buckets = (rows: Keyed[]): Keyed[][] =>
  [0, 1, 2, 3]
    .map((bucket) => rows.filter(([key]) => key % 4 === bucket).sort(([a], [b]) => a - b))
    .filter((part) => part.length > 0);

const versions: Record<string, fc.Arbitrary<Versions>> = {
  snapshot: fc
    .tuple(
      keyedRows(0, 40),
      keyedRows(41, 60),
      fc.array(fate, { minLength: 1 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
    )
    .map(([rows, more, fates, size, turned]) => {
      const after = [...changed(rows, fates), ...more];
      return { before: cut(rows, size), after: cut(turned ? after.reverse() : after, size + 1) };
    }),
  append: fc
    .tuple(keyedRows(0, 40), keyedRows(41, 60), fc.integer({ min: 1, max: 9 }))
    .map(([rows, more, size]) => ({ before: cut(rows, size), after: [...cut(rows, size), ...cut(more, size)] })),
  upsert: fc
    .tuple(keyedRows(0, 40), keyedRows(41, 60), fc.array(fate, { minLength: 1 }))
    .map(([rows, more, fates]) => ({ before: buckets(rows), after: buckets([...changed(rows, fates), ...more]) })),
};

/** The key is given, whole or hashed; without masks and filter columns are copied as they are. */
const terms: fc.Arbitrary<PolicyTerms> = fc
  .tuple(policies, fc.boolean(), fc.integer({ min: 0, max: 4 }))
  .map(([{ grantee, items, masks, rowFilter }, hashed, plain]) => ({
    grantee,
    items: [...items, KEY],
    ...(plain === 0
      ? {}
      : {
          masks: { ...masks, ...(hashed && { [KEY]: { mask: 'keyed-hash' as const } }) },
          ...(rowFilter && { rowFilter }),
        }),
  }));

async function decided(parts: Keyed[][], granted: PolicyTerms): Promise<Decision> {
  const stored: ManifestPart[] = [];
  for (const rows of parts) {
    const object = await store.put(one(writePart([batchOfKeyed(rows)])));
    stored.push({ digest: object.digest, sizeBytes: object.sizeBytes, rows: rows.length });
  }
  const given = new Set(givenItems(granted));
  const names = schema.fields.map(({ name }) => name).filter((name) => given.has(name));
  const grant = { columns: names, policy: policyOf(granted) } as Grant;
  return { grant, schema, parts: stored, projection: project(grant, schema, undefined) } as Decision;
}

function batchOfKeyed(rows: Keyed[]): RecordBatch {
  return withKey(
    batchOf(rows.map(([, cells]) => cells)),
    rows.map(([key]) => key),
  );
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function bulk(parts: Keyed[][], granted: PolicyTerms): string[] {
  const policy =
    policyOf(granted) ?? ({ ...granted, masks: {}, rowFilter: null, hashedFor: null } as unknown as Policy);
  return bulkRows(batchOfKeyed(parts.flat()), policy, maskKey);
}

/** Each change by the key that is shown, with its whole row as JSON text. */
async function changes(before: Decision, after: Decision): Promise<[change: string, text: string][]> {
  const comparison = comparisonOf({ store, subjectKey }, { from: before, to: after }, [KEY]);
  const text = rowTexter(new Schema(changeSchema(comparison).fields.slice(1)));
  const found: [string, string][] = [];
  for await (const batch of changeBatches(comparison, words)) {
    const [change, ...cells] = batch.data.children;
    const what = batch.getChildAt(0)!;
    for (let at = 0; at < change!.length; at++) found.push([String(what.get(at)), text(cells, at)]);
  }
  return found;
}

const keyIn = (text: string): string => JSON.parse(text)[KEY];

test.each(Object.entries(versions))(
  '%s: bulk of the later = changes applied to bulk of the earlier',
  async (_, two) => {
    await fc.assert(
      fc.asyncProperty(two, terms, async ({ before, after }, granted) => {
        const [had, wanted] = [bulk(before, granted), bulk(after, granted)];
        const told = await changes(await decided(before, granted), await decided(after, granted));
        const has = new Map(had.map((text) => [keyIn(text), text]));
        for (const [at, [change, text]] of told.entries()) {
          const key = keyIn(text);
          if (change === 'insert') expect(has.has(key)).toBe(false);
          // What is taken away is exactly what the reader has.
          else if (change !== 'update_postimage') expect(has.get(key)).toBe(text);
          if (change === 'update_preimage') {
            const [next, became] = told[at + 1]!;
            expect([next, keyIn(became), became === text]).toEqual(['update_postimage', key, false]);
          }
          if (change === 'delete') has.delete(key);
          else if (change !== 'update_preimage') has.set(key, text);
        }
        expect([...has.values()].sort()).toEqual([...wanted].sort());
        // And nothing is told of a row that looks the same in both.
        const same = new Set(had.filter((text) => wanted.includes(text)));
        expect(told.filter(([, text]) => same.has(text))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  },
  60_000,
);

test('columns that are others since then are not applied to what the reader has', async () => {
  const granted: PolicyTerms = { grantee: 'police', items: [KEY, '年龄'] };
  const before = await decided([], granted);
  const fewer = new Schema(schema.fields.filter(({ name }) => name !== '年龄'));
  const after = { ...before, schema: fewer, projection: project(before.grant, fewer, undefined) };
  await expect(changes(before, before)).resolves.toEqual([]);
  await expect(changes(before, after)).rejects.toMatchObject({ code: 'CHANGES_UNAVAILABLE' });
});
