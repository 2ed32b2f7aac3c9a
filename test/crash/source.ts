/**
 * The source: two tables whose every row is known. `payments` has a primary key; `receipts` has none, and rows of it
 * share a number. Rows with a negative amount break the contract. What must come out is said here in SQL.
 */
import type pg from 'pg';
import { connected } from './clients.ts';
import type { Random } from './random.ts';

export const tables = ['payments', 'receipts'] as const;
export type Table = (typeof tables)[number];

export const datasetOf = (table: Table) => `finance.${table}`;

/** One row of facts, as text: rows, sum of amounts, SHA-256 over all rows in the order of their keys. */
export interface Content {
  rows: number;
  amount: string;
  digest: string;
}

export interface Expected {
  rowsRead: number;
  quarantined: Record<string, number>;
  content: Content;
}

const columns =
  'number bigint not null, amount numeric(12,2) not null, payee text not null, booked_on date not null, note text';
const roleName = 'crash_reader';

export class Source {
  readonly adminUrl: string;
  readonly readerUrl: string;

  private constructor(adminUrl: string, readerUrl: string) {
    this.adminUrl = adminUrl;
    this.readerUrl = readerUrl;
  }

  /** @param url superuser's URL of an empty database */
  static async create(url: string, rows: number, password: string): Promise<Source> {
    await connected(url, async (client) => {
      for (const table of tables) {
        // Physical order is part of the plan: nothing but our own changes may move rows or recount blocks.
        await client.query(`create table ${table} (${columns}) with (autovacuum_enabled = false)`);
        await client.query(`insert into ${table} ${rowsFrom(1, rows)}`);
        await client.query(`create table read_back_${table} (like ${table})`);
      }
      await client.query('alter table payments add primary key (number)');
      await client.query(`insert into receipts select number, amount + 1, payee, booked_on, 'again' from receipts
                          where number % 997 = 0 and amount >= 0`);
      await client.query('analyze');
      await client.query(`create role ${roleName} login password ${client.escapeLiteral(password)}`);
      await client.query(`grant select on ${tables.join(', ')} to ${roleName}`);
    });
    const reader = new URL(url);
    reader.username = roleName;
    reader.password = password;
    return new Source(url, reader.href);
  }

  /** A few rows inserted, changed, deleted, made bad and made good; or, about one time in three, nothing at all. */
  async change(table: Table, random: Random): Promise<boolean> {
    if (random.chance(1 / 3)) return false;
    const [changed, deleted, planted, mended] = [
      random.below(1_000),
      random.below(1_000),
      random.below(1_000),
      random.below(1_000),
    ];
    await connected(this.adminUrl, async (client) => {
      const { rows } = await client.query<{ last: string }>(`select max(number) as last from ${table}`);
      const first = Number(rows[0]?.last ?? 0) + 1;
      await client.query(`insert into ${table} ${rowsFrom(first, first + 200)}`);
      await client.query(`update ${table} set note = 'changed' where amount >= 0 and number % 1009 = ${changed}`);
      await client.query(`delete from ${table} where number % 1013 = ${deleted}`);
      await client.query(`update ${table} set amount = -amount - 1 where amount >= 0 and number % 4999 = ${planted}`);
      await client.query(`update ${table} set amount = -amount where amount < 0 and number % 1019 = ${mended}`);
      await client.query(`analyze ${table}`);
    });
    return true;
  }

  /** What a run that reads the table as it is now has to publish, and to quarantine under which codes. */
  async expected(table: Table): Promise<Expected> {
    return connected(this.adminUrl, async (client) => {
      const { rows } = await client.query<{ read: number; bad: number; distinct: number }>(
        `select count(*)::int as read, count(*) filter (where amount < 0)::int as bad,
                count(distinct number) filter (where amount >= 0)::int as distinct from ${table}`,
      );
      const { read, bad, distinct } = rows[0] as (typeof rows)[number];
      const duplicates = read - bad - distinct;
      // Of rows with one key the first in the order of the plan stays, which is the physical one.
      const kept = `select distinct on (number) * from ${table} where amount >= 0 order by number, ctid`;
      return {
        rowsRead: read,
        quarantined: { ...(bad > 0 && { MINIMUM: bad }), ...(duplicates > 0 && { DUPLICATE_KEY: duplicates }) },
        content: await contentOf(client, kept),
      };
    });
  }

  /** Loads what a reader was given (JSON lines) and takes the same facts of it. */
  async contentOfLines(table: Table, lines: string): Promise<Content> {
    return connected(this.adminUrl, async (client) => {
      const array = `[${lines.trimEnd().split('\n').join(',')}]`;
      await client.query(`truncate read_back_${table}`);
      await client.query(
        `insert into read_back_${table} select * from json_populate_recordset(null::read_back_${table}, $1::json)`,
        [array],
      );
      return contentOf(client, `select * from read_back_${table}`);
    });
  }

  /** Connections of the worker's role that are open now. */
  async readersConnected(): Promise<number> {
    return connected(this.adminUrl, async (client) => {
      const { rows } = await client.query<{ n: number }>(
        'select count(*)::int as n from pg_stat_activity where usename = $1',
        [roleName],
      );
      return rows[0]?.n ?? 0;
    });
  }
}

async function contentOf(client: pg.Client, rows: string): Promise<Content> {
  const { rows: facts } = await client.query<Content>(
    `select count(*)::int as rows, coalesce(sum(amount), 0)::text as amount,
            encode(sha256(convert_to(coalesce(string_agg(r::text, E'\\n' order by number), ''), 'UTF8')), 'hex') as digest
     from (${rows}) r`,
  );
  return facts[0] as Content;
}

function rowsFrom(first: number, last: number): string {
  return `select n, case when n % 1999 = 0 then -1 else (n * 7919 % 10000000) / 100.0 end, '单位' || n % 5000,
                 date '2020-01-01' + (n % 2000)::int, case when n % 3 = 0 then null else repeat('付款摘要', (n % 9)::int) end
          from generate_series(${first}, ${last}) n`;
}
