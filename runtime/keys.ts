/** Keys as the configuration gives them (PEM) in the forms that the exchange works with. */
import { createHash, createPrivateKey, hkdfSync, type KeyObject } from 'node:crypto';
import { HuitongError } from '../lib/errors.ts';
import type { BoxKeys } from '../lib/sealed-box.ts';

/** The quarantine's X25519 pair, raw in base64. @throws CONFIG_INVALID, without a word of the key */
export function boxKeysOf(privateKeyPem: string, at: string): BoxKeys {
  const { d, x } = readPrivateKey(privateKeyPem, 'x25519', at).export({ format: 'jwk' });
  if (d === undefined || x === undefined) throw invalid('x25519', at);
  return { privateKey: toBase64(d), publicKey: toBase64(x) };
}

/**
 * The key of the staging sessions' tokens, the same in every server of one exchange and after a restart: derived from
 * the signing key (RFC 5869), so that there is no further secret to hand out.
 */
export function sessionKeyOf(signingKeyPem: string, at: string): Uint8Array {
  const seed = readPrivateKey(signingKeyPem, 'ed25519', at).export({ type: 'pkcs8', format: 'der' });
  return new Uint8Array(hkdfSync('sha256', seed, '', 'huitong staging sessions 1', 32));
}

const SUBJECT_KEY_CHARACTERS_MIN = 32;

/** The 32 bytes of the audit log's subject key, from its text. @throws CONFIG_INVALID where that is too short */
export function subjectKeyOf(text: string, at: string): Uint8Array {
  if (text.length < SUBJECT_KEY_CHARACTERS_MIN) {
    throw new HuitongError('CONFIG_INVALID', `this key has fewer than ${SUBJECT_KEY_CHARACTERS_MIN} characters`, {
      at,
    });
  }
  return new Uint8Array(createHash('sha256').update(text).digest());
}

function readPrivateKey(pem: string, type: 'x25519' | 'ed25519', at: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause is left out: OpenSSL's message may quote the key's text.
    throw invalid(type, at);
  }
  if (key.asymmetricKeyType !== type) throw invalid(type, at);
  return key;
}

function invalid(type: string, at: string): HuitongError {
  return new HuitongError('CONFIG_INVALID', `this is not an ${type} private key in PEM (PKCS 8)`, { at });
}

function toBase64(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('base64');
}
