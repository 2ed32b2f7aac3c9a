/** A version's manifest and parts as they are stored, for offline verification: they need a grant of all columns. */
import type { Access } from './access.ts';
import { type Decision, decide, notFound, readLeaf, recordReadDenial } from './decision.ts';
import type { Principal } from './rights.ts';
import { openSession, type Session } from './session.ts';

export interface ObjectRequest {
  principal: Principal;
  dataset: string;
  version: 'current' | number;
  /** The digest of a part of that version; absent: its manifest. */
  part?: string;
}

export interface OpenedObject extends Session {
  digest: string;
  sizeBytes: number;
}

/** The bytes are what the store has: who verifies hashes them. Throws NOT_FOUND, AUDIT_UNAVAILABLE, OBJECT_MISSING. */
export async function openObject(access: Access, request: ObjectRequest): Promise<OpenedObject> {
  const decision = await decide(access, request);
  const { store } = access.publication;
  const digest = digestOf(decision, request.part);
  if (digest === undefined) {
    await recordReadDenial(access, request.principal, decision.version.dataset, 'NOT_FOUND');
    throw notFound();
  }
  const stored = await store.stat(digest);
  // Before anything is recorded as opened: what the store lost cannot be sent.
  const bytes = await store.read(digest);
  const leaf = readLeaf(access, request.principal, decision);
  const object = request.part === undefined ? `${leaf.object}/manifest` : `${leaf.object}/part/${digest}`;
  try {
    const session = await openSession(access, { ...leaf, object, format: 'object' }, () => pass(bytes));
    return { ...session, digest, sizeBytes: stored?.sizeBytes ?? 0 };
  } catch (e: unknown) {
    bytes.destroy();
    throw e;
  }
}

function digestOf({ version, parts, projection }: Decision, part: string | undefined): string | undefined {
  if (projection.columns !== null) return undefined;
  if (part === undefined) return version.manifestDigest;
  return parts.find(({ digest }) => digest === part)?.digest;
}

async function* pass(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* bytes;
}
