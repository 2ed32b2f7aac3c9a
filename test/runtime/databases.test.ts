import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it } from 'vitest';
import { readPlanted } from '../../runtime/demo/check.ts';
import { type DepartmentDatabase, fillDatabases } from '../../runtime/demo/databases.ts';
import { startPostgres } from '../../runtime/embedded/postgres.ts';

const district = join(import.meta.dirname, '..', '..', 'districts', 'longhua');

async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The district's databases and logins have fixed names, so they get a server of their own. */
async function withDatabases<T>(
  body: (fill: () => Promise<{ all: DepartmentDatabase[]; made: string[] }>) => Promise<T>,
) {
  const directory = await mkdtemp(join(tmpdir(), 'huitong-databases-'));
  const server = await startPostgres({ directory, settings: ['fsync=off'] });
  try {
    return await body(async () => {
      const made: string[] = [];
      const state = { secret: async (name: string) => `secret-of-${name}` };
      const onFilled = (name: string) => made.push(name);
      return { all: await fillDatabases({ district, scale: 0.001, database: server.database, state, onFilled }), made };
    });
  } finally {
    await server.stop();
    await rm(directory, { recursive: true });
  }
}

it('the department databases are filled once, each for a login that reads its own tables and nothing else', async () => {
  await withDatabases(async (fill) => {
    const { all, made } = await fill();
    expect(made).toHaveLength(all.length);
    const health = all.find(({ source }) => source === 'health') as DepartmentDatabase;
    expect(health.variable).toBe('LONGHUA_HEALTH_URL');
    const [{ rows }] = await ask(health.readerUrl, 'select count(*)::int as rows from residents');
    expect(rows).toBeGreaterThan(0);
    await expect(ask(health.readerUrl, 'select * from planted.rows')).rejects.toThrow('permission denied');
    await expect(ask(health.readerUrl, 'delete from residents')).rejects.toThrow(/read-only|permission denied/);
    const elsewhere = new URL(health.readerUrl);
    elsewhere.pathname = '/longhua_police';
    await expect(ask(elsewhere.href, 'select 1')).rejects.toThrow('permission denied');

    const planted = await readPlanted(all.map(({ adminUrl }) => adminUrl));
    expect(planted.get('health.residents')?.FORMAT_RESIDENT_ID).toBeGreaterThan(0);
    expect((await fill()).made).toEqual([]);
  });
});
