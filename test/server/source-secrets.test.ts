/**
 * A source's password is on nobody's record: sources of every kind that has a server here are checked, discovered,
 * inferred from, published and, with a wrong password, not published; then all that Temporal, the log and the catalog
 * keep of it is searched for the password. What one connector says is the conformance kit's affair; here is the whole.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startJsonServer } from '../connectors/http/server.ts';
import { execute } from '../connectors/postgres/support.ts';
import { execute as executeMysql, mariadbMissing, startMariadb } from '../support/mariadb.ts';
import { createDatabase } from '../support/postgres.ts';
import { answerAs } from '../support/tds/database.ts';
import { startTdsServer } from '../support/tds/server.ts';
import * as tds from '../support/tds/types.ts';
import { exchangeFiles, openExchange, type TestExchange } from './exchange.ts';
import { historiesOf } from './histories.ts';
import type { Caller } from './support.ts';

/** ASCII, so that it looks the same in a URL, in a header and in JSON. */
const CANARY = 'canary-5e1b-tianniao';
const WRONG = `${CANARY}-wrong`;

interface Source {
  /** With `env:<kind>` where the secret belongs. */
  connection: Record<string, unknown>;
  close(): Promise<void>;
}

/** Each has a table `visits` of an id and a word, three rows. */
const sources: Record<string, { missing?: string | undefined; open(): Promise<Source> }> = {
  postgres: { open: openPostgres },
  mysql: { missing: mariadbMissing, open: openMysql },
  mssql: { open: openMssql },
  http: { open: openHttp },
};

let exchange: TestExchange;
let engineer: Caller;
beforeAll(async () => {
  exchange = await openExchange();
  engineer = await exchange.as('health', 'engineer');
});
afterAll(() => exchange.close());

describe.each(Object.keys(sources))('%s', (kind) => {
  const { missing, open } = sources[kind]!;

  test('the password is in no workflow history, no log and no row of the catalog', async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const source = await open();
    try {
      await exchange.apply(filesOf(kind, source));
      exchange.secrets[kind] = CANARY;
      expect((await engineer('POST', `/sources/${kind}/check`)).json()).toMatchObject({ ok: true });
      const { tables } = (await engineer('POST', `/sources/${kind}/discover`)).json();
      const found = tables.find(({ name }: { name: string }) => name === 'visits');
      const table = { name: 'visits', ...(found.schema && { schema: found.schema }) };
      const inferred = await engineer('POST', `/sources/${kind}/infer`, {
        body: { table, name: `${kind}-visits`, key: ['id'] },
      });
      expect(inferred.statusCode, inferred.body).toBe(200);
      await exchange.apply({ ...filesOf(kind, source), ...inferred.json().files });
      expect(await publish(`health.${kind}-visits`)).toMatchObject({ state: 'published' });

      exchange.secrets[kind] = WRONG;
      const refused = (await engineer('POST', `/sources/${kind}/check`)).json();
      expect(refused).toMatchObject({ ok: false });
      expect(refused.steps.at(-1)).toMatchObject({ code: 'SOURCE_AUTH' });
      // Of an API the definition tells what it has: it is not asked.
      const again = await engineer('POST', `/sources/${kind}/discover`);
      expect(again.statusCode).toBe(kind === 'http' ? 200 : 502);
      expect(again.body).not.toContain(CANARY);
      const failed = await publish(`health.${kind}-visits`);
      expect(failed).toMatchObject({ state: 'failed' });
      expect(JSON.stringify(failed)).toContain('SOURCE_AUTH');

      const kept = await historiesOf(exchange.temporal);
      // The search sees what it should: the source, the dataset, and why the second run failed.
      for (const there of [`env:${kind}`, `health.${kind}-visits`, 'SOURCE_AUTH']) expect(kept).toContain(there);
      expect(kept).not.toContain(CANARY);
      expect(exchange.log()).not.toContain(CANARY);
      expect(JSON.stringify(await exchange.bench.world.catalog('run').select())).not.toContain(CANARY);
    } finally {
      await source.close();
    }
  });
});

function filesOf(kind: string, { connection }: Source): Record<string, string> {
  const { 'datasets/health/people.yaml': _, 'datasets/health/people.contract.json': __, ...files } = exchangeFiles();
  const definition = { code: kind, department: 'health', kind, title: { zh: kind, en: kind }, connection };
  return { ...files, [`sources/${kind}.yaml`]: JSON.stringify(definition) };
}

async function publish(dataset: string): Promise<{ state: string }> {
  const { id } = (await engineer('POST', `/datasets/${dataset}/runs`, { body: {} })).json();
  let run: { state: string } = { state: 'running' };
  await expect
    .poll(async () => {
      run = (await engineer('GET', `/runs/${id}`)).json();
      return run.state;
    })
    .not.toMatch(/running|queued/);
  return run;
}

async function openPostgres(): Promise<Source> {
  const database = await createDatabase();
  const role = `canary_${randomUUID().slice(0, 8)}`;
  await execute(
    database.url,
    `create table visits (id int primary key, word text); insert into visits values (1, 'a'), (2, 'b'), (3, 'c');
     create role ${role} login password '${CANARY}'; grant select on visits to ${role}`,
  );
  const { hostname, port, pathname } = new URL(database.url);
  return {
    connection: {
      host: hostname,
      port: Number(port),
      database: pathname.slice(1),
      user: role,
      password: 'env:postgres',
    },
    close: async () => {
      await execute(database.url, `drop owned by ${role}; drop role ${role}`);
      await database.drop();
    },
  };
}

async function openMysql(): Promise<Source> {
  const server = await startMariadb();
  const name = `canary_${randomUUID().slice(0, 8)}`;
  await executeMysql(server.url(), `create database ${name}`);
  await executeMysql(
    server.url(name),
    'create table visits (id int primary key, word varchar(9))',
    `insert into visits values (1, 'a'), (2, 'b'), (3, 'c')`,
    `create user ${name} identified by '${CANARY}'`,
    `grant select on ${name}.* to ${name}`,
  );
  return {
    connection: { host: server.host, port: server.port, database: name, user: name, password: 'env:mysql' },
    close: async () => {
      await executeMysql(server.url(), `drop database ${name}`, `drop user ${name}`);
      await server.stop();
    },
  };
}

async function openMssql(): Promise<Source> {
  const columns = [
    { name: 'id', declared: 'int', type: tds.integer(4), nullable: false },
    { name: 'word', declared: 'nvarchar(9)', type: tds.nvarchar(9) },
  ];
  const rows = ['a', 'b', 'c'].map((word, i) => [String(i + 1), word]);
  const visits = { name: 'visits', columns, rows, keys: [{ columns: ['id'], primary: true }] };
  const server = await startTdsServer({
    users: { reader: CANARY },
    databases: ['health'],
    answer: answerAs({ tables: [visits], snapshotIsolation: true }),
  });
  const address = { server: '127.0.0.1', port: server.port, encrypt: false };
  return {
    connection: { ...address, database: 'health', user: 'reader', password: 'env:mssql' },
    close: () => server.close(),
  };
}

async function openHttp(): Promise<Source> {
  const server = await startJsonServer({
    '/visits': (_url, request, response) => {
      if (request.headers.authorization === `Bearer ${CANARY}`)
        return { data: ['a', 'b', 'c'].map((word, i) => ({ id: i + 1, word })) };
      response.statusCode = 401;
      return { error: 'who?' };
    },
  });
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'word', type: 'text' },
  ];
  return {
    connection: {
      url: server.url,
      authentication: { kind: 'bearer', token: 'env:http' },
      tables: [{ name: 'visits', path: '/visits', records: '/data', columns, unique: ['id'] }],
    },
    close: () => server.close(),
  };
}
