/** Signs heads with the exchange's Ed25519 key. The private key stays in here; everybody may know the public one. */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { HuitongError } from '../../lib/errors.ts';
import { HEAD_ALGORITHM, type HeadFields, headText, keyId, type SignedHead } from './verify/head.ts';

export interface HeadSigner {
  /** Names the log: no spaces; unique to this installation. */
  readonly origin: string;
  readonly publicKey: KeyObject;
  /** 32 bytes that only the servers of this log can derive (RFC 5869): they know each other by it. */
  readonly peerKey: Uint8Array;
  sign(head: Omit<HeadFields, 'origin'>): SignedHead;
}

/** @throws CONFIG_INVALID where the key is not Ed25519 in PEM (PKCS #8), or the origin cannot name a log */
export function createHeadSigner(options: { origin: string; privateKeyPem: string }): HeadSigner {
  const { origin } = options;
  if (!/^[^\s+]+$/.test(origin)) throw new HuitongError('CONFIG_INVALID', 'the audit log’s origin has spaces or “+”');
  const privateKey = readPrivateKey(options.privateKeyPem);
  const publicKey = createPublicKey(privateKey);
  const id = keyId(origin, publicKey);
  const seed = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    origin,
    publicKey,
    peerKey: new Uint8Array(hkdfSync('sha256', seed, '', `huitong audit peers 1 ${origin}`, 32)),
    sign(fields) {
      const head = { ...fields, origin };
      const text = headText(head);
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
      return { ...head, note: `${text}\n— ${origin} ${signature.toString('base64')}\n` };
    },
  };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === HEAD_ALGORITHM) return key;
  } catch {
    // The cause is left out: OpenSSL's message may quote the key's text.
    throw new HuitongError('CONFIG_INVALID', 'the audit log’s signing key cannot be read');
  }
  throw new HuitongError('CONFIG_INVALID', 'the audit log’s signing key is not an Ed25519 key');
}
