/** What each format of files can do; `formats.ts` has the list. */
import type { Schema } from 'apache-arrow';
import { HuitongError } from '../../lib/errors.ts';
import type { ReadPlan, ReadRequest, SourceBatch } from '../connector.ts';
import type { TableOptions } from './config.ts';
import type { CellForms } from './fill.ts';
import type { Location, OpenFile, PinnedFile } from './location.ts';

/** A file, or a part of one that can be read alone. Plain data. */
export interface Piece {
  file: PinnedFile;
  /** Bytes that begin and end with a line. */
  bytes?: { start: number; end: number };
  /** The columns of the file, of a piece that does not begin with its header. */
  names?: string[];
  /** Row groups of a Parquet file, or batches of an Arrow file. */
  groups?: { start: number; end: number };
}

/** A column as a file tells it: its type is spelled as `types.ts` reads it. */
export interface FileColumn {
  name: string;
  spelling: string;
  nullable: boolean;
}

export interface FileDescription {
  columns: FileColumn[];
  rows?: number;
}

/** Some files of one table, and what is wanted of them. */
export interface ReadJob {
  location: Location;
  pieces: Piece[];
  schema: Schema;
  request: ReadRequest<unknown>;
  options: TableOptions;
  signal: AbortSignal;
}

export interface FileFormat {
  /** Reads as little as tells the columns. Throws FILE_INVALID, ARROW_INVALID. */
  describe(file: OpenFile, pinned: PinnedFile, options: TableOptions): Promise<FileDescription>;
  /** Pieces of one file, at most about `wanted`; absent: it is read whole. */
  divide?(file: OpenFile, pinned: PinnedFile, options: TableOptions, wanted: number): Promise<Piece[]>;
  read(job: ReadJob): AsyncGenerator<SourceBatch>;
}

export function formsOf(options: TableOptions): CellForms {
  const { dateFormats = [], trueTexts = [], falseTexts = [] } = options;
  return { dateFormats, trueTexts, falseTexts };
}

/** The type that the definition states for each column, with text for the rest, and the line's number where wished. */
export function statedColumns(names: string[], options: TableOptions): FileColumn[] {
  const { types = {}, lineColumn } = options;
  const columns = names.map((name) => ({
    name,
    spelling: Object.hasOwn(types, name) ? types[name]! : 'text',
    nullable: true,
  }));
  return lineColumn === undefined ? columns : [...columns, { name: lineColumn, spelling: 'line', nullable: false }];
}

/**
 * Files of one table have the same columns, in whatever order: one that lacks a column or has one more is not read,
 * rather than filled up or cut. Throws SCHEMA_DRIFT.
 */
export function assertSameColumns(names: string[], { description }: Pick<ReadPlan, 'description'>, at: string): void {
  const planned = description.columns as string[];
  const missing = planned.filter((name) => !names.includes(name));
  const more = names.filter((name) => !planned.includes(name));
  if (missing.length === 0 && more.length === 0) return;
  const lacks = missing.length === 0 ? '' : `lacks the columns ${missing.join(', ')}`;
  const has = more.length === 0 ? '' : `has the columns ${more.join(', ')} besides`;
  throw new HuitongError('SCHEMA_DRIFT', `the file ${[lacks, has].filter(Boolean).join(' and ')}`, {
    at,
    hint: 'Let the files of one table have the same columns, or make two tables of them.',
  });
}
