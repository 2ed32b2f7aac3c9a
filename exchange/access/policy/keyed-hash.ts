/** HMAC-SHA-256 (RFC 2104) of many short messages under one key, by the one-shot hash: three times as fast as a Hmac object a message. */
import { hash, hkdfSync } from 'node:crypto';

const BLOCK_BYTES = 64;
export const HEX_BYTES = 64;

/** The key of one grantee, derived from the exchange's (RFC 5869): who learns one can't link to another's. */
export function maskKeyOf(exchangeKey: Uint8Array, grantee: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', exchangeKey, '', `huitong keyed-hash mask 1 ${grantee}`, 32));
}

/** @param key at most 64 bytes @returns the hexadecimal text of a message's HMAC */
export function keyedHasher(key: Uint8Array): (message: Uint8Array) => string {
  const pad = (byte: number) => Buffer.alloc(BLOCK_BYTES, byte).map((value, i) => value ^ (key[i] ?? 0));
  const outer = Buffer.concat([pad(0x5c), Buffer.alloc(32)]);
  let inner = Buffer.concat([pad(0x36), Buffer.alloc(BLOCK_BYTES)]);
  return (message) => {
    const length = BLOCK_BYTES + message.byteLength;
    if (inner.byteLength < length) inner = Buffer.concat([inner.subarray(0, BLOCK_BYTES), Buffer.alloc(length)]);
    inner.set(message, BLOCK_BYTES);
    outer.set(hash('sha256', inner.subarray(0, length), 'buffer'), BLOCK_BYTES);
    return hash('sha256', outer, 'hex');
  };
}
