/**
 * Answers of a department's worker that are rows, or could tell of rows: they do not pass through Temporal, which keeps
 * what it is told. The worker seals them to a key that only the asking process has, and puts them into the store; that
 * process takes them out at once. What nobody takes is unreadable, and collected like any object without an owner.
 */
import { Readable } from 'node:stream';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { openBox } from '../../lib/sealed-box.ts';
import { readWhole } from '../store/read-whole.ts';
import type { StoredObject } from '../store/store.ts';
import type { Publication } from './publication.ts';

/** Throws OBJECT_TOO_LARGE, and what the store throws. */
export function stageAnswer({ store }: Publication, bytes: Readable): Promise<StoredObject> {
  return store.put(limited(bytes));
}

/**
 * Opens an answer and removes it. What does not open with the key is left where it is: a worker that names another
 * object as its answer has nothing removed by it.
 * @throws OBJECT_MISSING, SEALED_INVALID
 */
export async function takeAnswer({ store }: Publication, digest: string, privateKey: string): Promise<Buffer> {
  const sealed = await readWhole(Readable.from(limited(await store.read(digest))));
  const opened = Buffer.concat([...openBox(privateKey, sealed)]);
  await store.remove(digest);
  return opened;
}

async function* limited(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limits.sealedAnswerBytesMax) {
      throw new HuitongError('OBJECT_TOO_LARGE', `an answer has at most ${limits.sealedAnswerBytesMax} bytes`);
    }
    yield chunk;
  }
}
