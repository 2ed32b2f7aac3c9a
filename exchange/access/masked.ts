/** What a grant shows of a version: its parts as they are stored, or the projection that its policy makes of them. */
import { hash } from 'node:crypto';
import type { RecordBatch } from 'apache-arrow';
import { BodyBuffers, PartWriter } from '../../columnar/write.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { limits } from '../../lib/limits.ts';
import type { ManifestPart } from '../../schemas/generated/manifest.ts';
import type { ObjectStore } from '../store/store.ts';
import type { Access } from './access.ts';
import type { Decision } from './decision.ts';
import { compilePolicy } from './policy/compile.ts';
import { maskKeyOf } from './policy/keyed-hash.ts';
import type { Policy } from './policy/policy.ts';
import { projectionOf, type Shown } from './projections.ts';
import { projectedBatches } from './renditions/batches.ts';

/** What is shown, and the name of exactly that; equal names show equal cells. */
export interface NamedShown extends Shown {
  digest: string;
}

/**
 * Where the policy's projection is not there yet, it is made first: the whole of it, before the first byte is sent.
 * @throws POLICY_INVALID where the version no longer fits the policy; OBJECT_MISSING, OBJECT_CORRUPT, ARROW_INVALID
 */
export async function shownTo(access: Access, { grant, version, schema, parts }: Decision): Promise<NamedShown> {
  const { policy } = grant;
  if (policy === null) return { schema, parts, digest: version.manifestDigest };
  const { publication } = access;
  const maskKey = policy.hashedFor === null ? null : maskKeyOf(access.subjectKey, policy.hashedFor);
  const key = projectionKey(version.manifestDigest, policy, maskKey);
  const shown = await projectionOf(publication, {
    key,
    manifestDigest: version.manifestDigest,
    policyDigest: policy.digest,
    format: 'arrow',
    make: (alive) => makeProjection(publication.store, { schema, parts }, { policy, maskKey, alive }),
  });
  return { ...shown, digest: key };
}

/** Changes with the key of hashes, which is told by its digest only. */
function projectionKey(manifestDigest: string, policy: Policy, maskKey: Uint8Array | null): string {
  const keyedBy = maskKey === null ? null : hash('sha256', maskKey, 'hex');
  return hash('sha256', canonicalJson({ manifestDigest, policy: policy.digest, keyedBy, format: 'arrow' }), 'hex');
}

interface Making {
  policy: Policy;
  maskKey: Uint8Array | null;
  alive(): Promise<void>;
}

/** Batch by batch, in the memory of one: decode what is needed, filter, mask, compress, store. */
async function makeProjection(store: ObjectStore, stored: Shown, making: Making): Promise<Shown> {
  const compiled = compilePolicy(making.policy, stored.schema, making.maskKey);
  const read = projectedBatches({ store, ...stored, projection: { columns: compiled.reads } });
  const batches = shownBatches(read, compiled.apply, making.alive);
  const parts: ManifestPart[] = [];
  const buffers = new BodyBuffers();
  try {
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
      const writer = new PartWriter(compiled.schema, buffers);
      const object = await store.put(partOf(writer, next.value, batches));
      parts.push({ digest: object.digest, sizeBytes: object.sizeBytes, rows: writer.rows });
    }
  } finally {
    await batches.return(undefined);
  }
  return { schema: compiled.schema, parts };
}

async function* shownBatches(
  batches: AsyncIterable<RecordBatch>,
  apply: (batch: RecordBatch) => RecordBatch,
  alive: () => Promise<void>,
): AsyncGenerator<RecordBatch, undefined> {
  for await (const batch of batches) {
    await alive();
    const shown = apply(batch);
    if (shown.numRows > 0) yield shown;
  }
}

/** One part: the batch that is there already, and more of them until it is large enough. */
async function* partOf(
  writer: PartWriter,
  first: RecordBatch,
  more: AsyncGenerator<RecordBatch, undefined>,
): AsyncGenerator<Uint8Array> {
  yield* writer.start();
  yield* writer.batch(first);
  while (writer.rows < limits.partRowsMax && writer.sizeBytes < PART_STORED_BYTES) {
    const next = await more.next();
    if (next.done === true) break;
    yield* writer.batch(next.value);
  }
  yield* writer.end();
}

/** Large enough that a part's own overhead is nothing, small enough that a damaged one costs little to make again. */
const PART_STORED_BYTES = 64 * 1024 * 1024;
