/**
 * Access: the one path from a principal to data. A token gives a principal, a principal and a dataset give a grant, a
 * grant and the columns asked for give a projection, and a projection of a version is what is sent. Nothing else in
 * the exchange opens a part for a reader.
 *
 * Glossary
 *   principal   who calls: a token's department, subject and roles
 *   grant       who may read which columns of which dataset; implicit for own data and unconditional items
 *   projection  the columns of one version under one grant
 *   rendition   how a projection is written: Arrow stream, CSV, JSON lines
 *   session     one read; its `opened` and `closed` leaves carry its id
 */
import type { AuditWriter } from '../audit/audit-log.ts';
import { keyedHash, type LeafInput } from '../audit/leaf.ts';
import type { Publication } from '../publication/publication.ts';
import type { Principal } from './rights.ts';

/** What the functions of this folder are given first. */
export interface Access {
  publication: Publication;
  audit: AuditWriter;
  /** Key of the hashes under which persons appear in the audit log; 32 random bytes. */
  subjectKey: Uint8Array;
  /** Raw X25519 key, base64: opens what workers sealed into the quarantine. */
  quarantinePrivateKey: string;
  /** What an operator must hear of. */
  onAlarm(alarm: Alarm): void;
}

export type Alarm =
  /** A stored object is not what was published: no answer was given, or it was broken off; the object is quarantined. */
  | { kind: 'object-corrupt'; digest: string; error: unknown }
  /** An object that a version needs is not in the store. */
  | { kind: 'object-missing'; digest: string; error: unknown }
  /** A read ended and its `closed` leaf could not be written; `opened` is in the log. */
  | { kind: 'close-not-recorded'; session: string; error: unknown };

/** The members of a leaf that say who. */
export function actorOf(access: Access, principal: Principal): Pick<LeafInput, 'actor' | 'subject' | 'onBehalfOf'> {
  return {
    actor: `token:${principal.tokenId}`,
    subject: keyedHash(access.subjectKey, principal.subject),
    onBehalfOf: principal.department,
  };
}

/** Records a refusal; throws AUDIT_UNAVAILABLE where it cannot be, which the caller then answers with. */
export async function recordDenial(
  access: Access,
  principal: Principal,
  denial: Pick<LeafInput, 'action' | 'object' | 'rule'> & Partial<LeafInput>,
): Promise<void> {
  await access.audit.append({ ...denial, ...actorOf(access, principal), decision: 'deny' });
}
