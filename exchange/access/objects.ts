/** A version's manifest and parts as they are stored, for offline verification: they need a grant of all columns. */
import { HuitongError } from '../../lib/errors.ts';
import { partsOfStore } from '../publication/part-tags.ts';
import type { Access } from './access.ts';
import { type Asked, type Decision, decide, notFound, readLeaf, recordReadDenial } from './decision.ts';
import { storedRange } from './renditions/stored-part.ts';
import { openSession, type Session } from './session.ts';

export interface ObjectRequest extends Omit<Asked, 'columns'> {
  /** The digest of a part of that version; absent: its manifest. */
  part?: string;
}

export interface OpenedObject extends Session {
  digest: string;
  sizeBytes: number;
}

/** Throws NOT_FOUND, AUDIT_UNAVAILABLE, OBJECT_MISSING. */
export async function openObject(access: Access, request: ObjectRequest): Promise<OpenedObject> {
  const decision = await decide(access, request);
  const { store } = access.publication;
  const digest = digestOf(decision, request.part);
  if (digest === undefined) {
    await recordReadDenial(access, request.principal, { dataset: decision.version.dataset, rule: 'NOT_FOUND' });
    throw notFound();
  }
  const stored = await store.stat(digest);
  if (stored === undefined) throw new HuitongError('OBJECT_MISSING', 'the object is not in the store', { at: digest });
  const leaf = readLeaf(access, request.principal, decision);
  const object = request.part === undefined ? `${leaf.object}/manifest` : `${leaf.object}/part/${digest}`;
  const session = await openSession(
    access,
    { ...leaf, object, format: 'object' },
    {
      grant: decision.grant,
      digests: [digest],
      bytes: () => storedRange(partsOfStore(access.publication), digest, { offset: 0, length: stored.sizeBytes }),
    },
  );
  return { ...session, ...stored };
}

function digestOf({ grant, version, parts, projection }: Decision, part: string | undefined): string | undefined {
  if (projection.columns !== null || grant.policy !== null) return undefined;
  if (part === undefined) return version.manifestDigest;
  return parts.find(({ digest }) => digest === part)?.digest;
}
