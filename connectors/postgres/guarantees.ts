/**
 * What PostgreSQL itself guarantees of a column's cells: the labels of its enum type, the length of `varchar(n)`, and
 * simple CHECK constraints of the table or of a domain. What is not understood is left out: a guarantee that is missing
 * makes a contract looser, a wrong one would refuse good rows.
 */
import { type CheckSubject, guaranteesOfCheck } from '../check-expression.ts';
import type { ColumnGuarantees } from '../connector.ts';
import type { Connection, Row } from './connection.ts';

/** By relation and column name. */
export type GuaranteesByColumn = Map<string, ColumnGuarantees>;

export function columnKey(relation: number, column: string): string {
  return `${relation}.${column}`;
}

/**
 * Only constraints that were validated and are enforced, of one column, and that hold for inheriting tables too. Those
 * of a foreign table are promises that nobody checks.
 */
const QUERY = `
  with recursive chain(relation, attnum, name, typid, typmod, depth) as (
    select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, 0
      from pg_attribute a where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped
    union all
    select c.relation, c.attnum, c.name, t.typbasetype, case when c.typmod = -1 then t.typtypmod else c.typmod end,
           c.depth + 1
      from chain c join pg_type t on t.oid = c.typid where t.typtype = 'd'),
  base as (
    select c.*, t.typname, t.typnamespace = 'pg_catalog'::regnamespace as built_in
      from chain c join pg_type t on t.oid = c.typid where t.typtype <> 'd')
  select b.relation::int8::text as relation, b.name, b.typmod, case when b.built_in then b.typname::text end as type,
         (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = b.typid) as labels,
         (select array_agg(pg_get_expr(k.conbin, k.conrelid) order by k.conname) from pg_constraint k
            join pg_class r on r.oid = k.conrelid
           where k.conrelid = b.relation and k.contype = 'c' and k.convalidated and not k.connoinherit
             and k.conkey = array[b.attnum] and r.relkind <> 'f'
             and coalesce((to_jsonb(k) ->> 'conenforced')::bool, true)) as checks,
         (select array_agg(pg_get_expr(k.conbin, 0) order by k.conname) from pg_constraint k
            join chain d on d.relation = b.relation and d.attnum = b.attnum and d.typid = k.contypid
           where k.contype = 'c' and k.convalidated) as domain_checks
    from base b`;

export async function findGuarantees(connection: Connection, oids: number[]): Promise<GuaranteesByColumn> {
  const rows = await connection.query(QUERY, [oids]);
  const found: GuaranteesByColumn = new Map();
  for (const row of rows) {
    const guarantees = guaranteesOf(row);
    if (Object.keys(guarantees).length > 0) found.set(columnKey(Number(row.relation), String(row.name)), guarantees);
  }
  return found;
}

function guaranteesOf(row: Row): ColumnGuarantees {
  const type = String(row.type ?? '');
  const subject: CheckSubject = { names: [String(row.name), 'VALUE'], kind: kinds.get(type), lengths };
  const length = Number(row.typmod) - VARLENA_HEADER_BYTES;
  const sized = (type === 'varchar' || type === 'bpchar') && length > 0;
  if (type === 'bpchar' && sized) subject.paddedTo = length;
  const checks = [...texts(row.checks), ...texts(row.domain_checks)];
  return Object.assign(
    sized ? { maxLength: length } : {},
    ...checks.map((check) => guaranteesOfCheck(check, subject)),
    row.labels === null ? {} : { enum: texts(row.labels) },
  );
}

const kinds = new Map<string, CheckSubject['kind']>([
  ...['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'money', 'oid'].map((type) => [type, 'number'] as const),
  ...['text', 'varchar', 'bpchar', 'name'].map((type) => [type, 'text'] as const),
  ['date', 'date'],
]);

/** Of text, `length` counts characters too. */
const lengths = ['length', 'char_length', 'character_length'];

/** `atttypmod` of varchar(n) and char(n) is n and the size of a header. */
const VARLENA_HEADER_BYTES = 4;

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
