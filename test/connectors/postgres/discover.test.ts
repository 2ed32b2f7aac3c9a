/** What discovery tells of tables of every kind, and what PostgreSQL guarantees of their columns. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CheckSubject, guaranteesOfCheck } from '../../../connectors/check-expression.ts';
import type { SourceTable } from '../../../connectors/connector.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { createDatabase } from '../../support/postgres.ts';
import { contextOf, execute } from './support.ts';

const SCHEMA = `
  create type mood as enum ('sad', 'ok', 'happy');
  create domain postcode as text check (value ~ '^[0-9]{6}$');
  create domain small as int check (value between 1 and 9);
  create table 人员 (
    编号 int primary key, 姓名 varchar(20) not null, 性别 char(1) check (性别 in ('1', '2')),
    age int check (age >= 0 and age < 150), code postcode, level small, mood mood,
    status text not null check (status in ('open', 'closed')), born date check (born > '1900-01-01'),
    rate numeric(5,2) check (rate > -1.5), short text check (length(short) <= 5),
    either int check (either = 1 or either > 5), later int);
  alter table 人员 add constraint unproved check (later > 0) not valid;
  comment on table 人员 is '人员信息';
  comment on column 人员.姓名 is '姓名（中文）';
  create table base (id int not null, note text);
  create table child (extra bytea) inherits (base);
  create table logs (id int not null, at date not null) partition by range (at);
  create table logs_2024 partition of logs for values from ('2024-01-01') to ('2025-01-01');
  create table logs_2025 partition of logs for values from ('2025-01-01') to ('2026-01-01');
  create view adults as select 编号, 姓名, mood from 人员 where age >= 18;
  create materialized view counts as select mood, count(*) as n from 人员 group by mood;
  create extension file_fdw;
  create server files foreign data wrapper file_fdw;
  create foreign table outside (id int not null check (id > 0)) server files options (filename '/dev/null');
`;

let database: Awaited<ReturnType<typeof createDatabase>>;
let tables: Map<string, SourceTable>;

beforeAll(async () => {
  database = await createDatabase();
  // The embedded server may come without the extension; then a foreign table is not tried.
  const foreign = await execute(database.url, 'create extension file_fdw; drop extension file_fdw').then(
    () => true,
    () => false,
  );
  await execute(database.url, foreign ? SCHEMA : SCHEMA.slice(0, SCHEMA.indexOf('create extension')));
  const found = await postgres.discover({ url: database.url }, contextOf());
  tables = new Map(found.map((table) => [table.name, table]));
});
afterAll(() => database.drop());

const columnOf = (table: string, name: string) => tables.get(table)?.columns.find((column) => column.name === name);

describe('discover', () => {
  test('tables, views, materialized views, partitioned and inheriting tables are told apart', () => {
    const kinds = Object.fromEntries([...tables].map(([name, { kind }]) => [name, kind]));
    expect(kinds).toMatchObject({
      人员: 'table',
      base: 'table',
      child: 'table',
      logs: 'partitioned',
      adults: 'view',
      counts: 'materialized',
    });
    expect(kinds).not.toHaveProperty('logs_2024');
    expect(tables.get('logs')).toMatchObject({ partitions: 2 });
    expect(tables.get('child')).toMatchObject({ inheritsFrom: ['base'] });
    expect(tables.get('base')).not.toHaveProperty('inheritsFrom');
    expect(tables.get('人员')).toMatchObject({ comment: '人员信息', primaryKey: ['编号'] });
    expect(columnOf('人员', '姓名')).toMatchObject({ comment: '姓名（中文）', nullable: false });
  });

  test('enum labels, lengths and simple checks of tables and domains are guarantees', () => {
    const guarantees = Object.fromEntries(
      tables.get('人员')!.columns.map(({ name, guarantees: found }) => [name, found]),
    );
    expect(guarantees).toEqual({
      编号: undefined,
      姓名: { maxLength: 20 },
      性别: { maxLength: 1, enum: ['1', '2'] },
      age: { minimum: 0, exclusiveMaximum: 150 },
      code: { pattern: '^[0-9]{6}$' },
      level: { minimum: 1, maximum: 9 },
      mood: { enum: ['sad', 'ok', 'happy'] },
      status: { enum: ['open', 'closed'] },
      born: { formatExclusiveMinimum: '1900-01-01' },
      rate: { exclusiveMinimum: -1.5 },
      short: { maxLength: 5 },
      either: undefined,
      later: undefined,
    });
    expect(columnOf('adults', 'mood')).toMatchObject({ guarantees: { enum: ['sad', 'ok', 'happy'] } });
  });

  test('what a foreign table says of its rows is not believed', ({ skip }) => {
    if (!tables.has('outside')) skip('the embedded PostgreSQL has no file_fdw');
    expect(tables.get('outside')).toMatchObject({ kind: 'foreign' });
    expect(columnOf('outside', 'id')).not.toHaveProperty('guarantees');
  });
});

describe('check expressions', () => {
  const lengths = ['length', 'char_length'];
  const text: CheckSubject = { names: ['c'], kind: 'text', lengths };
  const int: CheckSubject = { names: ['c'], kind: 'number', lengths };
  const folded: CheckSubject = { ...text, kind: 'folded' };
  const date: CheckSubject = { ...text, kind: 'date' };

  test.each([
    [
      "((c)::text = ANY ((ARRAY['a'::character varying, 'b''c'::character varying(5)])::text[]))",
      text,
      { enum: ['a', "b'c"] },
    ],
    ["(c = ANY (ARRAY[1, 2, '-3'::integer]))", int, { enum: [1, 2, -3] }],
    [
      "((c > (0)::numeric) AND ((c)::double precision <= ('-5'::integer)::double precision))",
      int,
      { exclusiveMinimum: 0, maximum: -5 },
    ],
    ['(10 >= c)', int, { maximum: 10 }],
    ['(char_length((c)::text) = 18)', text, { minLength: 18, maxLength: 18 }],
    ["((c)::text ~ '^[A-Z]{2}-[0-9]+$'::text)", text, { pattern: '^[A-Z]{2}-[0-9]+$' }],
    ["(c = 'A'::bpchar)", { ...text, paddedTo: 3 }, { enum: ['A  '] }],
    // As MariaDB prints them.
    ['`c` between 0 and 150 and `c` <> 7', int, { minimum: 0, maximum: 150 }],
    ['`c` in (1,2,-3)', int, { enum: [1, 2, -3] }],
    ["`c` >= '1900-01-01'", date, { formatMinimum: '1900-01-01' }],
    ['char_length(`c`) between 2 and 18', folded, { minLength: 2, maxLength: 18 }],
    ['("and" > 5 AND c < 9)', { ...int, names: ['and'] }, { exclusiveMinimum: 5 }],
  ])('%s', (expression, subject, guarantees) => {
    expect(guaranteesOfCheck(expression, subject)).toEqual(guarantees);
  });

  test.each([
    ['(NOT (c > 5))', int],
    ['`c` not between 1 and 5', int],
    ['`c` between 1 and 5 or `c` = 9', int],
    ['`c` > 1 xor `c` > 5', int],
    ['`c` <=> 5', int],
    ["`c` in ('a','b')", folded],
    ["`c` = 'a'", folded],
    ['((c > 5) OR (c < 1))', int],
    ['(c <> 5)', int],
    ['(abs(c) > 5)', int],
    ['((c + 1) > 5)', int],
    ['(d > 5)', int],
    ['(c > d)', int],
    ['(c > 12345678901234567890)', int],
    ["(c ~ '^\\d+$'::text)", text],
    ["(c ~ '^.{3}$'::text)", text],
    ["(c ~* '^a$'::text)", text],
    ["(c > 'a'::text)", text],
    ["(lower(c) = 'a'::text)", text],
    ['(length(c) > 3)', { ...text, paddedTo: 9 }],
  ])('%s says nothing that a contract could', (expression, subject) => {
    expect(guaranteesOfCheck(expression, subject)).toEqual({});
  });
});
