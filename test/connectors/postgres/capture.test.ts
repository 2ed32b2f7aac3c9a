import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CaptureRequest,
  changeOperations,
  type ReadPlan,
  type SourceCapture,
} from '../../../connectors/connector.ts';
import type { PostgresConfig } from '../../../connectors/postgres/config.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { createDatabase } from '../../support/postgres.ts';
import { contextOf } from './support.ts';

const capture = postgres.capture as SourceCapture<PostgresConfig>;
const context = contextOf();
let database: Awaited<ReturnType<typeof createDatabase>>;
let client: pg.Client;
let config: PostgresConfig;
const names: string[] = [];

beforeAll(async () => {
  database = await createDatabase();
  config = { url: database.url };
  client = new pg.Client(database.url);
  await client.connect();
});
afterAll(async () => {
  for (const name of names) await capture.drop(config, requestOf('gone', { name }), context);
  await client.end();
  await database.drop();
});

function requestOf(table: string, more: Partial<CaptureRequest> = {}): CaptureRequest {
  const name = `huitong_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
  return { table: { schema: 'public', name: table }, key: ['id'], name, ...more };
}

async function started(request: CaptureRequest): Promise<{ plan: ReadPlan; rows: string[]; position: string }> {
  names.push(request.name);
  const { snapshot, position } = await capture.start(config, request, context);
  try {
    const plan = await postgres.plan(snapshot as never, request, { partitions: 1 });
    const rows: string[] = [];
    for (const partition of plan.partitions) {
      const read = { plan, partition, batchRowsMax: 1000, batchBytesMax: 1 << 20 };
      for await (const { batch } of postgres.read(config, read, context)) rows.push(...textOf(batch));
    }
    return { plan, rows, position };
  } finally {
    await snapshot.close();
  }
}

interface Told {
  changes: [operation: string, row: string][];
  position: string;
  batches: number;
}

const operationNames = Object.keys(changeOperations);

async function changes(
  request: CaptureRequest,
  { plan, position: after }: { plan: ReadPlan; position: string },
  more: { changesMax?: number; batchRowsMax?: number } = {},
): Promise<Told> {
  const told: Told = { changes: [], position: after, batches: 0 };
  const read = {
    capture: request,
    plan,
    after,
    changesMax: 1_000_000,
    batchRowsMax: 1000,
    batchBytesMax: 1 << 20,
    ...more,
  };
  for await (const { batch, operations, position } of capture.readChanges(config, read, context)) {
    textOf(batch).forEach((row, i) => told.changes.push([operationNames[operations[i]!]!, row]));
    if (position !== undefined) told.position = position;
    told.batches++;
  }
  return told;
}

const textOf = (batch: import('apache-arrow').RecordBatch) =>
  [...batch].map((row) =>
    JSON.stringify(Object.values(row.toJSON()), (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
  );

describe('changes of a PostgreSQL table', () => {
  test('are told after the snapshot, in the order of commits; aborted ones are not; telling takes nothing', async () => {
    await client.query('create table people (id bigint primary key, name varchar(20), born date)');
    await client.query(`insert into people values (1, '张三', '2000-01-01'), (2, '李四', null)`);
    const request = requestOf('people');
    const first = await started(request);
    expect(first.rows).toHaveLength(2);
    expect(await changes(request, first)).toMatchObject({ changes: [], batches: 1 });
    await client.query(
      `begin; insert into people values (3, '王五', 'infinity'); update people set name = '张' where id = 1; commit`,
    );
    await client.query(`begin; delete from people; rollback`);
    await client.query('update people set id = 20 where id = 2; delete from people where id = 3');
    const told = await changes(request, first, { batchRowsMax: 2 });
    expect(told.changes.map(([operation]) => operation)).toEqual(['insert', 'update', 'delete', 'insert', 'delete']);
    expect(told.changes[3]![1]).toContain('李四');
    expect(told.batches).toBeGreaterThan(2);
    expect(await changes(request, first)).toMatchObject({ changes: told.changes });
    await capture.acknowledge(config, request, told.position, context);
    await capture.acknowledge(config, request, told.position, context);
    expect((await changes(request, { ...first, position: told.position })).changes).toEqual([]);
    await expect(changes(request, first)).rejects.toMatchObject({ code: 'CAPTURE_LOST' });
    await client.query('truncate people');
  });
});
