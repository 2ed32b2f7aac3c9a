/** What a leaf is and how it becomes bytes. Its shape: schemas/document/audit-leaf.json. */
import { createHmac } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import leafSchema from '../../schemas/document/audit-leaf.json' with { type: 'json' };
import commonSchema from '../../schemas/document/common.json' with { type: 'json' };
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';

/** A leaf as its writer gives it: the time is added where it is absent, the outbox's number only by the outbox. */
export type LeafInput = Omit<AuditLeaf, 'time' | 'outbox'> & { time?: string };

const ajv = new Ajv2020({ allErrors: false, strictTypes: false });
ajvFormats.default(ajv);
ajv.addSchema(commonSchema);
const validate = ajv.compile<AuditLeaf>(leafSchema);

/**
 * The bytes that are hashed and stored: canonical JSON (RFC 8785) in UTF-8.
 * @throws AUDIT_LEAF_INVALID with the pointer at fault, never the value
 */
export function encodeLeaf(leaf: LeafInput & { outbox?: number }, now: Date = new Date()): Buffer {
  const whole = { time: now.toISOString(), ...leaf };
  if (!validate(whole)) {
    const [error] = validate.errors ?? [];
    throw new HuitongError('AUDIT_LEAF_INVALID', `an audit leaf breaks its schema: ${error?.keyword}`, {
      pointer: error?.instancePath,
      at: error?.schemaPath,
    });
  }
  const bytes = Buffer.from(canonicalJson(whole));
  if (bytes.length > limits.auditLeafBytesMax) {
    throw new HuitongError('AUDIT_LEAF_INVALID', `an audit leaf is larger than ${limits.auditLeafBytesMax} bytes`);
  }
  return bytes;
}

/** How personal data enters a leaf: HMAC-SHA-256 under the exchange's key, so that guesses cannot be tried without it. */
export function keyedHash(key: Uint8Array, value: string): string {
  return `hmac-sha256:${createHmac('sha256', key).update(value).digest('hex')}`;
}
