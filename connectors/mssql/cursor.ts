/**
 * Up to where a source is read by a cursor. SQL Server tells of one type of column what is still open: no transaction
 * can commit a `rowversion` below MIN_ACTIVE_ROWVERSION(). Of times it tells nothing, so they need a lag longer than the
 * longest transaction. Identity values are drawn before the commit, and nothing bounds how long before: refused.
 *
 * Positions are the server's own text and are compared by the server, all seven digits of a time included: cut to what
 * a client's clock holds they would skip rows, or read the same ones for ever (sling#471, #366).
 */
import { HuitongError } from '../../lib/errors.ts';
import type { CursorPosition, CursorWindow } from '../connector.ts';
import type { Connection } from './connection.ts';
import { findColumns, quoteName, quoteTable, type Relation } from './relation.ts';

export interface CursorRequest {
  column: string;
  lagSeconds: number;
  after?: CursorPosition;
}

interface CursorType {
  /** As a literal is cast. */
  type: string;
  /** Of CONVERT, for the text that holds every digit. */
  style: number;
  /** The server's clock in that type; absent for rowversion. */
  clock?: string;
}

/** Naive times are the server's own. */
const CURSOR_TYPES: Record<string, CursorType> = {
  datetime2: { type: 'datetime2(7)', style: 121, clock: 'sysdatetime()' },
  datetime: { type: 'datetime', style: 121, clock: 'sysdatetime()' },
  smalldatetime: { type: 'smalldatetime', style: 121, clock: 'sysdatetime()' },
  datetimeoffset: { type: 'datetimeoffset(7)', style: 121, clock: 'sysdatetimeoffset()' },
  timestamp: { type: 'binary(8)', style: 1 },
  rowversion: { type: 'binary(8)', style: 1 },
};

/** Throws COLUMN_NOT_FOUND, CURSOR_UNSAFE. */
async function cursorType(connection: Connection, relation: Relation, name: string): Promise<CursorType> {
  const at = quoteTable(relation);
  const columns = (await findColumns(connection, [relation.id])).get(relation.id) ?? [];
  const column = columns.find((one) => one.name === name);
  if (column === undefined)
    throw new HuitongError('COLUMN_NOT_FOUND', `the table has no cursor column ${name}`, { at });
  const known = CURSOR_TYPES[column.type.name];
  if (known !== undefined) return known;
  throw new HuitongError(
    'CURSOR_UNSAFE',
    `column ${name} is ${column.sourceType}; a cursor is a rowversion or a time`,
    {
      at,
    },
  );
}

/** Rows behind `after` and up to `upTo`; without `after` also those whose column is null. */
export async function windowCondition(
  connection: Connection,
  relation: Relation,
  { column, after, upTo }: CursorWindow,
): Promise<string> {
  const type = await cursorType(connection, relation, column);
  const name = quoteName(column);
  const upper = `${name} <= ${literal(upTo, type)}`;
  return after === undefined ? `(${upper} or ${name} is null)` : `(${name} > ${literal(after, type)} and ${upper})`;
}

/** See the top of this file. Throws CURSOR_UNSAFE for a time without a lag. */
export async function boundOf(
  connection: Connection,
  relation: Relation,
  { column, lagSeconds, after }: CursorRequest,
): Promise<CursorPosition | undefined> {
  const at = quoteTable(relation);
  const type = await cursorType(connection, relation, column);
  if (type.clock !== undefined && lagSeconds === 0) {
    throw new HuitongError('CURSOR_UNSAFE', `column ${column} is a time: SQL Server does not tell what is still open`, {
      at,
    });
  }
  const name = quoteName(column);
  const settled =
    type.clock === undefined
      ? `${name} < min_active_rowversion()`
      : `${name} <= cast(dateadd(second, -${lagSeconds}, ${type.clock}) as ${type.type})`;
  const bounds = [settled, ...(after === undefined ? [] : [`${name} > ${literal(after, type)}`])];
  const greatest = type.clock === undefined ? `max(cast(${name} as binary(8)))` : `max(${name})`;
  const [row] = await connection.query(
    `select convert(nvarchar(50), ${greatest}, ${type.style}) as bound from ${at} where ${bounds.join(' and ')}`,
    [],
    at,
  );
  return typeof row?.bound === 'string' ? row.bound : undefined;
}

function literal(text: string, { style, type }: CursorType): string {
  return `convert(${type}, N'${text.replaceAll("'", "''")}', ${style})`;
}
