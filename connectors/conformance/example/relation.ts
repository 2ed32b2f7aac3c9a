/** The tables of a folder, and the columns that the first line of each declares. */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CatalogColumn, HuitongError } from '../../index.ts';
import { assertConfig, type ExampleConfig } from './config.ts';
import type { SourceType } from './types.ts';

const ENDING = '.tsv';

/** Throws CONFIG_INVALID, SOURCE_UNREACHABLE, SOURCE_FORBIDDEN. */
export async function listTables(config: ExampleConfig): Promise<string[]> {
  assertConfig(config);
  const files = await readdir(config.folder).catch((cause: unknown) => {
    throw folderError(cause);
  });
  return files
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
}

/** Throws what `listTables` throws, and TABLE_NOT_FOUND. The name is looked for, so that it cannot lead elsewhere. */
export async function openTable(config: ExampleConfig, name: string): Promise<FileHandle> {
  const names = await listTables(config);
  if (!names.includes(name)) throw new HuitongError('TABLE_NOT_FOUND', 'the folder has no such table', { at: name });
  return open(join(config.folder, `${name}${ENDING}`), constants.O_RDONLY).catch((cause: unknown) => {
    throw new HuitongError('SOURCE_FORBIDDEN', 'this file cannot be opened', { at: name, cause });
  });
}

/** The lines of a table, of which the first declares its columns. Whatever Unicode calls a line's end is one. */
export async function* linesOf(config: ExampleConfig, name: string): AsyncGenerator<string> {
  const file = await openTable(config, name);
  try {
    yield* file.readLines({ encoding: 'utf8', autoClose: false });
  } finally {
    await file.close();
  }
}

export async function columnsOf(config: ExampleConfig, name: string): Promise<CatalogColumn<SourceType>[]> {
  for await (const line of linesOf(config, name)) return line.split('\t').map(columnOf);
  return [];
}

/** `name:type`; a name may hold colons, a type holds none. */
function columnOf(declaration: string): CatalogColumn<SourceType> {
  const end = declaration.lastIndexOf(':');
  const sourceType = declaration.slice(end + 1);
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(sourceType);
  const type = decimal
    ? { name: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
    : { name: sourceType };
  return { name: declaration.slice(0, Math.max(0, end)), type, sourceType, nullable: true };
}

function folderError(cause: unknown): HuitongError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'EACCES' || code === 'EPERM'
    ? new HuitongError('SOURCE_FORBIDDEN', 'the folder may not be read', { cause })
    : new HuitongError('SOURCE_UNREACHABLE', 'there is no such folder', { cause });
}
