/** Tables of unusual shape: none, many, strange or large of something. */
import type { Vector } from 'apache-arrow';
import { expect } from 'vitest';
import { limits } from '../../lib/limits.ts';
import type { Snapshot, SourceBatch } from '../connector.ts';
import { failureOf, one, readPlan, readTable, withSnapshot } from './reading.ts';
import type { Suite } from './suite.ts';

export function testShapes<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;

  suite.test('a table without rows has its schema', ['empty'], async ({ empty, config }) => {
    let rows = 0;
    const plan = await readTable(connector, config, empty.request, ({ batch }) => {
      rows += batch.numRows;
    });
    expect(rows).toBe(0);
    expect(connector.arrowSchema(plan).fields.map(({ name }) => name)).toEqual(empty.columns);
  });

  suite.test('names are kept as they are', ['names'], async ({ names, config }) => {
    const seen: string[][] = [];
    await readTable(connector, config, names.request, ({ batch }) =>
      seen.push(batch.schema.fields.map(({ name }) => String(name))),
    );
    expect(seen).toEqual([names.columns]);
  });

  suite.test('the widest table', ['wide'], async ({ wide, config }) => {
    const cells: number[] = [];
    await readTable(connector, config, wide.request, ({ batch }) => {
      for (let i = 0; i < batch.numCols; i++) cells.push(Number(batch.getChildAt(i)?.get(0)));
    });
    expect(cells).toEqual(Array.from({ length: wide.columns }, (_, i) => i));
  });

  suite.test('the largest cell is read, a larger one is named', ['bigCell'], async ({ bigCell, config }) => {
    const { fits, tooLarge, column } = bigCell;
    let bytes = 0;
    await readTable(connector, config, fits, ({ batch }) => {
      bytes += (batch.getChild(column) as Vector).data[0]?.values.length;
    });
    expect(bytes).toBe(limits.cellBytesMax);
    const error = await failureOf(readTable(connector, config, tooLarge, () => {}));
    expect(error.code).toBe('CELL_TOO_LARGE');
    expect(error.message).toContain(column);
  });

  suite.test('batches are cut by rows and by bytes', ['large'], async ({ large, config }) => {
    const sizes: { rows: number; bytes: number }[] = [];
    await withSnapshot(connector, config, async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, one);
      const take = ({ batch }: SourceBatch) => sizes.push({ rows: batch.numRows, bytes: batch.data.byteLength });
      await readPlan(connector, config, plan, take, { batchRowsMax: 1_000, batchBytesMax: 20_000 });
    });
    expect(Math.max(...sizes.map(({ rows }) => rows))).toBeLessThanOrEqual(1_000);
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeLessThanOrEqual(20_000);
    expect(sizes.reduce((sum, { rows }) => sum + rows, 0)).toBe(large.rows);
  });
}
