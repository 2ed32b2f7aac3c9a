/** The batches of a projection, decoded one at a time: what CSV and JSON lines are written from. */
import { type RecordBatch, Schema } from 'apache-arrow';
import { messageShape } from '../../../columnar/layout.ts';
import { BatchMetadata } from '../../../columnar/message.ts';
import { type BatchIndex, type BatchMemory, type PartIndex, type ReadAt, readBatch } from '../../../columnar/read.ts';
import type { RenditionSource } from './rendition.ts';
import { rangeOf, readStoredIndex } from './stored-part.ts';

/** Schema of the projection: its columns, in its order. */
export function projectedSchema({ schema, projection }: RenditionSource): Schema {
  if (projection.columns === null) return schema;
  const byName = new Map(schema.fields.map((field) => [field.name, field]));
  return new Schema(
    projection.columns.map((name) => byName.get(name)!),
    schema.metadata,
  );
}

/** @param memory where given, each batch holds until the next is asked for */
export async function* projectedBatches(source: RenditionSource, memory?: BatchMemory): AsyncGenerator<RecordBatch> {
  for (const stored of source.parts) {
    const index = projectIndex(source, await readStoredIndex(source.store, stored));
    const part = await source.store.open(stored.digest);
    try {
      const readAt: ReadAt = (offset, length) => rangeOf(part, stored.digest, { offset, length });
      for (const batch of index.batches) yield await readBatch(readAt, index, batch, memory);
    } finally {
      await part.close();
    }
  }
}

/** The index as if the part had the projection's columns only, so that no other column is decompressed. */
function projectIndex(source: RenditionSource, index: PartIndex): PartIndex {
  const { columns } = source.projection;
  if (columns === null) return index;
  const places = new Map<string, { nodes: [number, number]; buffers: [number, number] }>();
  let [node, buffer] = [0, 0];
  for (const field of index.schema.fields) {
    const shape = messageShape(field.type);
    places.set(field.name, { nodes: [node, node + shape.nodes], buffers: [buffer, buffer + shape.buffers] });
    node += shape.nodes;
    buffer += shape.buffers;
  }
  const chosen = columns.map((name) => places.get(name)!);
  const project = (batch: BatchIndex): BatchIndex => {
    const { length, nodes, buffers, compression } = batch.metadata;
    const metadata = new BatchMetadata(
      length,
      chosen.flatMap((place) => nodes.slice(...place.nodes)),
      chosen.flatMap((place) => buffers.slice(...place.buffers)),
      compression,
    );
    return { ...batch, metadata };
  };
  return { ...index, schema: projectedSchema(source), batches: index.batches.map(project) };
}
