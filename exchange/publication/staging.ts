/** Objects of a generation that is being extracted: handed over, and read back by the worker that made them. */
import type { Readable } from 'node:stream';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { ByteRange, StoredObject } from '../store/store.ts';
import { holdOffCollector } from './collection-lock.ts';
import { isOfBase } from './increment.ts';
import { partsOfStore } from './part-tags.ts';
import type { Publication } from './publication.ts';
import { type RunRow, readRunRow } from './rows.ts';

export type StagedKind = 'part' | 'quarantine' | 'report' | 'manifest';

export interface Generation {
  runId: string;
  generation: number;
}

export interface StageObject extends Generation {
  kind: StagedKind;
  bytes: AsyncIterable<Uint8Array>;
  /** The digest that the worker computed; another one is DIGEST_MISMATCH and keeps nothing. */
  expected?: string;
}

/**
 * Stores one object, hashed as it arrives, and notes it for this generation; the same object twice is one. Throws
 * NOT_FOUND, FENCED for a generation that is no longer the run's, OBJECT_TOO_LARGE, and what the store throws.
 */
export async function stageObject(publication: Publication, request: StageObject): Promise<StoredObject> {
  const { catalog, store } = publication;
  const { runId, generation, kind } = request;
  // Before the bytes are taken, so that a fenced worker is turned away early; and again below, where it counts.
  assertOpen(await readRunRow(catalog, runId), generation);
  // Only parts are read in pieces.
  const into = kind === 'part' ? partsOfStore(publication) : store;
  const stored = await into.put(limited(request.bytes), request.expected);
  await catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    assertOpen(await readRunRow(transaction, runId, 'share'), generation);
    await transaction('staged_object')
      .insert({ run: runId, generation, digest: stored.digest, kind, size_bytes: stored.sizeBytes })
      .onConflict(['run', 'generation', 'digest'])
      .ignore();
    // An equal object of old may have been collected between `put` and here.
    if (!(await store.stat(stored.digest))) {
      throw new HuitongError('OBJECT_MISSING', 'the object was collected while it was staged', { at: stored.digest });
    }
  });
  return stored;
}

export interface ReadStaged extends Generation {
  digest: string;
  range?: ByteRange;
}

/**
 * Opens an object that this generation staged, or one of the version that an increment is built on. Throws NOT_FOUND
 * for any other, FENCED as above.
 */
export async function readStaged(
  publication: Publication,
  { runId, generation, digest, range }: ReadStaged,
): Promise<Readable> {
  const { catalog, store } = publication;
  const run = await readRunRow(catalog, runId);
  assertOpen(run, generation);
  const [staged] = await catalog('staged_object').where({ run: runId, generation, digest }).select('digest');
  if (!staged && !(await isOfBase(publication, run, digest))) {
    throw new HuitongError('NOT_FOUND', 'this generation may read no such object', { at: digest });
  }
  return store.read(digest, range);
}

/** Throws FENCED unless the run still runs and this is its newest generation. */
export function assertOpen(run: RunRow, generation: number): void {
  if (run.state === 'running' && run.generation === generation) return;
  const why = run.state === 'running' ? 'a newer generation of the run was opened' : `the run is ${run.state}`;
  throw new HuitongError('FENCED', why, { at: `${run.id} generation ${generation}` });
}

async function* limited(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.objectBytesMax) {
      throw new HuitongError('OBJECT_TOO_LARGE', `an object has at most ${limits.objectBytesMax} bytes`);
    }
    yield chunk;
  }
}
