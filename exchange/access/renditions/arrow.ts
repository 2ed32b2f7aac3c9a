/**
 * The Arrow IPC stream of a projection. Compressed buffers are copied out of the stored parts and never decoded, so the
 * length is known at once and any range can be served.
 */
import { type Segment, type StreamLayout, sliceSegments, streamLayout } from '../../../columnar/stream.ts';
import type { OpenObject } from '../../store/store.ts';
import type { Rendition, RenditionSource, Sent } from './rendition.ts';
import { lentRange, readStoredIndex } from './stored-part.ts';

export async function arrowRendition(source: RenditionSource): Promise<Rendition> {
  const { store, schema, parts, projection } = source;
  const indexes = [];
  for (const part of parts) indexes.push(await readStoredIndex(store, part));
  const layout = streamLayout(schema, projection.columns ?? undefined, indexes);
  return {
    contentType: 'application/vnd.apache.arrow.stream',
    totalBytes: layout.totalBytes,
    bytes(sent, range) {
      if (range !== undefined) return chosenBytes(source, sliceSegments(layout.segments, range.offset, range.length));
      return allRows(source, layout, sent);
    },
  };
}

async function* allRows(source: RenditionSource, layout: StreamLayout, sent: Sent): AsyncGenerator<Uint8Array> {
  yield* chosenBytes(source, layout.segments);
  sent.rows = rowsOf(source);
}

/** Each part is opened once. */
async function* chosenBytes({ store, parts }: RenditionSource, segments: Segment[]): AsyncGenerator<Uint8Array> {
  let open: { place: number; object: OpenObject } | undefined;
  try {
    for (const segment of segments) {
      if ('bytes' in segment) {
        yield segment.bytes;
        continue;
      }
      const { digest } = parts[segment.part]!;
      if (open?.place !== segment.part) {
        await open?.object.close();
        open = undefined;
        open = { place: segment.part, object: await store.open(digest) };
      }
      yield* lentRange(open.object, digest, segment);
    }
  } finally {
    await open?.object.close();
  }
}

function rowsOf({ parts }: RenditionSource): number {
  return parts.reduce((rows, part) => rows + part.rows, 0);
}
