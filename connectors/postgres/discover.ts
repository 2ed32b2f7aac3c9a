import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceColumn, SourceTable } from '../connector.ts';
import type { PostgresConfig } from './config.ts';
import { openConnection, type Row } from './connection.ts';
import { columnKey, findGuarantees } from './guarantees.ts';
import * as relations from './relation.ts';
import { types } from './types.ts';

const kinds: Record<string, SourceTable['kind']> = {
  r: 'table',
  m: 'materialized',
  v: 'view',
  p: 'partitioned',
  f: 'foreign',
};

/** Tables and views that this user can read, leaves of partitioned tables left out; ordered by schema and name. */
export async function discover(config: PostgresConfig, context: ConnectorContext): Promise<SourceTable[]> {
  const connection = await openConnection(config, context);
  try {
    const tables = await connection.query(
      `select c.oid::int8::text as oid, n.nspname, c.relname, c.relkind, c.reltuples,
              obj_description(c.oid, 'pg_class') as comment,
              (select array_agg(h.inhparent::regclass::text order by h.inhseqno) from pg_inherits h
                where h.inhrelid = c.oid) as parents,
              case when c.relkind = 'p' then (select count(*)::text from pg_partition_tree(c.oid) t
                where t.isleaf and t.relid <> c.oid) end as leaves
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'v', 'm', 'p', 'f') and not c.relispartition
          and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
          and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
        order by n.nspname collate "C", c.relname collate "C"`,
    );
    const oids = tables.map((table) => Number(table.oid));
    const columns = await relations.findColumns(connection, oids);
    const keys = await relations.findUniqueKeys(connection, oids);
    const guarantees = await findGuarantees(connection, oids);
    return tables.map((table) => {
      const oid = Number(table.oid);
      const described = (columns.get(oid) ?? []).map((column): SourceColumn => {
        const guaranteed = guarantees.get(columnKey(oid, column.name));
        return { ...describedColumn(types, column), ...(guaranteed && { guarantees: guaranteed }) };
      });
      return describeTable(table, described, keys.get(oid) ?? []);
    });
  } finally {
    await connection.close();
  }
}

function describeTable(table: Row, columns: SourceColumn[], keys: relations.UniqueKey[]): SourceTable {
  const rows = Number(table.reltuples);
  return {
    schema: String(table.nspname),
    name: String(table.relname),
    kind: kinds[String(table.relkind)] ?? 'table',
    columns,
    primaryKey: keys.find((key) => key.primary)?.columns ?? [],
    uniqueKeys: keys.map((key) => key.columns),
    // -1: never analysed. Views have no estimate.
    ...(rows >= 0 && table.relkind !== 'v' ? { rowsEstimate: rows } : {}),
    ...(table.comment === null ? {} : { comment: String(table.comment) }),
    ...(table.parents === null ? {} : { inheritsFrom: table.parents as string[] }),
    ...(table.leaves === null ? {} : { partitions: Number(table.leaves) }),
  };
}
