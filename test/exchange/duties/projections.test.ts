import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyedHash, type LeafInput } from '../../../exchange/audit/leaf.ts';
import { meter } from '../../../exchange/duties/metering.ts';
import { projectLog } from '../../../exchange/duties/projections.ts';
import { forgetSubjectAccess, subjectAccess } from '../../../exchange/duties/subjects.ts';
import type { Metering } from '../../../schemas/generated/api.ts';
import { type Bench, openBench, principal } from '../access/support.ts';
import { DATASET } from '../publication/world.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const auditor = principal('data', 'auditor');
const hash = (text: string) => keyedHash(bench.access.subjectKey, text);
const by = ['dataset', 'grant', 'matter', 'department', 'day'] as const;

/** Leaves as reads and look-ups write them, and some that are no business of metering's. */
const leaf: fc.Arbitrary<LeafInput> = fc
  .record({
    action: fc.constantFrom(
      ...['dataset.read.opened', 'dataset.read.closed', 'dataset.read', 'dataset.lookup', 'dataset.verify'],
      ...['dataset.publish', 'quarantine.read.opened', 'request.create'],
    ),
    department: fc.constantFrom('education', 'traffic', undefined),
    dataset: fc.constantFrom(DATASET, 'traffic.vehicles', '(unknown)'),
    version: fc.constantFrom(1, 2, undefined),
    grant: fc.constantFrom('g1', undefined),
    matter: fc.constantFrom('m1', undefined),
    denied: fc.boolean(),
    counts: fc.record({ rows: fc.nat(1_000), bytes: fc.nat(100_000) }, { requiredKeys: [] }),
    keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    // Midnight of Asia/Shanghai lies between the first and the second.
    time: fc.constantFrom('2026-02-11T15:59:59.999Z', '2026-02-11T16:00:00.000Z', '2026-02-12T03:00:00.000Z'),
  })
  .map(({ department, dataset, version, denied, keys, counts, ...rest }) => ({
    ...{ ...rest, ...counts, actor: 'token:x', decision: denied ? 'deny' : 'allow' },
    ...(department === undefined ? {} : { onBehalfOf: department }),
    object: `dataset/${dataset}${version === undefined ? '' : `/version/${version}`}`,
    ...(/lookup|verify/.test(rest.action) ? { keyHashes: keys.map(hash) } : {}),
  }));

/** The same sums, told in another language. */
function recount(leaves: LeafInput[]): Metering[] {
  const sums = new Map<string, Required<Metering>>();
  for (const one of leaves) {
    if (!/^dataset\.(read|lookup|verify)(\.|$)/.test(one.action)) continue;
    const day = new Date(Date.parse(one.time!) + 8 * 3_600_000).toISOString().slice(0, 10);
    const at = {
      ...{ dataset: one.object.split('/')[1]!, grant: one.grant ?? '', matter: one.matter ?? '' },
      ...{ department: one.onBehalfOf ?? '', day },
    };
    const name = JSON.stringify(at);
    const sum = sums.get(name) ?? { ...at, reads: 0, rows: 0, bytes: 0, lookups: 0, refusals: 0 };
    sums.set(name, sum);
    if (one.decision === 'deny') {
      sum.refusals++;
      continue;
    }
    if (one.action.endsWith('.opened')) sum.reads++;
    sum.rows += one.rows ?? 0;
    sum.bytes += one.bytes ?? 0;
    if (one.action === 'dataset.lookup') sum.lookups += one.keyHashes!.length;
    if (one.action === 'dataset.verify') sum.lookups++;
  }
  return [...sums.values()];
}

async function empty(): Promise<void> {
  await bench.world.catalog.raw('truncate metering, dataset_reader, subject_access');
}

async function metered(): Promise<Metering[]> {
  return meter(bench.world.catalog, auditor, { by: [...by] });
}

describe('metering', () => {
  test('is what a recount of the same leaves gives, leaf by leaf or all at once', async () => {
    const { catalog } = bench.world;
    await fc.assert(
      fc.asyncProperty(fc.array(leaf, { minLength: 1, maxLength: 30 }), fc.boolean(), async (leaves, oneByOne) => {
        await projectLog(catalog);
        await empty();
        for (const one of leaves) {
          await bench.audit.append(one);
          if (oneByOne) await projectLog(catalog);
        }
        const sums = await metered();
        expect(new Set(sums.map((sum) => JSON.stringify(sum)))).toEqual(
          new Set(recount(leaves).map((sum) => JSON.stringify(Object.fromEntries(order(sum))))),
        );
        expect(await metered()).toEqual(sums);
      }),
      { numRuns: 25 },
    );
  });

  test('counts each leaf once where several count at the same time, and again what was not committed', async () => {
    const { catalog } = bench.world;
    await projectLog(catalog);
    await empty();
    const read: LeafInput = {
      actor: 'token:x',
      action: 'dataset.read.opened',
      object: `dataset/${DATASET}`,
      decision: 'allow',
    };
    await bench.audit.appendMany(Array.from({ length: 500 }, () => read));
    await expect(
      catalog.transaction(async (transaction) => {
        expect(await projectLog(transaction)).toBe(500);
        throw new Error('the process died before the commit');
      }),
    ).rejects.toThrow('died');
    const counted = await Promise.all(Array.from({ length: 4 }, () => projectLog(catalog)));
    expect(counted.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 500]);
    expect((await metered()).map(({ reads }) => reads)).toEqual([500]);
    // Thrown away and made again from the log: nothing is lost.
    await empty();
    await catalog('log_projection').update({ next_index: 0 });
    await projectLog(catalog);
    const all = await meter(catalog, auditor, { by: ['dataset'], dataset: DATASET });
    expect(all[0]!.reads).toBeGreaterThanOrEqual(500);
  });
});

test('a look-up makes its department a reader of the version; a refused one does not', async () => {
  const { catalog } = bench.world;
  await projectLog(catalog);
  await empty();
  const object = `dataset/${DATASET}/version/7`;
  const lookup: Omit<LeafInput, 'decision'> = {
    ...{ actor: 'token:x', action: 'dataset.lookup', object, keyHashes: [hash('1')] },
  };
  await bench.audit.append({ ...lookup, onBehalfOf: 'education', decision: 'allow' });
  await bench.audit.append({ ...lookup, onBehalfOf: 'traffic', decision: 'deny', rule: 'QUOTA_EXCEEDED' });
  await projectLog(catalog);
  expect(await catalog('dataset_reader').where({ version: 7 }).pluck('department')).toEqual(['education']);
});

test('that a leaf concerns a person is forgotten after three years; the leaf stays', async () => {
  const { catalog } = bench.world;
  const lookup = { actor: 'token:x', action: 'dataset.lookup', object: `dataset/${DATASET}/version/1` } as const;
  const { index } = await bench.audit.append({ ...lookup, decision: 'allow', keyHashes: [hash('person')] });
  const asked = () => subjectAccess(bench.access, { principal: auditor, id: 'person' });
  expect((await asked()).lookups).toMatchObject([{ index, dataset: DATASET }]);
  await forgetSubjectAccess(catalog, new Date());
  expect((await asked()).lookups).toHaveLength(1);
  await forgetSubjectAccess(catalog, new Date(Date.now() + 4 * 366 * 86_400_000));
  expect((await asked()).lookups).toEqual([]);
  expect(await bench.audit.reader.entries(index, index + 1)).toHaveLength(1);
});

/** Members as the SQL gives them. */
function order(sum: Metering): [string, unknown][] {
  const names = [...by, 'reads', 'rows', 'bytes', 'lookups', 'refusals'] as const;
  return names.map((name) => [name, sum[name]]);
}
