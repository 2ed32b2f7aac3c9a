/** What is read of a table, and, for a read by cursor, between which positions. */
import { HuitongError } from '../../lib/errors.ts';
import { mapColumns, plannedColumn } from '../columns.ts';
import type { CursorPosition, CursorWindow, TableRequest } from '../connector.ts';
import type { TablePlan } from '../define.ts';
import { columnPointer, type HttpTable, type Incremental, tableOf } from './config.ts';
import { columnsOf } from './discover.ts';
import type { HttpSource } from './snapshot.ts';
import { type HttpMapping, types } from './types.ts';

/** A planned column's `mapping`: its type, and where it is in the record. */
export interface HttpColumnMapping extends HttpMapping {
  pointer: string;
}

export async function plan(source: HttpSource, request: TableRequest): Promise<TablePlan> {
  const table = tableOf(source.config, request.table);
  const pointers = new Map(table.columns.map((column) => [column.name, columnPointer(column)]));
  const columns = mapColumns(types, columnsOf(table), request, table.name).map(({ column, mapping }) =>
    plannedColumn(column, { ...mapping, pointer: pointers.get(column.name) ?? '' }),
  );
  return {
    table: { name: table.name },
    columns,
    // Neither order nor completeness of pages is promised, so the key is checked after reading.
    uniqueKeys: [],
    description: {
      format: 'http-json',
      order: 'as served',
      paging: table.paging?.kind ?? 'none',
      query: request.window === undefined ? {} : windowQuery(table, request.window),
    },
  };
}

/** The parameters that ask for a window. Throws CONFIG_INVALID where the definition has none for its column. */
function windowQuery(table: HttpTable, window: CursorWindow): Record<string, string> {
  const incremental = incrementalOf(table, window.column);
  return {
    ...(window.after === undefined ? {} : { [incremental.after]: window.after }),
    ...(incremental.upTo === undefined ? {} : { [incremental.upTo]: window.upTo }),
  };
}

function incrementalOf(table: HttpTable, column: string): Incremental {
  if (table.incremental?.column === column) return table.incremental;
  throw new HuitongError('CONFIG_INVALID', `the table cannot be asked for records by ${JSON.stringify(column)}`, {
    at: table.name,
    hint: 'Set `incremental` of the table: the column, and the query parameters that bound it.',
  });
}

/** Now, less the lag, by our clock: an API keeps nothing firmer. */
export async function cursorBound(
  source: HttpSource,
  request: TableRequest,
  { column, lagSeconds }: { column: string; lagSeconds: number },
): Promise<CursorPosition> {
  const { format = 'rfc3339' } = incrementalOf(tableOf(source.config, request.table), column);
  const boundMs = source.openedAt.getTime() - lagSeconds * 1000;
  switch (format) {
    case 'rfc3339':
      return new Date(boundMs).toISOString();
    case 'epoch-seconds':
      return String(Math.floor(boundMs / 1000));
    case 'epoch-milliseconds':
      return String(Math.floor(boundMs));
  }
}
