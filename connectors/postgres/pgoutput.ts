/**
 * Messages of the output plugin pgoutput, protocol 1 (PostgreSQL documentation, "Logical Replication Message Formats"):
 * where the cells of a row lie. Nothing is copied.
 */
import type { ByteSource } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { LoggedColumn } from './capture-subject.ts';
import { LENGTH_BYTES } from './cells.ts';

/** A message's first byte. */
export const messages = {
  begin: 0x42,
  commit: 0x43,
  delete: 0x44,
  insert: 0x49,
  origin: 0x4f,
  relation: 0x52,
  truncate: 0x54,
  type: 0x59,
  update: 0x55,
} as const;

/** Where a message lies. */
export interface LogMessage {
  source: ByteSource;
  at: number;
  end: number;
}

/** In place of a cell's place: null, and a large value that the update left as it was, which is not in the log. */
export const NULL_CELL = -1;
export const UNCHANGED_CELL = -2;

/** For each column where its cell begins, its length included, as in COPY; or `NULL_CELL`, or `UNCHANGED_CELL`. */
export type TupleCells = Int32Array;

export interface RowMessage {
  relation: number;
  /** The row as it was: whole where the replica identity is FULL, else its identity's cells, and only if they changed. */
  before?: TupleCells;
  after?: TupleCells;
}

export interface LoggedRelation {
  id: number;
  /** As pg_class.relreplident. */
  identity: string;
  columns: LoggedColumn[];
}

const NULL_KIND = 0x6e;
const UNCHANGED_KIND = 0x75;
const NEW_TUPLE = 0x4e;

export function kindOf({ source, at }: LogMessage): number {
  return source.view.getUint8(at);
}

/** The commit's own position. */
export function readBegin({ source, at }: LogMessage): bigint {
  return source.view.getBigUint64(at + 1);
}

/** Where the next transaction may begin. */
export function readCommit({ source, at }: LogMessage): bigint {
  return source.view.getBigUint64(at + 10);
}

export function readTruncate({ source, at }: LogMessage): number[] {
  const count = source.view.getUint32(at + 1);
  return Array.from({ length: count }, (_, i) => source.view.getUint32(at + 6 + 4 * i));
}

export function readRelation({ source, at }: LogMessage): LoggedRelation {
  const { bytes, view } = source;
  let next = at + 1;
  const id = view.getUint32(next);
  next += 4;
  const text = () => {
    const end = bytes.indexOf(0, next);
    const value = Buffer.from(bytes.subarray(next, end)).toString('utf8');
    next = end + 1;
    return value;
  };
  text();
  text();
  const identity = String.fromCharCode(view.getUint8(next));
  const count = view.getUint16(next + 1);
  next += 3;
  const columns = Array.from({ length: count }, (): LoggedColumn => {
    next += 1;
    const name = text();
    next += 8;
    return { name, type: view.getUint32(next - 8), modifier: view.getInt32(next - 4) };
  });
  return { id, identity, columns };
}

/** An insert, update or delete. */
export function readRow(message: LogMessage): RowMessage {
  const { source, at, end } = message;
  const row: RowMessage = { relation: source.view.getUint32(at + 1) };
  let next = at + 5;
  while (next < end) {
    const isNew = source.view.getUint8(next) === NEW_TUPLE;
    const tuple = readTuple(source, next + 1, end);
    if (isNew) row.after = tuple.cells;
    else row.before = tuple.cells;
    next = tuple.next;
  }
  return row;
}

function readTuple({ view }: ByteSource, start: number, end: number): { cells: TupleCells; next: number } {
  const cells = new Int32Array(view.getUint16(start));
  let next = start + 2;
  for (let i = 0; i < cells.length; i++) {
    const kind = view.getUint8(next++);
    if (kind === NULL_KIND) cells[i] = NULL_CELL;
    else if (kind === UNCHANGED_KIND) cells[i] = UNCHANGED_CELL;
    else {
      cells[i] = next;
      next += LENGTH_BYTES + view.getInt32(next);
    }
  }
  if (next > end) throw new HuitongError('INTERNAL', 'a message of the log is longer than it says');
  return { cells, next };
}
