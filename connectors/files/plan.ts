/** Which files are a table, what its columns are, and how it is divided. No rows are read. */
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { mapColumns, plannedColumn } from '../columns.ts';
import type { PlanOptions, ReadPlan, TableName, TableRequest } from '../connector.ts';
import { type FilesConfig, formatOf, type TableOptions, tableOptions } from './config.ts';
import type { FileDescription, Piece } from './format.ts';
import { formatFor } from './formats.ts';
import { assertInside, type Location, type PinnedFile, patternOf } from './location.ts';
import { types } from './types.ts';

/** Plain data: files, or parts of files, one behind the other. */
export interface FilesPartition {
  pieces: Piece[];
}

export interface TableFiles {
  name: string;
  options: TableOptions;
  files: PinnedFile[];
}

/** The files of a table, by path. Throws TABLE_NOT_FOUND, PATH_OUTSIDE. */
export function filesOf(config: FilesConfig, all: PinnedFile[], table: TableName): TableFiles {
  const at = table.schema === undefined ? table.name : `${table.schema}.${table.name}`;
  if (table.schema !== undefined) {
    throw new HuitongError('TABLE_NOT_FOUND', 'sources of files have no schemas', { at });
  }
  const { files: pattern, ...options } = tableOptions(config, table.name);
  assertInside(pattern);
  const matches = patternOf(pattern);
  const files = all.filter(({ path }) => path === pattern || matches.test(path));
  if (files.length > 0) return { name: table.name, options, files };
  throw new HuitongError('TABLE_NOT_FOUND', 'there is no file of this name or pattern', {
    at,
    hint: 'Links and hidden files are not looked at; see `source discover` for what is there.',
  });
}

export async function describeFile(
  location: Location,
  file: PinnedFile,
  options: TableOptions,
): Promise<FileDescription> {
  const format = await formatFor(file.path, options);
  const opened = await location.open(file);
  try {
    return await format.describe(opened, file, options);
  } finally {
    await opened.close();
  }
}

export async function planTable(
  location: Location,
  config: FilesConfig,
  all: PinnedFile[],
  request: TableRequest,
  { partitions }: PlanOptions,
): Promise<Omit<ReadPlan<FilesPartition>, 'guarantee' | 'snapshotToken'>> {
  const { files, options, name } = filesOf(config, all, request.table);
  // The first file speaks for all; a file with other columns is refused when it is read.
  const [first] = files as [PinnedFile];
  const described = await describeFile(location, first, options);
  assertTypesOfColumns(described, options, name);
  const columns = described.columns.map(({ spelling, ...column }) => ({
    ...column,
    type: spelling,
    sourceType: shownType(spelling),
  }));
  const mapped = mapColumns(types, columns, request, name);
  const pieces = await piecesOf(location, files, options, partitions);
  const cells = described.columns.filter((column) => column.spelling !== 'line');
  return {
    table: request.table,
    columns: mapped.map(({ column, mapping }) => plannedColumn(column, mapping)),
    partitions: balance(pieces, partitions),
    description: {
      format: formatOf(first.path, options),
      order: 'file',
      columns: cells.map((column) => column.name),
      files: files.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
    },
    uniqueKeys: [],
  };
}

/** An Arrow field's spelling is long, and says nothing to a person. */
export function shownType(spelling: string): string {
  if (!spelling.startsWith('arrow:')) return spelling;
  const mapping = types.mappingOf(spelling);
  return mapping === undefined ? 'a type that parts do not carry' : String(types.arrowTypeOf(mapping));
}

/** A misspelt name would leave its column as text, unnoticed. */
function assertTypesOfColumns({ columns }: FileDescription, options: TableOptions, at: string): void {
  const unknown = Object.keys(options.types ?? {}).filter((name) => !columns.some((column) => column.name === name));
  if (unknown.length === 0) return;
  throw new HuitongError('COLUMN_NOT_FOUND', `types are stated for columns that are not there: ${unknown.join(', ')}`, {
    at,
  });
}

async function piecesOf(
  location: Location,
  files: PinnedFile[],
  options: TableOptions,
  wanted: number,
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const file of files) {
    const format = await formatFor(file.path, options);
    const share = Math.round((wanted * file.sizeBytes) / Math.max(1, totalBytes));
    if (share <= 1 || format.divide === undefined) {
      pieces.push({ file });
      continue;
    }
    const opened = await location.open(file);
    try {
      pieces.push(...(await format.divide(opened, file, options, share)));
    } finally {
      await opened.close();
    }
  }
  return pieces;
}

/** Pieces in their order, so many to a partition that partitions are of about equal size. */
function balance(pieces: Piece[], wanted: number): FilesPartition[] {
  const sizes = pieces.map(({ file, bytes }) => (bytes === undefined ? file.sizeBytes : bytes.end - bytes.start));
  const total = Math.max(
    1,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const partitions: FilesPartition[] = [];
  let before = 0;
  let last = -1;
  pieces.forEach((piece, i) => {
    // By the middle of each piece.
    const place = Math.min(wanted - 1, Math.floor(((before + sizes[i]! / 2) / total) * wanted));
    before += sizes[i]!;
    if (place > last) partitions.push({ pieces: [] });
    last = Math.max(last, place);
    partitions.at(-1)!.pieces.push(piece);
  });
  return partitions;
}

/** Whether a failure is of one file only, so that a listing can go on. */
export function isOfFile(e: unknown): boolean {
  return [
    'FILE_INVALID',
    'ARROW_INVALID',
    'DECOMPRESSION_LIMIT',
    'TYPE_UNMAPPED',
    'SNAPSHOT_LOST',
    'CONFIG_INVALID',
  ].some((code) => isHuitongError(e, code as 'FILE_INVALID'));
}
