import { isHuitongError } from '../../lib/errors.ts';
import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceTable } from '../connector.ts';
import { type FilesConfig, formatOf } from './config.ts';
import type { FileDescription } from './format.ts';
import type { PinnedFile } from './location.ts';
import { openLocation } from './open-location.ts';
import { describeFile, filesOf, isOfFile, shownType } from './plan.ts';
import { openSnapshot } from './snapshot.ts';
import { types } from './types.ts';

/**
 * Tables of the definition, then each other file whose ending tells its format. Columns are what the files say: text
 * where they say nothing, or the type that the definition states. A file that cannot be read is shown without columns.
 */
export async function discover(config: FilesConfig, context: ConnectorContext): Promise<SourceTable[]> {
  const snapshot = await openSnapshot(config, context);
  const location = await openLocation(config, context.signal);
  try {
    const stated = Object.keys(config.tables ?? {});
    const taken = new Set(stated.flatMap((name) => pathsOf(config, snapshot.files, name)));
    const others = snapshot.files.filter(({ path }) => !taken.has(path) && formatOf(path, {}) !== undefined);
    const tables: SourceTable[] = [];
    for (const name of [...stated, ...others.map(({ path }) => path)]) {
      if (stated.includes(name) && pathsOf(config, snapshot.files, name).length === 0) continue;
      const { files, options } = filesOf(config, snapshot.files, { name });
      const [first] = files as [PinnedFile];
      const described = await describeFile(location, first, options).catch((e: unknown) => {
        if (isOfFile(e)) return undefined;
        throw e;
      });
      tables.push(describeTable(name, files, described));
    }
    return tables;
  } finally {
    await location.close();
    await snapshot.close();
  }
}

function pathsOf(config: FilesConfig, all: PinnedFile[], name: string): string[] {
  try {
    return filesOf(config, all, { name }).files.map(({ path }) => path);
  } catch (e: unknown) {
    if (isHuitongError(e, 'TABLE_NOT_FOUND')) return [];
    throw e;
  }
}

function describeTable(name: string, files: PinnedFile[], described: FileDescription | undefined): SourceTable {
  const columns = (described?.columns ?? []).map(({ spelling, ...column }) =>
    describedColumn(types, { ...column, type: spelling, sourceType: shownType(spelling) }),
  );
  const rows = files.length === 1 ? described?.rows : undefined;
  return {
    name,
    kind: 'table',
    columns,
    primaryKey: [],
    uniqueKeys: [],
    ...(rows === undefined ? {} : { rowsEstimate: rows }),
    ...(described === undefined ? { comment: 'This file cannot be read as its ending says.' } : {}),
  };
}
