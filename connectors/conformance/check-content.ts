/** The rows: all of them, once, of one moment, and every value as the source has it. */
import { type DataType, DataType as Types, type Vector } from 'apache-arrow';
import { expect } from 'vitest';
import type { ReadPlan, Snapshot } from '../connector.ts';
import type { Fidelity } from './facts.ts';
import type { Torture } from './fixture.ts';
import { cellTexts, contentOf, failureOf, limitsOf, one, quiet, readPlan, readTable, withSnapshot } from './reading.ts';
import { isSameCell } from './render.ts';
import type { Suite } from './suite.ts';

export function testContent<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  testPartitions(suite);
  testResuming(suite);
  testValues(suite);
}

function testPartitions<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;
  const { snapshot: kept, partitioning, cursor } = connector.capabilities;

  suite.test('partitions together are the table, once', ['large'], async ({ large, config }) => {
    await withSnapshot(connector, config, async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, { partitions: large.partitions });
      expect(plan.partitions.length).toBe(partitioning ? large.partitions : 1);
      expect(JSON.parse(JSON.stringify(plan))).toEqual(structuredClone(plan));
      const ids = await idsOf(plan, config, large.idColumn);
      expect(ids.length).toBe(large.rows);
      expect(new Set(ids).size).toBe(large.rows);
    });
  });

  suite.test(
    'they are one state of the table, while others write to it',
    ['disturb'],
    async ({ large, disturb, config }) => {
      const disturbance = disturb();
      try {
        await withSnapshot(connector, config, async (snapshot) => {
          const totals = await snapshot.controlTotals(large.request);
          const plan = await connector.plan(snapshot, large.request, { partitions: large.partitions });
          const ids = await idsOf(structuredClone(plan), config, large.idColumn);
          expect(new Set(ids).size).toBe(ids.length);
          if (totals === undefined) {
            // A source that cannot count: what is read later must be the same.
            expect(await idsOf(plan, config, large.idColumn)).toEqual(ids);
          } else {
            expect(ids.length).toBe(totals.rows);
            const sum = String(ids.reduce((before, id) => before + id, 0n));
            expect(totals.sums[large.idColumn]).toBe(large.bare ? undefined : sum);
          }
          await snapshot.assertAlive();
        });
      } finally {
        expect(await disturbance.stop()).toBeGreaterThan(0);
      }
    },
    { holds: kept !== 'none', otherwise: 'this kind has no snapshots, and its versions say so' },
  );

  suite.test(
    'up to the bound of a cursor is everything that is old enough; behind it nothing',
    ['cursor'],
    async ({ cursor: { request, column, rows, lagSeconds = 0 }, config }) => {
      await withSnapshot(connector, config, async (snapshot) => {
        const bound = await connector.cursorBound?.(snapshot, request, { column, lagSeconds });
        expect(bound).toBeTypeOf('string');
        const upTo = String(bound);
        const countOf = async (window: { column: string; after?: string; upTo: string }) => {
          let count = 0;
          const plan = await connector.plan(snapshot, { ...request, window }, one);
          await readPlan(connector, config, plan, ({ batch }) => {
            count += batch.numRows;
          });
          return count;
        };
        expect(await countOf({ column, upTo })).toBe(rows);
        expect(await countOf({ column, after: upTo, upTo })).toBe(0);
      });
    },
    { holds: cursor, otherwise: 'this kind has no cursors' },
  );

  async function idsOf(plan: ReadPlan<P>, config: C, column: string): Promise<bigint[]> {
    const ids: bigint[] = [];
    await readPlan(connector, config, plan, ({ batch }) => {
      for (const id of batch.getChild(column) ?? []) ids.push(BigInt(id));
    });
    return ids;
  }
}

function testResuming<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;
  const { snapshot: kept } = connector.capabilities;

  suite.test('a reader that is killed half-way and one that goes on: the same content', ['large'], async (fixture) => {
    const { large, config } = fixture;
    const whole = await withSnapshot(connector, config, async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, one);
      const kill = new AbortController();
      const request = { plan, partition: plan.partitions[0] as P, ...limitsOf({ batchRowsMax: 100 }) };
      let rows = 0;
      const killed = failureOf(
        (async () => {
          for await (const { batch } of connector.read(config, request, quiet(kill.signal))) {
            rows += batch.numRows;
            kill.abort();
          }
        })(),
      );
      expect((await killed).code).toBe('CANCELLED');
      expect(rows).toBeLessThan(large.rows);
      await snapshot.assertAlive();
      // The same owner reads the partition again.
      const content = await contentOf(connector, config, plan);
      expect(await contentOf(connector, config, plan)).toEqual(content);
      return content;
    });
    expect(whole.rows).toBe(large.rows);
    // Another owner, after the first one died: a new snapshot of an unchanged source.
    const again = await withSnapshot(connector, config, async (snapshot) =>
      contentOf(connector, config, await connector.plan(snapshot, large.request, one)),
    );
    expect(again).toEqual(whole);
  });

  suite.test('a partition that was left half-way is read again, the same', ['large'], async ({ large, config }) => {
    await withSnapshot(connector, config, async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, one);
      const request = { plan, partition: plan.partitions[0] as P, ...limitsOf({ batchRowsMax: 100 }) };
      const first: (string | null)[] = [];
      for await (const { batch } of connector.read(config, request, quiet())) {
        first.push(...cellTexts(batch.getChild(large.idColumn)));
        break;
      }
      const again: (string | null)[] = [];
      await readPlan(connector, config, plan, ({ batch }) => again.push(...cellTexts(batch.getChild(large.idColumn))));
      expect(first).toHaveLength(100);
      expect(again.slice(0, 100)).toEqual(first);
    });
  });

  suite.test(
    'without its snapshot nothing is read',
    ['large'],
    async ({ large, config }) => {
      const plan = await withSnapshot(connector, config, (snapshot) => connector.plan(snapshot, large.request, one));
      const error = await failureOf(readPlan(connector, config, plan, () => {}));
      expect(error.code).toBe('SNAPSHOT_LOST');
    },
    { holds: kept === 'exported', otherwise: 'no other connection can join a snapshot of this kind' },
  );
}

function testValues<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;

  suite.test(
    'every type keeps every value, or says which cell it cannot keep',
    ['torture'],
    async ({ torture, config }, keep) => {
      const wrong: unknown[] = [];
      const refused: Torture['unrepresentable'] = [];
      const seen: string[] = [];
      let before = 0;
      let cells = 0;
      const plan = await withSnapshot(connector, config, async (snapshot) => {
        const planned = await connector.plan(snapshot, torture.request, one);
        const schema = connector.arrowSchema(planned);
        await readPlan(connector, config, planned, ({ batch, unrepresentable }) => {
          expect(String(batch.schema)).toBe(String(schema));
          for (const { row, column, code } of unrepresentable)
            refused.push({ row: before + row, column: planned.columns[column]?.name ?? '', code });
          batch.schema.fields.forEach((field, i) => {
            if (before === 0) seen.push(field.name);
            const texts = cellTexts(batch.getChildAt(i) as Vector);
            cells += texts.length;
            texts.forEach((text, row) => {
              const source = expectedCell(torture, field.name, before + row);
              if (isSameCell(field.type as DataType, text, source)) return;
              wrong.push({ column: field.name, row: before + row, type: String(field.type), source, text });
            });
          });
          before += batch.numRows;
        });
        return planned;
      });
      expect(wrong).toEqual([]);
      expect(seen).toEqual(Object.keys(torture.expected));
      for (const texts of Object.values(torture.expected)) expect(before).toBe(texts.length);
      expect(refused).toHaveLength(torture.unrepresentable.length);
      expect(refused).toEqual(expect.arrayContaining(torture.unrepresentable));
      const { typed, asText } = typesOf(plan, connector.arrowSchema(plan).fields);
      keep({ typed, asText, cells, equal: cells - refused.length, reported: refused.length });
    },
  );

  suite.test(
    'a right that is taken away while a table is read is a coded error',
    ['revoked'],
    async ({ revoked, config }) => {
      let rows = 0;
      const count = ({ batch }: { batch: { numRows: number } }) => {
        rows += batch.numRows;
      };
      await readTable(connector, config, revoked.request, count);
      expect(rows).toBeGreaterThan(0);
      await withSnapshot(connector, config, async (snapshot) => {
        const plan = await connector.plan(snapshot, revoked.request, one);
        await revoked.revoke();
        try {
          expect((await failureOf(readPlan(connector, config, plan, () => {}))).code).toBe('SOURCE_FORBIDDEN');
        } finally {
          await revoked.restore();
        }
      });
    },
  );
}

/** The source's own text; null where Arrow must hold null. */
function expectedCell(torture: Torture, column: string, row: number): string | null {
  const isRefused = torture.unrepresentable.some((cell) => cell.row === row && cell.column === column);
  return isRefused ? null : (torture.expected[column]?.[row] ?? null);
}

const textTypes = /char|text|string|clob|json|xml|name|enum|uri/i;

/** Each source type once; a type that is text in the source is no worse for being text in Arrow. */
function typesOf(plan: ReadPlan<unknown>, fields: { type: DataType }[]): Pick<Fidelity, 'typed' | 'asText'> {
  const typed = new Set<string>();
  const asText = new Set<string>();
  plan.columns.forEach(({ sourceType }, i) => {
    const isText = Types.isUtf8(fields[i]?.type) && !textTypes.test(sourceType);
    (isText ? asText : typed).add(sourceType);
  });
  return { typed: [...typed].sort(), asText: [...asText].sort() };
}
