/** Column lineage: which column of which source table each item of a dataset came from, and in which versions. */

import type { Catalog } from '../../catalog/database.ts';
import { readSchemaMessage } from '../../columnar/message.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { Publication } from './publication.ts';

export interface LineageEdge {
  item: string;
  source: string;
  sourceTable: string;
  sourceColumn: string;
  sinceVersion: number;
  /** The first version that no longer has the edge; null while the newest has it. */
  untilVersion: number | null;
}

type Edge = Pick<LineageEdge, 'item' | 'source' | 'sourceTable' | 'sourceColumn'>;

/** Explicit column edges, one an item; an item has its column's name. */
export function edgesOf(definition: Pick<DatasetDefinition, 'source' | 'table'>, arrowSchema: string): Edge[] {
  const { schema, name } = definition.table;
  const sourceTable = schema === undefined ? name : `${schema}.${name}`;
  return readSchemaMessage(Buffer.from(arrowSchema, 'base64')).fields.map((field) => ({
    item: field.name,
    source: definition.source,
    sourceTable,
    sourceColumn: field.name,
  }));
}

/** Within the commit's transaction: ends the edges that `version` no longer has, and adds those that are new. */
export async function writeEdges(transaction: Catalog, dataset: string, version: number, edges: Edge[]): Promise<void> {
  await transaction.raw(END_EDGES, [version, dataset, JSON.stringify(edges)]);
  await transaction.raw(ADD_EDGES, [dataset, version, JSON.stringify(edges)]);
}

const EDGES = `jsonb_to_recordset(?::jsonb) as new(item text, source text, "sourceTable" text, "sourceColumn" text)`;

const END_EDGES = `
  update lineage_edge old set until_version = ?
  where old.dataset = ? and old.until_version is null and not exists (
    select from ${EDGES} where (new.item, new.source, new."sourceTable", new."sourceColumn")
                             = (old.item, old.source, old.source_table, old.source_column))`;

const ADD_EDGES = `
  insert into lineage_edge (dataset, since_version, item, source, source_table, source_column)
  select ?, ?, new.item, new.source, new."sourceTable", new."sourceColumn" from ${EDGES}
  on conflict (dataset, item, source, source_table, source_column) where until_version is null do nothing`;

/** Every edge that the dataset ever had, the present ones first. */
export async function listLineage({ catalog }: Publication, dataset: string): Promise<LineageEdge[]> {
  return catalog('lineage_edge')
    .where({ dataset })
    .orderByRaw('until_version desc nulls first, item, source, source_table, source_column')
    .select<LineageEdge[]>({
      item: 'item',
      source: 'source',
      sourceTable: 'source_table',
      sourceColumn: 'source_column',
      sinceVersion: 'since_version',
      untilVersion: 'until_version',
    });
}
