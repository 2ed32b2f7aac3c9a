/**
 * The suite that every connector passes. In a test file: `testConnector(connector, prepare)`, where `prepare` fills a
 * real source and describes it. What a connector declares in `capabilities` decides what it is held to.
 */
import { inspect } from 'node:util';
import type { DataType, Vector } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Connector, ReadPlan, Snapshot, SourceBatch, TableRequest } from '../connector.ts';
import type { Fixture } from './fixture.ts';
import { isSameCell, renderCell } from './render.ts';

const CANCEL_MS_MAX = 2_000;

export interface Prepared<Config> {
  fixture: Fixture<Config>;
  close(): Promise<void>;
}

export function testConnector<Config, S extends Snapshot, Partition>(
  connector: Connector<Config, S, Partition>,
  prepare: () => Promise<Prepared<Config>>,
): void {
  let prepared: Prepared<Config>;
  beforeAll(async () => {
    prepared = await prepare();
  });
  afterAll(() => prepared.close());
  const subject: Subject<Config, S, Partition> = { connector, fixture: () => prepared.fixture };

  describe(`connector ${connector.kind}`, () => {
    testConnecting(subject);
    testReading(subject);
    testShapes(subject);
    testStopping(subject);
  });
}

interface Subject<Config, S extends Snapshot, Partition> {
  connector: Connector<Config, S, Partition>;
  fixture(): Fixture<Config>;
}

function testConnecting<C, S extends Snapshot, P>({ connector, fixture }: Subject<C, S, P>): void {
  test('check reports every step of a good connection', async () => {
    const report = await connector.check(fixture().config, quiet());
    expect(report).toMatchObject({ ok: true, server: expect.stringMatching(/\d/) });
    expect(report.steps.every((step) => step.ok)).toBe(true);
    expect(inspect(report, { depth: 9 })).not.toContain(fixture().canary);
  });

  test('a bad connection fails at its step, with a code and without secrets', async () => {
    for (const { name, config, step, code } of fixture().failures) {
      const report = await connector.check(config, quiet());
      expect(report.steps.at(-1), name).toMatchObject({ name: step, ok: false, code });
      const error = await failureOf(connector.openSnapshot(config, quiet()));
      expect(error.code, name).toBe(code);
      expect(inspect([report, error], { depth: 9, showHidden: true }), name).not.toContain(fixture().canary);
    }
  });

  test('discover shows tables, columns, types and keys', async () => {
    const { large, names, config } = fixture();
    const tables = await connector.discover(config, quiet());
    const table = tables.find(({ name }) => name === large.request.table.name);
    expect(table?.uniqueKeys).toContainEqual([large.idColumn]);
    expect(table?.columns.find(({ name }) => name === large.idColumn)?.arrowType).toMatch(/^Int/);
    const named = tables.find(({ name }) => name === names.request.table.name);
    expect(named?.columns.map(({ name }) => name)).toEqual(names.columns);
  });

  test('what is missing or forbidden is said at planning', async () => {
    for (const { request, code } of fixture().missing) {
      const error = await withSnapshot(connector, fixture(), (snapshot) =>
        failureOf(connector.plan(snapshot, request, one)),
      );
      expect(error.code, request.table.name).toBe(code);
    }
  });

  test('unmapped types are refused at planning, all at once and by name', async () => {
    const { request, columns } = fixture().unmapped;
    await withSnapshot(connector, fixture(), async (snapshot) => {
      const error = await failureOf(connector.plan(snapshot, request, one));
      expect(error.code).toBe('TYPE_UNMAPPED');
      for (const column of columns) expect(error.message).toContain(column);
      const overrides = Object.fromEntries(columns.map((column) => [column, { as: 'skip' as const }]));
      const plan = await connector.plan(snapshot, { ...request, overrides }, one);
      expect(plan.columns.map(({ name }) => name)).not.toEqual(expect.arrayContaining(columns));
    });
  });
}

function testReading<C, S extends Snapshot, P>({ connector, fixture }: Subject<C, S, P>): void {
  const { snapshot: kept, partitioning } = connector.capabilities;

  test.runIf(kept !== 'none')('partitions together are the table, once, while others write to it', async () => {
    const { large, disturb } = fixture();
    const disturbance = disturb();
    try {
      await withSnapshot(connector, fixture(), async (snapshot) => {
        const totals = await snapshot.controlTotals(large.request);
        const plan = await connector.plan(snapshot, large.request, { partitions: large.partitions });
        expect(plan.partitions.length).toBe(partitioning ? large.partitions : 1);
        const ids: bigint[] = [];
        await readPlan(connector, fixture(), structuredClone(plan), ({ batch }) => {
          for (const id of batch.getChild(large.idColumn) ?? []) ids.push(BigInt(id));
        });
        expect(ids.length).toBe(totals?.rows);
        expect(new Set(ids).size).toBe(totals?.rows);
        expect(String(ids.reduce((sum, id) => sum + id, 0n))).toBe(totals?.sums[large.idColumn]);
        await snapshot.assertAlive();
      });
    } finally {
      expect(await disturbance.stop()).toBeGreaterThan(0);
    }
  });

  test('a partition that was left half-way is read again, the same', async () => {
    const { large, config } = fixture();
    await withSnapshot(connector, fixture(), async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, one);
      const partition = plan.partitions[0] as P;
      const request = { plan, partition, batchRowsMax: 100, batchBytesMax: limits.batchBytesMax };
      const first: string[] = [];
      for await (const { batch } of connector.read(config, request, quiet())) {
        first.push(...rowTexts(batch.getChild(large.idColumn)).map(String));
        break;
      }
      const again: string[] = [];
      await readPlan(connector, fixture(), plan, ({ batch }) =>
        again.push(...rowTexts(batch.getChild(large.idColumn)).map(String)),
      );
      expect(first).toHaveLength(100);
      expect(again.slice(0, 100)).toEqual(first);
    });
  });

  test.runIf(kept === 'exported')('without its snapshot nothing is read', async () => {
    const { large } = fixture();
    const plan = await withSnapshot(connector, fixture(), (snapshot) => connector.plan(snapshot, large.request, one));
    const error = await failureOf(readPlan(connector, fixture(), plan, () => {}));
    expect(error.code).toBe('SNAPSHOT_LOST');
  });

  test('every type keeps every value, or says which cell it cannot keep', async () => {
    const { torture } = fixture();
    const cells: Record<string, (string | null)[]> = {};
    const wrong: unknown[] = [];
    const refused: unknown[] = [];
    await withSnapshot(connector, fixture(), async (snapshot) => {
      const plan = await connector.plan(snapshot, torture.request, one);
      await readPlan(connector, fixture(), plan, ({ batch, unrepresentable }) => {
        for (const { row, column, code } of unrepresentable)
          refused.push({ row, column: plan.columns[column]?.name, code });
        batch.schema.fields.forEach((field, i) => {
          const vector = batch.getChildAt(i) as Vector;
          cells[field.name] = rowTexts(vector) as string[];
          const expected = torture.expected[field.name] ?? [];
          cells[field.name]?.forEach((text, row) => {
            const isRefused = torture.unrepresentable.some((cell) => cell.row === row && cell.column === field.name);
            const source = isRefused ? null : (expected[row] ?? null);
            if (!isSameCell(field.type as DataType, text, source)) {
              wrong.push({ column: field.name, type: String(field.type), source, text });
            }
          });
        });
      });
    });
    expect(wrong).toEqual([]);
    expect(Object.keys(cells)).toEqual(Object.keys(torture.expected));
    expect(refused).toHaveLength(torture.unrepresentable.length);
    expect(refused).toEqual(expect.arrayContaining(torture.unrepresentable));
  });
}

function testShapes<C, S extends Snapshot, P>({ connector, fixture }: Subject<C, S, P>): void {
  const readOne = (request: TableRequest, take: (batch: SourceBatch) => void) =>
    withSnapshot(connector, fixture(), async (snapshot) => {
      const plan = await connector.plan(snapshot, request, one);
      await readPlan(connector, fixture(), plan, take);
      return plan;
    });

  test('a table without rows has its schema', async () => {
    const { request, columns } = fixture().empty;
    let rows = 0;
    const plan = await readOne(request, ({ batch }) => {
      rows += batch.numRows;
    });
    expect(rows).toBe(0);
    expect(connector.arrowSchema(plan).fields.map(({ name }) => name)).toEqual(columns);
  });

  test('names are kept as they are', async () => {
    const { request, columns } = fixture().names;
    const seen: string[][] = [];
    await readOne(request, ({ batch }) => seen.push(batch.schema.fields.map(({ name }) => String(name))));
    expect(seen).toEqual([columns]);
  });

  test('the widest table', async () => {
    const { request, columns } = fixture().wide;
    const cells: number[] = [];
    await readOne(request, ({ batch }) => {
      for (let i = 0; i < batch.numCols; i++) cells.push(Number(batch.getChildAt(i)?.get(0)));
    });
    expect(cells).toEqual(Array.from({ length: columns }, (_, i) => i));
  });

  test('the largest cell is read, a larger one is named', async () => {
    const { fits, tooLarge, column } = fixture().bigCell;
    let bytes = 0;
    await readOne(fits, ({ batch }) => {
      bytes += (batch.getChild(column) as Vector).data[0]?.values.length;
    });
    expect(bytes).toBe(limits.cellBytesMax);
    const error = await failureOf(readOne(tooLarge, () => {}));
    expect(error.code).toBe('CELL_TOO_LARGE');
    expect(error.message).toContain(column);
  });

  test('batches are cut by rows and by bytes', async () => {
    const { large } = fixture();
    const sizes: { rows: number; bytes: number }[] = [];
    await withSnapshot(connector, fixture(), async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, one);
      const take = ({ batch }: SourceBatch) => sizes.push({ rows: batch.numRows, bytes: batch.data.byteLength });
      await readPlan(connector, fixture(), plan, take, { batchRowsMax: 1_000, batchBytesMax: 20_000 });
    });
    expect(Math.max(...sizes.map(({ rows }) => rows))).toBeLessThanOrEqual(1_000);
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeLessThanOrEqual(20_000);
    expect(sizes.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(large.rows);
  });
}

function testStopping<C, S extends Snapshot, P>({ connector, fixture }: Subject<C, S, P>): void {
  test('cancellation ends the read and the work in the source', async () => {
    const { slow, config, busyStatements } = fixture();
    await withSnapshot(connector, fixture(), async (snapshot) => {
      const plan = await connector.plan(snapshot, slow, one);
      const canceller = new AbortController();
      const reading = failureOf(readPlan(connector, fixture(), plan, () => {}, {}, canceller.signal));
      await eventually(async () => (await busyStatements()) > 0);
      const cancelledAt = Date.now();
      canceller.abort();
      expect((await reading).code).toBe('CANCELLED');
      await eventually(async () => (await busyStatements()) === 0);
      expect(Date.now() - cancelledAt).toBeLessThan(CANCEL_MS_MAX);
    });
    const late = new AbortController();
    late.abort();
    expect((await failureOf(connector.openSnapshot(config, { ...quiet(), signal: late.signal }))).code).toBe(
      'CANCELLED',
    );
  });

  test('a snapshot closes itself when its owner is cancelled', async () => {
    const owner = new AbortController();
    const snapshot = await connector.openSnapshot(fixture().config, { ...quiet(), signal: owner.signal });
    await snapshot.assertAlive();
    owner.abort();
    expect(['SNAPSHOT_LOST', 'CANCELLED']).toContain((await failureOf(snapshot.assertAlive())).code);
    await snapshot.close();
  });
}

const one = { partitions: 1 };

function quiet() {
  return { signal: new AbortController().signal, label: 'huitong/conformance', loopbackAllowed: true };
}

async function withSnapshot<C, S extends Snapshot, P, T>(
  connector: Connector<C, S, P>,
  fixture: Fixture<C>,
  body: (snapshot: S) => Promise<T>,
): Promise<T> {
  const snapshot = await connector.openSnapshot(fixture.config, quiet());
  try {
    return await body(snapshot);
  } finally {
    await snapshot.close();
  }
}

async function readPlan<C, S extends Snapshot, P>(
  connector: Connector<C, S, P>,
  fixture: Fixture<C>,
  plan: ReadPlan<P>,
  take: (batch: SourceBatch) => void,
  cut: { batchRowsMax?: number; batchBytesMax?: number } = {},
  signal = quiet().signal,
): Promise<void> {
  const { batchRowsMax = limits.batchRowsMax, batchBytesMax = limits.batchBytesMax } = cut;
  for (const partition of plan.partitions) {
    const request = { plan, partition, batchRowsMax, batchBytesMax };
    for await (const batch of connector.read(fixture.config, request, { ...quiet(), signal })) take(batch);
  }
}

function rowTexts(vector: Vector | null): (string | null)[] {
  return vector === null ? [] : Array.from({ length: vector.length }, (_, row) => renderCell(vector, row));
}

/** The error that must come. */
async function failureOf(work: Promise<unknown>): Promise<HuitongError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(HuitongError);
  return outcome as HuitongError;
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
