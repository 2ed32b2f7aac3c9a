/**
 * Column choice without decoding: an Arrow IPC stream over some columns of some parts, as a list of byte segments.
 * Only messages' metadata are made anew; compressed buffers are named by where they lie in their part. The length is
 * known before the first byte is read, so HTTP ranges and Content-Length can be served.
 */
import { Schema } from 'apache-arrow';
import { compareSchemas } from 'apache-arrow/visitor/typecomparator';
import { HuitongError } from '../lib/errors.ts';
import { messageShape } from './layout.ts';
import { aligned, BufferRegion, batchMessage, END_OF_STREAM, schemaMessage } from './message.ts';
import type { BatchIndex, PartIndex } from './read.ts';

/** Bytes to send: made here, or a range of the stored part with that place in the list given to `streamLayout`. */
export type Segment = { bytes: Uint8Array } | { part: number; offset: number; length: number };

export interface StreamLayout {
  /** Schema of the stream: the chosen columns in the order asked for. */
  schema: Schema;
  totalBytes: number;
  segments: Segment[];
}

/**
 * Lays out the stream of `columns` (all where undefined) over `parts`, whose schemas must equal `schema`.
 * @throws HuitongError NOT_FOUND for a column that is not there, ARROW_INVALID for a part of another schema
 */
export function streamLayout(schema: Schema, columns: string[] | undefined, parts: PartIndex[]): StreamLayout {
  const chosen = chooseColumns(schema, columns);
  const fields = chosen.map((column) => schema.fields[column.field]!);
  const selected = columns === undefined ? schema : new Schema(fields, schema.metadata);
  const out = new SegmentList();
  out.bytes(schemaMessage(selected));
  parts.forEach((part, place) => {
    if (!compareSchemas(part.schema, schema)) {
      throw new HuitongError('ARROW_INVALID', 'a part does not have the schema of its version');
    }
    for (const batch of part.batches) {
      if (columns === undefined) out.range(place, batch.offset, batch.metadataBytes + batch.bodyBytes);
      else addColumns(out, place, batch, chosen);
    }
  });
  out.bytes(END_OF_STREAM);
  return { schema: selected, totalBytes: out.totalBytes, segments: out.segments };
}

/** Segments (or pieces of them) that make up `length` bytes of the stream from `offset`. */
export function sliceSegments(segments: Segment[], offset: number, length: number): Segment[] {
  const pieces: Segment[] = [];
  let start = 0;
  for (const segment of segments) {
    const size = 'bytes' in segment ? segment.bytes.byteLength : segment.length;
    const from = Math.max(offset - start, 0);
    const to = Math.min(offset + length - start, size);
    if (from < to) {
      if ('bytes' in segment) pieces.push({ bytes: segment.bytes.subarray(from, to) });
      else pieces.push({ part: segment.part, offset: segment.offset + from, length: to - from });
    }
    start += size;
  }
  return pieces;
}

/** Where one column's nodes and buffers are in every batch message of the schema. */
interface ColumnPlace {
  field: number;
  firstNode: number;
  nodes: number;
  firstBuffer: number;
  buffers: number;
}

function chooseColumns(schema: Schema, columns: string[] | undefined): ColumnPlace[] {
  const places = new Map<string, ColumnPlace>();
  let [firstNode, firstBuffer] = [0, 0];
  schema.fields.forEach((field, position) => {
    const { nodes, buffers } = messageShape(field.type);
    places.set(field.name, { field: position, firstNode, nodes, firstBuffer, buffers });
    firstNode += nodes;
    firstBuffer += buffers;
  });
  return (columns ?? schema.fields.map((field) => field.name)).map((name) => {
    const place = places.get(name);
    if (place === undefined) throw new HuitongError('NOT_FOUND', `there is no column ${JSON.stringify(name)}`);
    return place;
  });
}

function addColumns(out: SegmentList, part: number, batch: BatchIndex, columns: ColumnPlace[]): void {
  const { nodes, buffers, compression } = batch.metadata;
  const bodyStart = batch.offset + batch.metadataBytes;
  const chosenNodes = columns.flatMap((column) => nodes.slice(column.firstNode, column.firstNode + column.nodes));
  const regions: BufferRegion[] = [];
  const body = new SegmentList();
  const ends = roomUntil(batch);
  for (const column of columns) {
    for (let i = column.firstBuffer; i < column.firstBuffer + column.buffers; i++) {
      const { offset, length } = buffers[i]!;
      regions.push(new BufferRegion(body.totalBytes, length));
      if (length === 0) continue;
      // The file's own padding is sent along, so that neighbouring buffers are one range; where the next buffer comes
      // sooner (another writer's file), its bytes must not leak, and the padding is ours.
      const padded = aligned(length);
      const taken = ends[i]! - offset >= padded ? padded : length;
      body.range(part, bodyStart + offset, taken);
      if (taken < padded) body.bytes(new Uint8Array(padded - taken));
    }
  }
  out.bytes(batchMessage(batch.rows, chosenNodes, regions, body.totalBytes, compression?.type));
  for (const segment of body.segments) out.add(segment);
}

/** For each buffer of a batch, where the next one that is not empty starts, or the body ends. */
function roomUntil({ metadata: { buffers }, bodyBytes }: BatchIndex): number[] {
  const ends = new Array<number>(buffers.length);
  let next = bodyBytes;
  for (let i = buffers.length - 1; i >= 0; i--) {
    ends[i] = next;
    if (buffers[i]!.length > 0) next = buffers[i]!.offset;
  }
  return ends;
}

class SegmentList {
  readonly segments: Segment[] = [];
  totalBytes = 0;

  bytes(bytes: Uint8Array): void {
    this.segments.push({ bytes });
    this.totalBytes += bytes.byteLength;
  }

  range(part: number, offset: number, length: number): void {
    this.totalBytes += length;
    const last = this.segments.at(-1);
    const joins = last !== undefined && 'part' in last && last.part === part && last.offset + last.length === offset;
    if (joins) last.length += length;
    else this.segments.push({ part, offset, length });
  }

  add(segment: Segment): void {
    if ('bytes' in segment) this.bytes(segment.bytes);
    else this.range(segment.part, segment.offset, segment.length);
  }
}
