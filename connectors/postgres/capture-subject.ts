/**
 * What is captured: a table, as the catalog describes it, and whether its changes can be told whole. PostgreSQL logs a
 * deleted row by its replica identity only, leaves out large values that an update did not touch, and logs nothing of a
 * change of the table itself; what follows from that is decided here, before anything is read.
 */
import { createHash } from 'node:crypto';
import { HuitongError } from '../../lib/errors.ts';
import type { CaptureRequest } from '../connector.ts';
import type { Connection, Row } from './connection.ts';
import { mappingOfColumn, type ResolvedTable, resolveTable } from './plan.ts';
import { quoteTable, type Relation } from './relation.ts';

/** A column as the log describes it: a domain by its own oid. */
export interface LoggedColumn {
  name: string;
  type: number;
  modifier: number;
}

export interface Subject {
  relation: Relation;
  /** The planned columns, in the plan's order. */
  columns: LoggedColumn[];
  /** Those of a boolean type, or of a domain over it: their text is not what a cast to text gives. */
  bools: Set<string>;
  /** pg_class.relreplident: d, i, f or n. */
  identity: string;
  /**
   * Of all that decides what the log means: another one, and rows may have changed without a word in the log (a column
   * dropped and added again, a type changed), or the log has become another one (a publication made anew).
   */
  fingerprint: string;
  /** Why changes cannot be told; empty where they can. */
  problems: string[];
}

const FINGERPRINT_DIGITS = 16;
/** pgoutput's option `binary` came with it. */
const VERSION_MIN = 140_000;
const STORED_GENERATED_VERSION = 180_000;

/** Of the publication only what is not as `publicationStatement` makes it. */
const TABLE_QUERY = `
  select c.relkind, c.relpersistence, c.relreplident, c.reltoastrelid <> 0 as toasted, row_security_active(c.oid) as secured,
         exists (select from pg_inherits h where h.inhparent = c.oid) as inherited, current_user as login,
         current_setting('wal_level') as wal_level, current_setting('server_version_num')::int as version,
         pg_is_in_recovery() as standby,
         (select coalesce(string_agg(format('%s/%s', p.oid, pr.oid), ',' order by pr.oid), '')
            from pg_publication p join pg_publication_rel pr on pr.prpubid = p.oid
           where p.pubname = $2 and pr.prrelid = c.oid) as published
    from pg_class c where c.oid = $1::oid`;

const COLUMNS_QUERY = `
  select a.attname, a.attnum, a.atttypid::int8::text as type, a.atttypmod, format_type(a.atttypid, a.atttypmod) as source_type,
         (select t.typcategory = 'B' from pg_type t where t.oid = a.atttypid) as is_bool,
         a.attlen = -1 and a.attstorage <> 'p' as can_be_large, a.attgenerated,
         (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid) as labels,
         exists (select from pg_index i join pg_class c on c.oid = i.indrelid
                  where i.indrelid = a.attrelid and i.indisvalid and i.indimmediate and a.attnum = any(i.indkey::int2[])
                    and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident else false end
         ) as identifies
    from pg_attribute a where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`;

/** Throws what `resolveTable` throws. */
export async function inspectSubject(connection: Connection, request: CaptureRequest): Promise<Subject> {
  const resolved = await resolveTable(connection, request);
  const { relation } = resolved;
  const at = quoteTable(relation);
  const [table] = await connection.query(TABLE_QUERY, [relation.oid, request.name], at);
  if (!table) throw new HuitongError('TABLE_NOT_FOUND', 'the table is gone', { at });
  const all = await connection.query(COLUMNS_QUERY, [relation.oid], at);
  const rows = resolved.columns.map(({ name }) => all.find((row) => row.attname === name) as Row);
  const facts = rows.map((row) => [row.attname, row.attnum, row.type, row.atttypmod, row.labels]);
  const seen = JSON.stringify([relation.oid, table.relreplident, table.published, facts]);
  return {
    relation,
    columns: rows.map((row) => ({
      name: String(row.attname),
      type: Number(row.type),
      modifier: Number(row.atttypmod),
    })),
    bools: new Set(rows.filter((row) => row.is_bool === true).map((row) => String(row.attname))),
    identity: String(table.relreplident),
    fingerprint: createHash('sha256').update(seen).digest('hex').slice(0, FINGERPRINT_DIGITS),
    problems: [
      ...serverProblems(table),
      ...tableProblems(table, at),
      ...columnProblems(resolved, rows, Number(table.version)),
      ...identityProblems(table, all, rows, request.key, at),
    ],
  };
}

function serverProblems(table: Row): string[] {
  const problems: string[] = [];
  if (Number(table.version) < VERSION_MIN) problems.push('capture needs PostgreSQL 14 or newer');
  if (table.standby === true) problems.push('this is a standby: capture from the primary server');
  if (table.wal_level !== 'logical') {
    problems.push(`wal_level is ${table.wal_level}: alter system set wal_level = logical, and restart the server`);
  }
  return problems;
}

function tableProblems(table: Row, at: string): string[] {
  if (table.relkind === 'p') return [`${at} is partitioned: truncating or detaching a partition is not in the log`];
  if (table.relkind !== 'r') return [`${at} is no ordinary table, and has no changes of its own`];
  const problems: string[] = [];
  if (table.relpersistence !== 'p') problems.push(`${at} is not logged: alter table ${at} set logged`);
  if (table.inherited === true) problems.push(`${at} has tables that inherit from it, whose rows are not in its log`);
  if (table.secured === true) {
    problems.push(`row security hides rows of ${at} from ${table.login}, and the log shows them: use another mode`);
  }
  return problems;
}

function columnProblems({ columns }: ResolvedTable, rows: Row[], version: number): string[] {
  return columns.flatMap((column, i) => {
    const { attgenerated, source_type: type } = rows[i]!;
    const isLogged = attgenerated === '' || (attgenerated === 's' && version >= STORED_GENERATED_VERSION);
    if (!isLogged) return [`column ${column.name} is generated and not in the log: override it with \`skip\``];
    if (type === 'xml') {
      return [`column ${column.name} is xml, whose text differs in the log: override it with \`skip\``];
    }
    if (mappingOfColumn(column).cast === 'texts') {
      return [`column ${column.name} (${type}) is told as one text by the log: override it with \`text\``];
    }
    return [];
  });
}

/** Which cells a delete and an untouched large value need, and what to run where they would not be there. */
function identityProblems(table: Row, all: Row[], rows: Row[], key: string[], at: string): string[] {
  const identity = table.relreplident;
  if (identity === 'f') return [];
  const full = `alter table ${at} replica identity full`;
  if (identity === 'n') return [`${at} has no replica identity: ${full}`];
  const identifying = new Set(all.filter((row) => row.identifies === true).map((row) => row.attname));
  const missing = key.filter((name) => !identifying.has(name));
  if (missing.length > 0) {
    return [`the replica identity of ${at} does not tell ${missing.join(', ')} of the contract’s key: ${full}`];
  }
  const large =
    table.toasted === true ? rows.filter((row) => row.can_be_large === true && !identifying.has(row.attname)) : [];
  if (large.length === 0) return [];
  const names = large.map((row) => row.attname).join(', ');
  return [`large values of ${names} are not in the log of an update that leaves them as they are: ${full}`];
}
