/** Some columns of a part, read by ranges: the others stay where they are. */
import { Data, type DataType, RecordBatch, Schema, Struct } from 'apache-arrow';
import { limits } from '../lib/limits.ts';
import { messageShape } from './layout.ts';
import { type BatchMetadata, invalidUnless } from './message.ts';
import {
  type BatchIndex,
  Cursor,
  invalid,
  load,
  type PartIndex,
  type ReadAt,
  readExactly,
  restorerOf,
} from './read.ts';
import { announcedBytes } from './zstd.ts';

/** Decodes some columns of one batch, and reads no others; `positions` are those of the part's schema. */
export async function readColumns(
  readAt: ReadAt,
  index: PartIndex,
  batch: BatchIndex,
  positions: number[],
): Promise<RecordBatch> {
  const fields = positions.map((position) => index.schema.fields[position]!);
  const children: Data[] = [];
  for (const [i, position] of positions.entries()) {
    const { nodes, buffers } = placesOf(index.schema, batch, position);
    // Empty ones may lie anywhere, and a column of nulls has none at all.
    const filled = buffers.filter(({ length }) => length > 0);
    const start = Math.min(...filled.map(({ offset }) => offset));
    const end = Math.max(...filled.map(({ offset, length }) => offset + length));
    const at = batch.offset + batch.metadataBytes + start;
    const bytes = filled.length === 0 ? new Uint8Array(0) : await readExactly(readAt, at, end - start);
    const stored = buffers.map(({ offset, length }) =>
      length === 0 ? new Uint8Array(0) : bytes.subarray(offset - start, offset - start + length),
    );
    children.push(invalidUnless('a record batch', () => decodeColumn(fields[i]!.type, batch, nodes, stored)));
  }
  return new RecordBatch(new Schema(fields), new Data(new Struct(fields), 0, batch.rows, 0, undefined, children));
}

/** One column's nodes and buffers among those of its batch. */
function placesOf(schema: Schema, { metadata }: BatchIndex, position: number) {
  const before = { nodes: 0, buffers: 0 };
  for (const field of schema.fields.slice(0, position)) {
    const shape = messageShape(field.type);
    before.nodes += shape.nodes;
    before.buffers += shape.buffers;
  }
  const own = messageShape(schema.fields[position]!.type);
  return {
    nodes: metadata.nodes.slice(before.nodes, before.nodes + own.nodes),
    buffers: metadata.buffers.slice(before.buffers, before.buffers + own.buffers),
  };
}

function decodeColumn(
  type: DataType,
  { metadata, rows }: BatchIndex,
  nodes: BatchMetadata['nodes'],
  stored: Uint8Array[],
): Data {
  const restored = stored.reduce(
    (sum, one) => sum + (metadata.compression === null ? one.byteLength : announcedBytes(one)),
    0,
  );
  if (restored > limits.arrowBatchBytesMax) throw invalid('a batch is larger than is allowed');
  const data = load(type, new Cursor(nodes, stored, restorerOf(metadata)));
  if (data.length !== rows) throw invalid('columns of a batch differ in length');
  return data;
}
