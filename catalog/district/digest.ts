/** Digests of documents: SHA-256 over canonical JSON (RFC 8785), so that order and spacing do not count. */
import { createHash } from 'node:crypto';
import type { ContractDocument } from '../../contracts/contract.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';

/** Lower-case hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** What a version and its manifest name as the contract they were checked against. */
export function contractDigestOf(document: ContractDocument): string {
  return digestOf(document);
}
