/** An answer's body without its Content-Encoding, guarded against little that becomes much. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { HuitongError } from '../lib/errors.ts';
import { placeOf } from './web-errors.ts';

/** Text of databases compresses 10 to 50 times; a bomb, a thousand times. */
const RATIO_MAX = 200;
const SMALL_BYTES = 1024 * 1024;

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** The decoded body. It fails with DECOMPRESSION_LIMIT where it grows beyond any honest ratio, SOURCE_FAILED where it cannot be decoded. */
export function boundedBody(message: IncomingMessage, url: URL): Readable {
  const encoding = (message.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity') return message;
  const at = placeOf(url);
  const decoder = decoders[encoding]?.();
  if (decoder === undefined) {
    message.destroy();
    throw new HuitongError('SOURCE_FAILED', `the answer is encoded as ${JSON.stringify(encoding)}`, { at });
  }
  let received = 0;
  let produced = 0;
  message.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const guard = new Transform({
    transform(chunk: Buffer, _, done) {
      produced += chunk.length;
      if (produced <= SMALL_BYTES || produced <= received * RATIO_MAX) return done(null, chunk);
      done(new HuitongError('DECOMPRESSION_LIMIT', `the answer grew more than ${RATIO_MAX} times`, { at }));
    },
  });
  // The failure comes out of the guard, which the caller reads.
  pipeline(message, decoder, guard, () => {});
  return guard;
}
