import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDistrictOrThrow } from '../../catalog/district/parse.ts';
import { createDatabase, withDatabase } from '../support/postgres.ts';
import {
  checksum,
  type DatabaseEntry,
  districtFolder,
  fill,
  type PlantedRow,
  readDatabaseIndex,
  readDistrictFiles,
  tablesOf,
  withClient,
} from './longhua.ts';
import { judge } from './longhua-rows.ts';

const scale = 0.02;

interface Filled extends DatabaseEntry {
  url: string;
  drop(): Promise<void>;
}

const filled: Filled[] = [];

beforeAll(async () => {
  for (const entry of (await readDatabaseIndex()).databases) {
    const database = await createDatabase();
    filled.push({ ...entry, ...database });
    await fill(database.url, entry.file, { scale });
  }
});
afterAll(() => Promise.all(filled.map(({ drop }) => drop())));

/** `body` over every filled database, one after the other. */
async function each(body: (client: pg.Client, entry: Filled) => Promise<void>): Promise<void> {
  for (const entry of filled) await withClient(entry.url, (client) => body(client, entry));
}

interface DocumentedTable {
  dataset: string;
  table: string;
  rows: number;
  grows: string;
  codes: string[];
}

/** The table in the README: dataset, table, rows at scale 1, whether they grow with the scale, planted codes. */
async function documentedTables(): Promise<DocumentedTable[]> {
  const readme = await readFile(join(districtFolder, 'README.md'), 'utf8');
  const lines = [...readme.matchAll(/^\| `([a-z-]+\.[a-z-]+)` +\| `(.+?)` +\| ([\d,]+) +\| (\S+) +\| (.*?) +\|$/gm)];
  return lines.map(([, dataset = '', table = '', rows = '', grows = '', codes = '']) => ({
    dataset,
    table,
    rows: Number(rows.replaceAll(',', '')),
    grows,
    codes: codes === '–' ? [] : codes.replaceAll('`', '').split(', '),
  }));
}

async function countOf(client: pg.Client, from: string): Promise<number> {
  const { rows } = await client.query<{ n: string }>(`select count(*) as n from ${from}`);
  return Number(rows[0]?.n);
}

async function plantedRows(client: pg.Client): Promise<PlantedRow[]> {
  return (await client.query<PlantedRow>('select dataset, key, code from planted.rows')).rows;
}

describe('the synthetic databases', () => {
  it('hold the tables and rows that the README tells, and break them in the ways it tells', async () => {
    const documented = await documentedTables();
    expect(documented).toHaveLength(22);
    const seen: string[] = [];
    await each(async (client, { department, schemas }) => {
      const planted = await plantedRows(client);
      for (const { dataset, table, rows, grows, codes } of documented) {
        if (!dataset.startsWith(`${department}.`)) continue;
        seen.push(dataset);
        const own = planted.filter((row) => row.dataset === dataset);
        const duplicates = own.filter(({ code }) => code === 'DUPLICATE_KEY').length;
        const count = (await countOf(client, table)) - duplicates;
        if (grows === 'yes') expect(count, dataset).toBe(Math.round(rows * scale));
        else if (grows === 'no') expect(count, dataset).toBe(rows);
        else expect(count / scale / rows, dataset).toBeCloseTo(1, 0);
        for (const { code } of own) expect(codes, dataset).toContain(code);
        expect(own.length > 0 || rows * scale < 1000, `${dataset} has planted rows`).toBe(true);
      }
      const known = documented.filter(({ dataset }) => dataset.startsWith(`${department}.`));
      expect(await tablesOf(client, schemas)).toHaveLength(known.length);
    });
    expect(seen.sort()).toEqual(documented.map(({ dataset }) => dataset).sort());
  });

  it('name no row twice in planted.rows', async () => {
    await each(async (client) => {
      const rows = (await plantedRows(client))
        .filter(({ key }) => key !== null)
        .map(({ dataset, key }) => `${dataset} ${key}`);
      expect(new Set(rows).size).toBe(rows.length);
    });
  });

  it('leave only planted beside the tables: no helper, nothing temporary', async () => {
    await each(async (client, { schemas }) => {
      const { rows } = await client.query<{ name: string }>(
        "select nspname as name from pg_namespace where nspname !~ '^(pg_|information_schema)'",
      );
      expect(rows.map(({ name }) => name).sort()).toEqual([...new Set([...schemas, 'planted', 'public'])].sort());
    });
  });

  it('comment each table in Chinese', async () => {
    await each(async (client, { schemas }) => {
      for (const table of await tablesOf(client, schemas)) {
        const { rows } = await client.query<{ comment: string }>('select obj_description($1::regclass) as comment', [
          table,
        ]);
        expect(rows[0]?.comment, table).toMatch(/\p{Script=Han}/u);
      }
    });
  });

  it('hold no identifier of a range that is issued', async () => {
    const edge = '[0-9A-Za-z]';
    const issued = [
      `(?<!${edge})(?!440399)[1-8][0-9]{5}(18|19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]{4}[0-9X](?!${edge})`,
      `(?<!${edge})(?!154)1[3-9][0-9]{9}(?!${edge})`,
      `(?<!${edge})(91|11)(?!440399)[0-9]{6}[0-9A-Z]{10}(?!${edge})`,
      '粤[A-Z](?![IO])[0-9A-Z]{5,6}',
    ];
    await each(async (client, { schemas }) => {
      for (const table of await tablesOf(client, schemas)) {
        for (const pattern of issued) {
          const { rows } = await client.query(`select t::text from ${table} t where t::text ~ $1 limit 1`, [pattern]);
          expect(rows, `${table} ${pattern}`).toEqual([]);
        }
      }
    });
    await withClient(filled[0]!.url, async (client) => {
      const { rows } = await client.query('select $1 ~ $2 as found', ['(1,440301199001011234,)', issued[0]]);
      expect(rows, 'the search finds such a number').toEqual([{ found: true }]);
    });
  });
});

describe('the contracts', () => {
  it('refuse exactly the planted rows, each for its one reason', async () => {
    const { datasets } = parseDistrictOrThrow(await readDistrictFiles());
    const judged: string[] = [];
    await each(async (client, { source, url }) => {
      const planted = await plantedRows(client);
      for (const { definition, contract } of datasets.filter(({ definition: { source: own } }) => own === source)) {
        const { code: dataset } = definition;
        judged.push(dataset);
        const own = planted.filter((row) => row.dataset === dataset);
        const { rows, errors, repeated } = await judge(url, definition, contract);
        expect(rows, dataset).toBeGreaterThan(0);
        expect(listed(errors), dataset).toEqual(listed(own.filter(({ code }) => code !== 'DUPLICATE_KEY')));
        const duplicates = own.filter(({ code }) => code === 'DUPLICATE_KEY').map(({ key }) => key);
        expect(new Map(duplicates.map((key) => [key, 1])), dataset).toEqual(repeated);
      }
    });
    expect(judged).toHaveLength(datasets.length);
  });

  function listed(rows: { key: string | null; code: string }[]): string[] {
    return rows.map(({ key, code }) => `${key} ${code}`).sort();
  }
});

describe('filling', () => {
  async function digests(seed: number, size: number): Promise<string[]> {
    return withDatabase(async (url) => {
      await fill(url, 'market.sql', { scale: size, seed });
      return withClient(url, async (client) => [
        await checksum(client, 'enterprises'),
        await checksum(client, 'licences'),
        await checksum(client, 'planted.rows'),
      ]);
    });
  }

  it('gives the same content for the same seed and scale, and other content for another seed', async () => {
    const first = await digests(7, 0.01);
    expect(await digests(7, 0.01)).toEqual(first);
    expect((await digests(8, 0.01)).slice(0, 2).filter((digest) => first.includes(digest))).toEqual([]);
  });

  it('refuses a scale at which identifiers would run out', async () => {
    await withDatabase((url) => expect(fill(url, 'market.sql', { scale: 101 })).rejects.toThrow(/0\.001 and 100/));
  });

  it('at scale 1 makes 26,200 cameras of nine owners, and 195 projects of three kinds', async () => {
    await withDatabase(async (url) => {
      await fill(url, 'police.sql', { scale: 1 });
      await withClient(url, async (client) => {
        const owners = await client.query('select owner, count(*)::int as n from cameras group by 1 order by n desc');
        expect(owners.rows).toHaveLength(9);
        expect(owners.rows.reduce((sum, { n }) => sum + n, 0)).toBe(26_200);
      });
    });
    const projects = filled.find(({ source }) => source === 'projects')!;
    await withClient(projects.url, async (client) => {
      const kinds = await client.query('select kind, count(*)::int as n from projects group by 1 order by n');
      expect(kinds.rows).toEqual([
        { kind: '基础设施', n: 32 },
        { kind: '平台', n: 39 },
        { kind: '应用', n: 124 },
      ]);
      expect(await countOf(client, 'contractors')).toBe(60);
    });
  });

  it('gives one person one identity in every database', async () => {
    const nameOf = async (source: string, sql: string) =>
      withClient(
        filled.find((entry) => entry.source === source)!.url,
        async (client) => (await client.query(sql)).rows,
      );
    const tenant = await nameOf(
      'housing',
      'select tenant_id_number as id, tenant_name as name from rental_contracts where serial = 5',
    );
    expect(await nameOf('health', 'select id_number as id, name from residents where person_id = 5')).toEqual(tenant);
  });
});
