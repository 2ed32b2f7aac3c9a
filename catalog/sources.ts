/** Sources: who owns them and of what kind they are. A connection is given only to the owner's worker. */
import { HuitongError } from '../lib/errors.ts';
import type { Source } from '../schemas/generated/api.ts';
import type { SourceDefinition } from '../schemas/generated/source.ts';
import type { Catalog } from './database.ts';
import type { SourceRow } from './rows.ts';

export interface ListSources {
  department?: string;
}

/** Every active source, by code. */
export async function listSources(catalog: Catalog, { department }: ListSources = {}): Promise<Source[]> {
  const query = catalog('source').select<SourceRow[]>('*').where({ state: 'active' }).orderBy('code');
  if (department !== undefined) query.where({ department });
  return (await query).map(toSource);
}

/** Active or retired. Throws NOT_FOUND. */
export async function getSource(catalog: Catalog, code: string): Promise<Source> {
  return toSource(await readSource(catalog, code));
}

/**
 * The definition with its connection, for a worker of the owning department: secrets are references (`env:`, `file:`).
 * Throws NOT_FOUND.
 */
export async function sourceDefinition(catalog: Catalog, code: string): Promise<SourceDefinition> {
  const { definition } = await readSource(catalog, code);
  return { ...definition, connection: connectionOf(definition) };
}

/** A limit on a statement's time is the connector's to keep; a kind that has no such setting refuses it. */
export function connectionOf({ connection, limits }: SourceDefinition): SourceDefinition['connection'] {
  const seconds = limits?.statementTimeoutSeconds;
  return seconds === undefined ? connection : { ...connection, statementTimeoutMs: seconds * 1000 };
}

async function readSource(catalog: Catalog, code: string): Promise<SourceRow> {
  const row = await catalog<SourceRow>('source').where({ code }).first();
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该数据源 · there is no such source', { at: code });
  return row;
}

function toSource({ code, department, kind, definition, state, updated_at }: SourceRow): Source {
  return { code, department, kind, title: definition.title, state, updatedAt: updated_at.toISOString() };
}
