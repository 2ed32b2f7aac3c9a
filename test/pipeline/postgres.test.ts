/** The whole of a department's side, with real PostgreSQL, the real connector and the real contract compiler. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { readAtOf, readBatches } from '../../columnar/read.ts';
import type { Connector } from '../../connectors/connector.ts';
import { postgres } from '../../connectors/postgres/index.ts';
import { generateBoxKeys } from '../../lib/sealed-box.ts';
import { extract } from '../../pipeline/extract.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import { withDatabase } from '../support/postgres.ts';
import { withStaging } from './staging-server.ts';

const ROWS = 30_000;
const TABLE = `
  create table "居民" (id bigint, name text, age integer, income numeric(12,2), seen timestamptz);
  insert into "居民"
    select case when n = 20000 then 7 else n end, '居民' || n, case when n % 10000 = 1 then -1 else n % 90 end,
           n / 7.0, '2020-01-01Z'::timestamptz + n * interval '1 minute'
    from generate_series(1, ${ROWS}) n`;

test('a table’s good rows are published and its bad rows found; counts and sums agree with SQL', async () => {
  await withDatabase(async (url) => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      await client.query(TABLE);
      const { rows } = await client.query(
        `select sum(id)::text as id, sum(income)::text as income from "居民" where age >= 0 and name <> '居民20000'`,
      );
      const assignment = {
        runId: 'run-1',
        dataset: 'health.residents',
        department: 'health',
        source: { code: 'health.db', kind: 'postgres', connection: { url } },
        table: { name: '居民' },
        contract: {
          version: '1.0.0',
          key: ['id'],
          type: 'object',
          properties: {
            id: { type: 'integer' },
            name: { type: 'string' },
            age: { type: 'integer', minimum: 0 },
            income: { type: 'number' },
            seen: { type: 'string', format: 'date-time' },
          },
        },
        plan: { partitions: 2, controlTotals: true },
        quarantineKey: generateBoxKeys().publicKey,
      };
      await withStaging(assignment, async (staging) => {
        const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
        const connector = postgres as Connector;
        const { report } = await extract({ session, connector, config: { url }, signal: new AbortController().signal });
        expect(report).toMatchObject({
          rowsRead: ROWS,
          rowsPublished: ROWS - 4,
          quarantinedByCode: { MINIMUM: 3, DUPLICATE_KEY: 1 },
          guarantee: 'snapshot',
          plan: { unreconciled: {}, keyUniqueness: 'checked after reading' },
        });
        expect(report.sums).toMatchObject(rows[0]);
        expect(report.controlTotals?.rows).toBe(ROWS);
        let published = 0;
        for (const part of report.parts) {
          const { bytes } = staging.objects.get(part.digest)!;
          for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) published += batch.numRows;
        }
        expect(published).toBe(ROWS - 4);
      });
    } finally {
      await client.end();
    }
  });
});
