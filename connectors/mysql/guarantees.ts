/**
 * What MySQL itself guarantees of a column's cells: the labels of an enum, the length of `char(n)` and `varchar(n)`, and
 * simple CHECK constraints that are enforced. Text is compared by collations, to most of which `A` and `a ` are equal to
 * `a`: of text a CHECK tells only the length. What is not understood is left out: a guarantee that is missing makes a
 * contract looser, a wrong one would refuse good rows.
 */
import { type CheckSubject, guaranteesOfCheck } from '../check-expression.ts';
import type { ColumnGuarantees } from '../connector.ts';
import type { Connection, Row } from './connection.ts';

/** By table and column name, as `columnKey` joins them. */
export type GuaranteesByColumn = Map<string, ColumnGuarantees>;

export function columnKey(table: string, column: string): string {
  return JSON.stringify([table, column]);
}

const columnQuery = `
select table_name as table_name, column_name as column_name, data_type as data_type, column_type as column_type,
       character_maximum_length as length
  from information_schema.columns where table_schema = ?`;

/** Of every table and view of this database. */
export async function findGuarantees(connection: Connection, schema: string): Promise<GuaranteesByColumn> {
  const checks = await findChecks(connection, schema);
  const found: GuaranteesByColumn = new Map();
  for (const row of await connection.query(columnQuery, [schema])) {
    const table = String(row.table_name);
    const guarantees = guaranteesOf(row, checks.get(table) ?? []);
    if (Object.keys(guarantees).length > 0) found.set(columnKey(table, String(row.column_name)), guarantees);
  }
  return found;
}

/** MariaDB names the table beside the clause; MySQL (from 8.0.16) says in another view whose it is, and if enforced. */
const mariadbChecks = `
select table_name as table_name, check_clause as clause from information_schema.check_constraints
 where constraint_schema = ?`;
const mysqlChecks = `
select t.table_name as table_name, c.check_clause as clause
  from information_schema.check_constraints c join information_schema.table_constraints t
    on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name
 where c.constraint_schema = ? and t.constraint_type = 'CHECK' and t.enforced = 'YES'`;

/** Which of the two there is; older servers, and some that speak the protocol, have neither. */
const formQuery = `
select upper(concat(table_name, '.', column_name)) as place from information_schema.columns
 where upper(table_schema) = 'INFORMATION_SCHEMA' and upper(table_name) in ('CHECK_CONSTRAINTS', 'TABLE_CONSTRAINTS')`;

/** CHECK clauses by table. */
async function findChecks(connection: Connection, schema: string): Promise<Map<string, string[]>> {
  const places = new Set((await connection.query(formQuery)).map(({ place }) => place));
  const checks = new Map<string, string[]>();
  if (!places.has('CHECK_CONSTRAINTS.CHECK_CLAUSE')) return checks;
  const hasTable = places.has('CHECK_CONSTRAINTS.TABLE_NAME');
  if (!hasTable && !places.has('TABLE_CONSTRAINTS.ENFORCED')) return checks;
  for (const row of await connection.query(hasTable ? mariadbChecks : mysqlChecks, [schema])) {
    const table = String(row.table_name);
    // Backslashes in literals mean different things by the session's sql_mode.
    const clause = String(row.clause);
    if (!clause.includes('\\')) checks.set(table, [...(checks.get(table) ?? []), clause]);
  }
  return checks;
}

function guaranteesOf(row: Row, checks: string[]): ColumnGuarantees {
  const type = String(row.data_type).toLowerCase();
  const kind = kinds.get(type);
  // `length` counts bytes here.
  const subject: CheckSubject = {
    names: [String(row.column_name)],
    kind,
    lengths: ['char_length', 'character_length'],
  };
  const isSized = type === 'char' || type === 'varchar';
  const labels = type === 'enum' ? labelsOf(String(row.column_type)) : undefined;
  return Object.assign(
    isSized ? { maxLength: Number(row.length) } : {},
    ...checks.map((check) => guaranteesOfCheck(check, subject)),
    labels === undefined ? {} : { enum: labels },
  );
}

const numbers = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double', 'year'];
const texts = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];
const kinds = new Map<string, CheckSubject['kind']>([
  ...numbers.map((type) => [type, 'number'] as const),
  ...texts.map((type) => [type, 'folded'] as const),
  ['date', 'date'],
]);

/** `enum('a','b''c')`; undefined where a label is written with an escape. */
function labelsOf(columnType: string): string[] | undefined {
  if (columnType.includes('\\')) return undefined;
  return [...columnType.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) => label.replaceAll("''", "'"));
}
