import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** Runs `body` with a new, empty database in the test run's PostgreSQL, and drops it afterwards. */
export async function withDatabase<T>(body: (url: string) => Promise<T>): Promise<T> {
  const database = await createDatabase();
  try {
    return await body(database.url);
  } finally {
    await database.drop();
  }
}

/** For `beforeAll`/`afterAll`, where a callback does not fit. */
export async function createDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const base = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asSuperuser(base, `create database ${name}`);
  const url = new URL(base);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asSuperuser(base, `drop database ${name} with (force)`) };
}

async function asSuperuser(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
