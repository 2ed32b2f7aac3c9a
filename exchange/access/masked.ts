/** What a grant shows of a version: its parts as they are stored, or the projection that its policy makes of them. */
import { hash } from 'node:crypto';
import type { RecordBatch, Schema } from 'apache-arrow';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { partsOfStore } from '../publication/part-tags.ts';
import type { PartStore } from '../store/part-store.ts';
import type { Access } from './access.ts';
import type { Decision } from './decision.ts';
import { makeInThreads } from './making/make-in-threads.ts';
import { shownBatches } from './making/make-projection.ts';
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
  const maskKey = keyFor(access, policy);
  const key = projectionKey(version.manifestDigest, policy, maskKey);
  const shown = await projectionOf(publication, {
    key,
    manifestDigest: version.manifestDigest,
    policyDigest: policy.digest,
    format: 'arrow',
    async make(alive) {
      const compiled = compilePolicy(policy, schema, maskKey);
      const made = await makeInThreads(
        partsOfStore(publication),
        { schema, parts },
        { make: 'projection', policy, maskKey },
        alive,
      );
      return { schema: compiled.schema, parts: made };
    },
  });
  return { ...shown, digest: key };
}

/** What cells are read from, and the key that the keys of masks come from. */
export interface Reading extends Pick<Access, 'subjectKey'> {
  store: Pick<PartStore, 'open'>;
}

/**
 * The same cells, made while they are read and not kept: for a few of a version's parts.
 * @throws POLICY_INVALID where the version no longer fits the policy
 */
export function shownWhileRead(
  { store, subjectKey }: Reading,
  policy: Policy,
  stored: Shown,
): { schema: Schema; batches(): AsyncIterable<RecordBatch> } {
  const compiled = compilePolicy(policy, stored.schema, keyFor({ subjectKey }, policy));
  const source = { store, ...stored, projection: { columns: compiled.reads } };
  return { schema: compiled.schema, batches: () => shownBatches(projectedBatches(source), compiled.apply) };
}

function keyFor({ subjectKey }: Pick<Access, 'subjectKey'>, { hashedFor }: Policy): Uint8Array | null {
  return hashedFor === null ? null : maskKeyOf(subjectKey, hashedFor);
}

/** Changes with the key of hashes, which is told by its digest only. */
function projectionKey(manifestDigest: string, policy: Policy, maskKey: Uint8Array | null): string {
  const keyedBy = maskKey === null ? null : hash('sha256', maskKey, 'hex');
  return hash('sha256', canonicalJson({ manifestDigest, policy: policy.digest, keyedBy, format: 'arrow' }), 'hex');
}
