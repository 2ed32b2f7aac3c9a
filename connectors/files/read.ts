import type { Schema } from 'apache-arrow';
import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadPlan, ReadRequest, SourceBatch } from '../connector.ts';
import { type FilesConfig, tableOptions } from './config.ts';
import { formatFor } from './formats.ts';
import { stopIfCancelled } from './location.ts';
import { openLocation } from './open-location.ts';
import type { FilesPartition } from './plan.ts';
import { joinSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export function arrowSchema(plan: ReadPlan<FilesPartition>): Schema {
  return arrowSchemaOf(types, plan);
}

/** Reads one partition. Throws SNAPSHOT_LOST, SCHEMA_DRIFT, FILE_INVALID, CELL_TOO_LARGE, CANCELLED and the like. */
export async function* read(
  config: FilesConfig,
  request: ReadRequest<FilesPartition>,
  { signal }: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const { files: _, ...options } = tableOptions(config, plan.table.name);
  stopIfCancelled(signal);
  await joinSnapshot(plan.snapshotToken);
  const [first] = partition.pieces;
  if (first === undefined) return;
  const location = await openLocation(config, signal);
  try {
    const format = await formatFor(first.file.path, options);
    yield* format.read({ location, pieces: partition.pieces, schema: arrowSchema(plan), request, options, signal });
  } finally {
    await location.close();
  }
}
