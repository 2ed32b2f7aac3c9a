/**
 * The signed head: the log's size and root at one moment, in the C2SP tlog-checkpoint format (a signed note).
 *
 *     huitong/longhua                     origin: which log
 *     1024                                size, in leaves
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2…    root, base64
 *     algorithm ed25519
 *     time 2026-03-04T09:30:00.000Z
 *                                         (empty line; everything above it is signed)
 *     — huitong/longhua iJ2Q…             key name, then base64 of key id (4 bytes) and signature
 *
 * The note is the only truth: the fields of `SignedHead` are read from it, never beside it. It names its algorithm, so
 * that `sm2-sm3` can follow without old heads changing their meaning.
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { HuitongError } from '../../../lib/errors.ts';
import { HASH_BYTES } from './hashing.ts';

export interface HeadFields {
  origin: string;
  size: number;
  root: Buffer;
  /** RFC 3339, UTC. */
  time: string;
}

export interface SignedHead extends HeadFields {
  note: string;
}

export const HEAD_ALGORITHM = 'ed25519';
/** C2SP signed-note: the type byte of Ed25519 in a key id. */
const KEY_TYPE_ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const RAW_KEY_BYTES = 32;

/** What is signed, with its closing newline. */
export function headText(head: HeadFields): string {
  const lines = [head.origin, String(head.size), head.root.toString('base64')];
  return [...lines, `algorithm ${HEAD_ALGORITHM}`, `time ${head.time}`, ''].join('\n');
}

/** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ raw public key). */
export function keyId(name: string, publicKey: KeyObject): Buffer {
  const material = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(KEY_TYPE_ED25519), rawKey(publicKey)]);
  return hash('sha256', material, 'buffer').subarray(0, KEY_ID_BYTES);
}

/** Reads a note without trusting it. Throws AUDIT_VERIFY_FAILED where it is not one. */
export function parseHead(note: string): SignedHead {
  const [origin, size, root, algorithm, time, ...rest] = splitNote(note).text.split('\n');
  const head = { origin: origin ?? '', size: Number(size), root: Buffer.from(root ?? '', 'base64') };
  const plain =
    rest.join() === '' &&
    head.origin !== '' &&
    /^(0|[1-9]\d{0,15})$/.test(size ?? '') &&
    head.root.length === HASH_BYTES &&
    /^time \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time ?? '');
  if (!plain) throw malformed('its text is not a head');
  if (algorithm !== `algorithm ${HEAD_ALGORITHM}`) throw malformed('it names an algorithm that this program lacks');
  return { ...head, time: (time as string).slice('time '.length), note };
}

/** Reads a note and checks its signature. Throws AUDIT_VERIFY_FAILED. */
export function verifyHead(note: string, publicKey: KeyObject): SignedHead {
  const head = parseHead(note);
  const { text, signatures } = splitNote(note);
  const id = keyId(head.origin, publicKey);
  const good = signatures.some(
    ({ name, bytes }) =>
      name === head.origin &&
      bytes.subarray(0, KEY_ID_BYTES).equals(id) &&
      verify(null, Buffer.from(text), publicKey, bytes.subarray(KEY_ID_BYTES)),
  );
  if (!good) throw new HuitongError('AUDIT_VERIFY_FAILED', 'the head is not signed by this key', { at: head.origin });
  return head;
}

/** An Ed25519 public key from PEM (SPKI). Throws AUDIT_VERIFY_FAILED. */
export function readPublicKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === HEAD_ALGORITHM) return key;
  } catch (cause) {
    throw new HuitongError('AUDIT_VERIFY_FAILED', 'the public key cannot be read', { cause });
  }
  throw new HuitongError('AUDIT_VERIFY_FAILED', 'the public key is not an Ed25519 key');
}

function splitNote(note: string): { text: string; signatures: { name: string; bytes: Buffer }[] } {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw malformed('it has no signature');
  const lines = note.slice(end + 2, -1).split('\n');
  return { text: note.slice(0, end + 1), signatures: lines.map(readSignature) };
}

function readSignature(line: string): { name: string; bytes: Buffer } {
  const match = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line);
  if (match === null) throw malformed('a signature line is not one');
  return { name: match[1] as string, bytes: Buffer.from(match[2] as string, 'base64') };
}

function rawKey(publicKey: KeyObject): Buffer {
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return der.subarray(der.length - RAW_KEY_BYTES);
}

function malformed(why: string): HuitongError {
  return new HuitongError('AUDIT_VERIFY_FAILED', `this is not a signed head: ${why}`);
}
