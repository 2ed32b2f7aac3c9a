import pg from 'pg';
import { expect, it } from 'vitest';
import { withDatabase } from '../support/postgres.ts';

it('the embedded PostgreSQL speaks UTF-8 and keeps Chinese names', async () => {
  await withDatabase(async (url) => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      await client.query('create table "居民" ("姓名" text)');
      await client.query('insert into "居民" values ($1)', ['欧阳修']);
      const { rows } = await client.query('select "姓名" from "居民"');
      expect(rows).toEqual([{ 姓名: '欧阳修' }]);
    } finally {
      await client.end();
    }
  });
});
