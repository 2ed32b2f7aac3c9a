import { afterEach, describe, expect, test } from 'vitest';
import { assertReachable, type Catalog, isUniqueViolation, migrate, openCatalog } from '../../catalog/database.ts';
import { dumpSchema } from '../../catalog/dump.ts';
import { withDatabase } from '../support/postgres.ts';

const open: Catalog[] = [];
function opened(url: string): Catalog {
  const catalog = openCatalog(url);
  open.push(catalog);
  return catalog;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((catalog) => catalog.destroy()));
});

async function withCatalog<T>(body: (catalog: Catalog, url: string) => Promise<T>): Promise<T> {
  return withDatabase(async (url) => {
    const catalog = openCatalog(url);
    try {
      return await body(catalog, url);
    } finally {
      await catalog.destroy();
    }
  });
}

describe('migrations', () => {
  test('run once, and the schema is the committed dump (npm run catalog:dump)', () =>
    withCatalog(async (catalog) => {
      expect(await migrate(catalog)).toContain('001_catalog');
      expect(await migrate(catalog)).toEqual([]);
      await expect(await dumpSchema(catalog)).toMatchFileSnapshot('../../catalog/schema.sql');
    }));

  test('processes that start together take turns', () =>
    withCatalog(async (first, url) => {
      const second = openCatalog(url);
      try {
        const ran = (await Promise.all([migrate(first), migrate(second)])).flat();
        expect(ran.filter((name) => name === '001_catalog')).toEqual(['001_catalog']);
      } finally {
        await second.destroy();
      }
    }));
});

describe('a catalog’s connection', () => {
  test('bigint is a number, and never a rounded one', () =>
    withCatalog(async (catalog) => {
      const { rows } = await catalog.raw('select 9007199254740991::bigint as value');
      expect(rows).toEqual([{ value: Number.MAX_SAFE_INTEGER }]);
      await expect(catalog.raw('select 9007199254740993::bigint as value')).rejects.toThrow('exceeds 2^53');
    }));

  test('a unique violation is recognised, another error is not', () =>
    withCatalog(async (catalog) => {
      await catalog.raw('create table t (a int constraint one_a unique); insert into t values (1)');
      const error = await catalog.raw('insert into t values (1)').catch((e: unknown) => e);
      expect(isUniqueViolation(error, 'one_a')).toBe(true);
      expect(isUniqueViolation(error, 'another')).toBe(false);
      expect(isUniqueViolation(await catalog.raw('select 1/0').catch((e: unknown) => e))).toBe(false);
    }));

  test('an address that is no PostgreSQL URL is refused before connecting', () => {
    expect(() => openCatalog('mysql://localhost/huitong')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => openCatalog('nowhere')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('a database that does not answer is one clear error without the password', () =>
    withCatalog(async (catalog) => {
      await assertReachable(catalog);
      const error = await migrate(opened('postgres://nobody:s3cret@127.0.0.1:1/huitong')).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'CATALOG_UNREACHABLE', at: '127.0.0.1:1/huitong' });
      expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
    }));
});
