/**
 * Sealed boxes: bytes that anyone can encrypt to a public key, and only the holder of the private key can open. The
 * quarantine is written so: a department's worker can write it and cannot read it afterwards.
 *
 * Format `HTBOX1`, all integers little-endian
 *   8 bytes    magic `HTBOX1\0\0`
 *   32 bytes   ephemeral X25519 public key, fresh for each box
 *   48 bytes   the content key (AES-256, fresh for each box), encrypted by AES-256-GCM under the wrapping key with a
 *              zero nonce (the wrapping key is used once), tag behind it
 *   frames     uint32: plaintext length, top bit set on the last frame; ciphertext; 16 bytes tag
 *
 *   wrapping key = HKDF-SHA256(X25519(ephemeral, recipient), salt = ephemeral ‖ recipient, info = `huitong sealed box 1`)
 *   frame nonce  = uint32 zero ‖ uint64 frame number; additional data = the frame's length word
 *
 * The number in the nonce and the authenticated last-frame bit make reordering, dropping and truncation show.
 */
import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { HuitongError } from './errors.ts';

const MAGIC = Buffer.from('HTBOX1\0\0');
const CIPHER: CipherGCMTypes = 'aes-256-gcm';
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const LENGTH_BYTES = 4;
const HEADER_BYTES = MAGIC.byteLength + KEY_BYTES + KEY_BYTES + TAG_BYTES;
const LAST_FRAME = 0x8000_0000;
const FRAME_BYTES_MAX = 1 << 20;

/** Raw X25519 keys, base64. */
export interface BoxKeys {
  publicKey: string;
  privateKey: string;
}

export function generateBoxKeys(): BoxKeys {
  const { x, d } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: toBase64(x!), privateKey: toBase64(d!) };
}

/** Writes one box. Every byte that it returns must be kept, in order. */
export class BoxSealer {
  private readonly contentKey = randomBytes(KEY_BYTES);
  private readonly header: Buffer;
  private frame = 0;

  /** @throws HuitongError CONFIG_INVALID where `publicKey` is not a raw X25519 key in base64 */
  constructor(publicKey: string) {
    const recipient = publicKeyOf(publicKey);
    const ephemeral = generateKeyPairSync('x25519');
    const ephemeralRaw = rawPublicKey(ephemeral.publicKey);
    const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient });
    const wrapped = encrypt(wrappingKey(shared, ephemeralRaw, rawPublicKey(recipient)), nonceOf(0), this.contentKey);
    this.header = Buffer.concat([MAGIC, ephemeralRaw, wrapped]);
  }

  start(): Uint8Array {
    return this.header;
  }

  seal(plain: Uint8Array): Uint8Array {
    const frames: Buffer[] = [];
    for (let from = 0; from < plain.byteLength; from += FRAME_BYTES_MAX) {
      frames.push(...this.sealFrame(plain.subarray(from, from + FRAME_BYTES_MAX), 0));
    }
    return Buffer.concat(frames);
  }

  /** The empty last frame, without which a box does not open. */
  end(): Uint8Array {
    return Buffer.concat(this.sealFrame(new Uint8Array(0), LAST_FRAME));
  }

  private sealFrame(plain: Uint8Array, flag: number): Buffer[] {
    const length = lengthWord((plain.byteLength | flag) >>> 0);
    return [length, encrypt(this.contentKey, nonceOf(this.frame++), plain, length)];
  }
}

/**
 * Opens a box frame by frame.
 * @throws HuitongError SEALED_INVALID: another key's, damaged, or cut short
 */
export function* openBox(privateKey: string, box: Uint8Array): Generator<Uint8Array> {
  const bytes = Buffer.from(box.buffer, box.byteOffset, box.byteLength);
  if (bytes.byteLength < HEADER_BYTES || !bytes.subarray(0, MAGIC.byteLength).equals(MAGIC)) {
    throw invalid('it does not start as a sealed box does');
  }
  const contentKey = unwrap(privateKey, bytes.subarray(MAGIC.byteLength, HEADER_BYTES));
  let [at, frame] = [HEADER_BYTES, 0];
  for (;;) {
    if (at + LENGTH_BYTES > bytes.byteLength) throw invalid('it is cut short');
    const length = bytes.subarray(at, at + LENGTH_BYTES);
    const word = length.readUInt32LE(0);
    const last = word >= LAST_FRAME;
    const end = at + LENGTH_BYTES + (last ? word - LAST_FRAME : word) + TAG_BYTES;
    if (end > bytes.byteLength) throw invalid('it is cut short');
    const plain = decrypt(contentKey, nonceOf(frame++), bytes.subarray(at + LENGTH_BYTES, end), length);
    at = end;
    if (plain.byteLength > 0) yield plain;
    if (last) break;
  }
  if (at !== bytes.byteLength) throw invalid('something follows its last frame');
}

function unwrap(privateKey: string, sealed: Buffer): Buffer {
  const ephemeralRaw = sealed.subarray(0, KEY_BYTES);
  const own = privateKeyOf(privateKey);
  const ownRaw = rawPublicKey(createPublicKey(own));
  const shared = diffieHellman({ privateKey: own, publicKey: publicKeyOf(ephemeralRaw.toString('base64')) });
  return decrypt(wrappingKey(shared, ephemeralRaw, ownRaw), nonceOf(0), sealed.subarray(KEY_BYTES));
}

function wrappingKey(shared: Buffer, ephemeral: Buffer, recipient: Buffer): Buffer {
  const salt = Buffer.concat([ephemeral, recipient]);
  return Buffer.from(hkdfSync('sha256', shared, salt, 'huitong sealed box 1', KEY_BYTES));
}

function encrypt(key: Buffer, nonce: Buffer, plain: Uint8Array, additional?: Buffer): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce);
  if (additional !== undefined) cipher.setAAD(additional);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer, additional?: Buffer): Buffer {
  const split = sealed.byteLength - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  if (additional !== undefined) decipher.setAAD(additional);
  decipher.setAuthTag(sealed.subarray(split));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, split)), decipher.final()]);
  } catch (cause) {
    throw invalid('it was sealed to another key, or is damaged', cause);
  }
}

function nonceOf(frame: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeBigUInt64LE(BigInt(frame), 4);
  return nonce;
}

function lengthWord(word: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32LE(word);
  return bytes;
}

function publicKeyOf(raw: string): KeyObject {
  return keyFrom(raw, (x) => createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }));
}

function privateKeyOf(raw: string): KeyObject {
  // Not as a JWK, which demands the public half beside it.
  return keyFrom(raw, (d) =>
    createPrivateKey({ key: Buffer.concat([PKCS8_X25519, Buffer.from(d, 'base64url')]), format: 'der', type: 'pkcs8' }),
  );
}

/** RFC 8410 section 7: the PKCS #8 envelope of a raw X25519 private key. */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

function keyFrom(raw: string, make: (base64url: string) => KeyObject): KeyObject {
  const bytes = Buffer.from(raw, 'base64');
  if (bytes.byteLength !== KEY_BYTES)
    throw new HuitongError('CONFIG_INVALID', 'a sealing key is not 32 bytes in base64');
  return make(bytes.toString('base64url'));
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url');
}

function toBase64(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('base64');
}

function invalid(message: string, cause?: unknown): HuitongError {
  return new HuitongError('SEALED_INVALID', `a sealed box cannot be opened: ${message}`, { cause });
}
