/**
 * Against a real SQL Server, where MSSQL_URL names one (docker-compose's profile `mssql` starts it) whose user may create
 * tables: what the test server cannot prove, the SQL itself and the server's own bytes.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MssqlConfig } from '../../../connectors/mssql/config.ts';
import { type Connection, openConnection } from '../../../connectors/mssql/connection.ts';
import { mssql } from '../../../connectors/mssql/index.ts';
import { typeCases } from './cases.ts';
import { quiet, readTexts } from './support.ts';
import { tortureOf } from './torture.ts';

const url = process.env.MSSQL_URL;
const title = `a real SQL Server${url === undefined ? ' (skipped: MSSQL_URL is not set)' : ''}`;

/** Values that the server takes as text; the others need literals of their own. */
const literalTypes =
  /^(bit|tinyint|smallint|int|bigint|decimal|numeric|money|smallmoney|date|time|datetime|uniqueidentifier|nvarchar|nchar)/;

describe.skipIf(url === undefined)(title, () => {
  const config: MssqlConfig = { url: url ?? '', trustServerCertificate: true };
  const name = `huitong 表 ${randomUUID()}`;
  const table = { schema: 'dbo', name };
  const cases = typeCases.filter(({ declared }) => literalTypes.test(declared));
  const torture = tortureOf(name, cases, true);
  const rowCount = (torture.table.rows?.length ?? 0) - 1;
  let connection: Connection;

  beforeAll(async () => {
    connection = await openConnection(config, quiet());
    const columns = cases.map(({ declared }, i) => `[c${i}] ${declared}`).join(', ');
    await connection.query(`create table dbo.[${name}] ([id] int not null primary key, ${columns})`);
    for (let row = 0; row < rowCount; row++) {
      const values = cases.map(({ values: all, declared }) => {
        const value = (all[row % all.length] ?? '').replaceAll("'", "''");
        return `cast(N'${value}' as ${declared})`;
      });
      await connection.query(`insert into dbo.[${name}] values (${row}, ${values.join(', ')})`);
    }
    await connection.query(`insert into dbo.[${name}] ([id]) values (${rowCount})`);
  });

  afterAll(async () => {
    await connection.query(`drop table dbo.[${name}]`);
    await connection.close();
  });

  test('check, discover, and totals', async () => {
    expect(await mssql.check(config, quiet())).toMatchObject({ ok: true, server: expect.stringMatching(/\d+\.\d+/) });
    const found = (await mssql.discover(config, quiet())).find((one) => one.name === name);
    expect(found).toMatchObject({ ...table, primaryKey: ['id'] });
    const snapshot = await mssql.openSnapshot(config, quiet());
    const totals = await snapshot.controlTotals({ table, columns: ['id'] });
    await snapshot.close();
    expect(totals).toEqual({ rows: rowCount + 1, sums: { id: String((rowCount * (rowCount + 1)) / 2) } });
  });

  test('every value comes back as it was written', async () => {
    const { rows, unrepresentable } = await readTexts(config, { table });
    expect(unrepresentable).toEqual([]);
    const byId = new Map(rows.map(([id, ...cells]) => [Number(id), cells]));
    for (let row = 0; row <= rowCount; row++) {
      const expected = Object.values(torture.expected).map((cells) => cells[row]);
      expect(byId.get(row), `row ${row}`).toEqual(expected);
    }
  });

  test('a long query ends when it is cancelled', async () => {
    const stop = new AbortController();
    const waiting = openConnection(config, quiet(stop.signal)).then((other) => other.query(`waitfor delay '00:01:00'`));
    setTimeout(() => stop.abort(), 500);
    const startedAt = Date.now();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});
