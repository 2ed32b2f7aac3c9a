import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoxSealer, generateBoxKeys, openBox } from '../../lib/sealed-box.ts';

const keys = generateBoxKeys();

function sealed(chunks: Uint8Array[], publicKey = keys.publicKey): Buffer {
  const sealer = new BoxSealer(publicKey);
  return Buffer.concat([sealer.start(), ...chunks.map((chunk) => sealer.seal(chunk)), sealer.end()]);
}

const opened = (box: Uint8Array, privateKey = keys.privateKey) => Buffer.concat([...openBox(privateKey, box)]);

test('what is sealed in any chunks opens to the same bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (chunks) => {
      expect(opened(sealed(chunks))).toEqual(Buffer.concat(chunks));
    }),
    { numRuns: 30 },
  );
  const large = Buffer.alloc(3_000_000, '身份证');
  expect(opened(sealed([large])).equals(large)).toBe(true);
});

test('the plaintext is not in the box, and no two boxes are alike', () => {
  const secret = Buffer.from('440301199001011234');
  expect(sealed([secret]).includes(secret)).toBe(false);
  expect(sealed([secret])).not.toEqual(sealed([secret]));
});

test('another key, any flipped byte, any truncation, and anything appended are SEALED_INVALID', () => {
  const box = sealed([Buffer.from('abc'), Buffer.from('defg')]);
  expect(opened(box).toString()).toBe('abcdefg');
  expect(() => opened(box, generateBoxKeys().privateKey)).toThrow(expect.objectContaining({ code: 'SEALED_INVALID' }));
  for (let at = 0; at < box.byteLength; at++) {
    const damaged = Buffer.from(box);
    damaged[at]! ^= 1;
    expect(() => opened(damaged), `byte ${at}`).toThrow(expect.objectContaining({ code: 'SEALED_INVALID' }));
    expect(() => opened(box.subarray(0, at)), `cut at ${at}`).toThrow(
      expect.objectContaining({ code: 'SEALED_INVALID' }),
    );
  }
  expect(() => opened(Buffer.concat([box, Buffer.of(0)]))).toThrow(expect.objectContaining({ code: 'SEALED_INVALID' }));
});

test('a key that is none is refused', () => {
  expect(() => new BoxSealer('AAAA')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
