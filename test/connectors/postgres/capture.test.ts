import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordBatch, Vector } from 'apache-arrow';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderCell } from '../../../connectors/conformance/render.ts';
import {
  type CaptureRequest,
  changeOperations,
  type ReadPlan,
  type SourceCapture,
} from '../../../connectors/connector.ts';
import type { PostgresConfig } from '../../../connectors/postgres/config.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { startPostgres } from '../../../runtime/embedded/postgres.ts';
import { createDatabase } from '../../support/postgres.ts';
import { contextOf } from './support.ts';
import { columns, preparation } from './torture.ts';

const capture = postgres.capture as SourceCapture<PostgresConfig>;
const context = contextOf();
let database: Awaited<ReturnType<typeof createDatabase>>;
let client: pg.Client;
let config: PostgresConfig;
const names: string[] = [];

// A new slot waits for every transaction of the server, other tests' too.

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

async function started(
  request: CaptureRequest,
): Promise<{ plan: ReadPlan; rows: (string | null)[][]; position: string }> {
  names.push(request.name);
  const { snapshot, position } = await capture.start(config, request, context);
  try {
    const plan = await postgres.plan(snapshot as never, request, { partitions: 1 });
    const rows: (string | null)[][] = [];
    for (const partition of plan.partitions) {
      const read = { plan, partition, batchRowsMax: 1000, batchBytesMax: 1 << 20 };
      for await (const { batch } of postgres.read(config, read, context)) rows.push(...rowsOf(batch));
    }
    return { plan, rows, position };
  } finally {
    await snapshot.close();
  }
}

interface Told {
  changes: [operation: string, ...cells: (string | null)[]][];
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
  const limits = { changesMax: 1_000_000, batchRowsMax: 1000, batchBytesMax: 1 << 20, ...more };
  for await (const { batch, operations, position } of capture.readChanges(
    config,
    { capture: request, plan, after, ...limits },
    context,
  )) {
    expect(operations).toHaveLength(batch.numRows);
    for (const [i, cells] of rowsOf(batch).entries()) told.changes.push([operationNames[operations[i]!]!, ...cells]);
    if (position !== undefined) told.position = position;
    told.batches++;
  }
  return told;
}

function rowsOf(batch: RecordBatch): (string | null)[][] {
  return Array.from({ length: batch.numRows }, (_, row) =>
    batch.schema.fields.map((_field, column) => renderCell(batch.getChildAt(column) as Vector, row)),
  );
}

describe('changes of a PostgreSQL table', () => {
  test('are told after the snapshot, in the order of commits; aborted ones are not; telling takes nothing', async () => {
    await client.query('create table people (id bigint primary key, name varchar(20), born date)');
    await client.query(`insert into people values (1, '张三', '2000-01-01'), (2, '李四', null)`);
    const request = requestOf('people');
    const first = await started(request);
    expect(first.rows).toEqual([
      ['1', '张三', '2000-01-01'],
      ['2', '李四', null],
    ]);
    expect(await changes(request, first)).toMatchObject({ changes: [], batches: 1 });
    await client.query(
      `begin; insert into people values (3, '王五', 'infinity'); update people set name = '张' where id = 1; commit`,
    );
    await client.query('begin; delete from people; rollback');
    await client.query('begin; update people set id = 20 where id = 2; delete from people where id = 3; commit');
    const told = await changes(request, first, { batchRowsMax: 2 });
    expect(told.changes).toEqual([
      ['insert', '3', '王五', null],
      ['update', '1', '张', '2000-01-01'],
      ['delete', '2', null, null],
      ['insert', '20', '李四', null],
      ['delete', '3', null, null],
    ]);
    expect(told.batches).toBe(3);
    expect(await changes(request, first)).toMatchObject({ changes: told.changes });
    // A version takes whole transactions only; what is left over is the next one's.
    const part = await changes(request, first, { changesMax: 1 });
    expect(part.changes).toEqual(told.changes.slice(0, 2));
    const rest = await changes(request, { ...first, position: part.position });
    expect(rest.changes).toEqual(told.changes.slice(2));
    await capture.acknowledge(config, request, told.position, context);
    await capture.acknowledge(config, request, told.position, context);
    const next = { ...first, position: told.position };
    expect((await changes(request, next)).changes).toEqual([]);
    await client.query('truncate people; insert into people values (7, null, null)');
    expect((await changes(request, next)).changes).toEqual([
      ['truncate', null, null, null],
      ['insert', '7', null, null],
    ]);
    expect(await capture.lag(config, request, told.position, context)).toMatchObject({ readable: true });
    // The slot was moved beyond what is asked for: nothing may be told as if it were all.
    expect(await capture.lag(config, request, first.position, context)).toEqual({ readable: false });
    await expect(changes(request, first)).rejects.toMatchObject({ code: 'CAPTURE_LOST' });
  });

  test('that are large leave untouched values out of the log: they are whole under FULL, never null, and demanded before', async () => {
    await client.query('create table papers (id int primary key, body text, state int)');
    await client.query(`alter table papers alter body set storage external`);
    const request = requestOf('papers');
    await expect(started(request)).rejects.toMatchObject({
      code: 'CAPTURE_UNAVAILABLE',
      message: expect.stringContaining('alter table "public"."papers" replica identity full'),
    });
    await client.query('alter table papers replica identity full');
    const first = await started(request);
    const large = '长'.repeat(100_000);
    await client.query('insert into papers values (1, $1, 0)', [large]);
    await client.query('update papers set state = 1');
    await client.query('update papers set id = 2');
    const told = await changes(request, first);
    expect(told.changes).toEqual([
      ['insert', '1', large, '0'],
      ['update', '1', large, '1'],
      ['delete', '1', null, null],
      ['insert', '2', large, '1'],
    ]);
    // Another identity: what the log holds from now on may be less.
    await client.query('alter table papers replica identity default');
    expect(await capture.lag(config, request, told.position, context)).toMatchObject({ readable: false });
  });

  test('of every type are the same as a full read of them, cell by cell', async () => {
    const told = columns
      .map((column, i) => ({ ...column, name: `c${i}` }))
      .filter(({ type }) => !/^(xml|interval\[\])$/.test(type));
    const rows = Math.max(...told.map(({ values }) => values.length)) + 1;
    await client.query(preparation);
    await client.query(
      `create table torture (id int primary key, ${told.map(({ name, type }) => `${name} ${type}`).join(', ')}, yes bool);
       alter table torture replica identity full`,
    );
    const overrides = Object.fromEntries(
      told.flatMap(({ name, override }) => (override === undefined ? [] : [[name, override]])),
    );
    const request = requestOf('torture', { overrides: { ...overrides, yes: { as: 'text' } } });
    const first = await started(request);
    for (let row = 0; row < rows; row++) {
      const cells = [row, ...told.map(({ values }) => values[row] ?? null), row % 2 === 0];
      await client.query(`insert into torture values (${cells.map((_, i) => `$${i + 1}`).join(', ')})`, cells);
    }
    const { changes: captured } = await changes(request, first);
    const full = await started(requestOf('torture', { overrides: request.overrides }));
    expect(captured.map(([, ...cells]) => cells)).toEqual(full.rows);
    expect(full.rows).toHaveLength(rows);
    expect(full.rows[0]?.at(-1)).toBe('true');
  });
});

test('a run that lost its lease and still reads the slot is ended by the one that comes after it', async () => {
  await client.query('create table held (id int primary key)');
  const request = requestOf('held');
  const first = await started(request);
  await client.query('insert into held values (1)');
  const options: pg.ClientConfig = { connectionString: database.url };
  const zombie = new pg.Client({ ...options, ...{ replication: 'database' } });
  const ended = new Promise((resolve) => zombie.once('error', resolve));
  await zombie.connect();
  const stream = `START_REPLICATION SLOT ${request.name} LOGICAL 0/0 (proto_version '1', publication_names '${request.name}')`;
  zombie.query(stream).catch(() => {});
  const active = 'select from pg_replication_slots where slot_name = $1 and active_pid is not null';
  await expect.poll(async () => (await client.query(active, [request.name])).rows).toHaveLength(1);
  await expect(changes(request, first)).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
  await capture.acknowledge(config, request, first.position, context);
  expect((await changes(request, first)).changes).toEqual([['insert', '1']]);
  await ended;
  await zombie.end().catch(() => {});
});

describe('a table that is changed itself', () => {
  test.each([
    ['a column dropped and added again', 'alter table t drop column name; alter table t add column name varchar(9)'],
    ['a type changed', 'alter table t alter column name type varchar(3) using left(name, 3)'],
    ['made anew', 'drop table t; create table t (id int primary key, name varchar(9))'],
  ])('%s: SCHEMA_DRIFT, the slot is given up, and the next run begins anew', async (_what, ddl) => {
    await client.query(`drop table if exists t; create table t (id int primary key, name varchar(9))`);
    await client.query(`insert into t values (1, '张三李四')`);
    const request = requestOf('t');
    const first = await started(request);
    await client.query(`update t set name = '张三' where id = 1`);
    expect((await changes(request, first)).changes).toEqual([['update', '1', '张三']]);
    expect(await capture.lag(config, request, first.position, context)).toMatchObject({ readable: true });
    await client.query(ddl);
    expect(await capture.lag(config, request, first.position, context)).toMatchObject({ readable: false });
    await expect(changes(request, first)).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
    const { rows } = await client.query('select from pg_replication_slots where slot_name = $1', [request.name]);
    expect(rows).toHaveLength(0);
  });

  test('by a type that was changed and changed back: the log says so, though the catalog does not', async () => {
    await client.query('drop table if exists t; create table t (id int primary key, size int)');
    const request = requestOf('t');
    const first = await started(request);
    await client.query(
      'alter table t alter size type bigint; insert into t values (1, 2); alter table t alter size type int',
    );
    await client.query('insert into t values (2, 3)');
    expect(await capture.lag(config, request, first.position, context)).toMatchObject({ readable: true });
    await expect(changes(request, first)).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' });
    expect(await capture.lag(config, request, first.position, context)).toEqual({ readable: false });
  });

  test('by columns that nobody asked for goes on', async () => {
    await client.query('drop table if exists t; create table t (id int primary key, name varchar(9))');
    const request = requestOf('t', { columns: ['name', 'id'] });
    const first = await started(request);
    await client.query(`alter table t add column more int default 5; insert into t values (1, '张三')`);
    expect((await changes(request, first)).changes).toEqual([['insert', '张三', '1']]);
  });
});

describe('what cannot be captured', () => {
  test.each([
    ['no key', 'create table x (id int)', 'does not tell id of the contract’s key'],
    [
      'identity nothing',
      'create table x (id int primary key); alter table x replica identity nothing',
      'identity full',
    ],
    ['a view', 'create view x as select 1 as id', 'no ordinary table'],
    ['a partitioned table', 'create table x (id int primary key) partition by range (id)', 'is partitioned'],
    ['an unlogged table', 'create unlogged table x (id int primary key)', 'set logged'],
    ['heirs', 'create table x (id int primary key); create table y () inherits (x)', 'inherit'],
    ['a generated column', 'create table x (id int primary key, b int generated always as (id) virtual)', 'generated'],
    ['xml', 'create table x (id int primary key, b xml); alter table x replica identity full', 'xml'],
  ])('%s is told before anything is read, with what to run', async (_what, ddl, message) => {
    await client.query(
      `drop schema if exists bad cascade; create schema bad; set search_path = bad; ${ddl}; reset search_path`,
    );
    const request = requestOf('x', { table: { schema: 'bad', name: 'x' } });
    await expect(started(request)).rejects.toMatchObject({
      code: 'CAPTURE_UNAVAILABLE',
      message: expect.stringContaining(message),
    });
    const { rows } = await client.query('select from pg_replication_slots where slot_name = $1', [request.name]);
    expect(rows).toHaveLength(0);
  });

  test('a unique index in place of a primary key is enough where it is the replica identity', async () => {
    await client.query(`create table indexed (id int not null, b int);
      create unique index indexed_id on indexed (id); alter table indexed replica identity using index indexed_id`);
    const request = requestOf('indexed');
    const first = await started(request);
    await client.query(
      'insert into indexed values (1, 2); update indexed set b = 3; update indexed set id = 9; delete from indexed',
    );
    expect((await changes(request, first)).changes).toEqual([
      ['insert', '1', '2'],
      ['update', '1', '3'],
      ['delete', '1', null],
      ['insert', '9', '3'],
      ['delete', '9', null],
    ]);
  });

  test('a user who may not publish or replicate is told the statements; with them it works', async () => {
    const role = `reader_${randomUUID().slice(0, 8)}`;
    await client.query(
      `create table given (id int primary key); create role ${role} login password 'geheim'; grant select on given to ${role}`,
    );
    const url = new URL(database.url);
    url.username = role;
    url.password = 'geheim';
    const reader = { url: url.href };
    const request = requestOf('given');
    const statement = `create publication "${request.name}" for table only "public"."given" with (publish_generated_columns = stored)`;
    try {
      await expect(capture.start(reader, request, context)).rejects.toMatchObject({
        code: 'CAPTURE_UNAVAILABLE',
        message: expect.stringContaining(statement),
      });
      await client.query(statement);
      await expect(capture.start(reader, request, context)).rejects.toMatchObject({
        code: 'CAPTURE_UNAVAILABLE',
        message: expect.stringContaining('replication'),
      });
      await client.query(`alter role ${role} replication`);
      const { snapshot, position } = await capture.start(reader, request, context);
      await snapshot.close();
      expect(await capture.lag(reader, request, position, context)).toMatchObject({ readable: true });
      await capture.drop(reader, request, context);
      expect(await capture.lag(reader, request, position, context)).toEqual({ readable: false });
    } finally {
      await client.query(`drop publication if exists "${request.name}"; drop owned by ${role}; drop role ${role}`);
    }
  });

  test('a server with another wal_level is told what to set', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'huitong-wal-'));
    const server = await startPostgres({ directory, settings: ['fsync=off', 'wal_level=replica'] });
    try {
      const url = await server.database('health');
      const other = new pg.Client(url);
      await other.connect();
      await other.query('create table x (id int primary key)');
      await other.end();
      await expect(capture.start({ url }, requestOf('x'), context)).rejects.toMatchObject({
        code: 'CAPTURE_UNAVAILABLE',
        message: expect.stringContaining('alter system set wal_level = logical'),
      });
    } finally {
      await server.stop();
      await rm(directory, { recursive: true });
    }
  });
});
