import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeCount,
  encodeCount,
  encodeFrame,
  type Frame,
  FrameDecoder,
} from '../../../../exchange/audit/peers/frames.ts';
import { limits } from '../../../../lib/limits.ts';

const unavailable = expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' });
const frame = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  number: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  pieces: fc.array(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 5 },
  ),
});

test('frames arrive as they were sent, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 30 })), (sent, cuts) => {
      const stream = Buffer.concat(sent.map(encodeFrame));
      const decoder = new FrameDecoder();
      const got: Frame[] = [];
      let at = 0;
      for (const cut of [...cuts, stream.length]) {
        if (at >= stream.length) break;
        got.push(...decoder.push(stream.subarray(at, at + cut)));
        at += cut;
      }
      expect(got).toEqual(sent);
    }),
  );
});

test('what is no frame is refused: a length beyond the limit, another version, a piece that ends outside', () => {
  const good = encodeFrame({ kind: 1, number: 7, pieces: [Buffer.from('leaf')] });
  expect(new FrameDecoder().push(good)).toEqual([{ kind: 1, number: 7, pieces: [Buffer.from('leaf')] }]);
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good);
    change(bytes);
    return () => new FrameDecoder().push(bytes);
  };
  expect(changed((bytes) => bytes.writeUInt32BE(limits.auditFrameBytesMax + 1, 0))).toThrow(unavailable);
  expect(changed((bytes) => bytes.writeUInt32BE(3, 0))).toThrow(unavailable);
  expect(changed((bytes) => bytes.writeUInt8(2, 4))).toThrow(unavailable);
  expect(changed((bytes) => bytes.writeUInt32BE(5, 10))).toThrow(unavailable);
  // A piece's length that is itself cut off.
  expect(changed((bytes) => bytes.writeUInt32BE(3, 10))).toThrow(unavailable);
  const large = Buffer.alloc(limits.auditFrameBytesMax);
  expect(() => encodeFrame({ kind: 1, number: 0, pieces: [large] })).toThrow(
    expect.objectContaining({ code: 'AUDIT_LEAF_INVALID' }),
  );
});

test('counts of any size that the log can have pass; others are refused', () => {
  for (const count of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) expect(decodeCount(encodeCount(count))).toBe(count);
  expect(() => decodeCount(undefined)).toThrow(unavailable);
  expect(() => decodeCount(Buffer.alloc(7))).toThrow(unavailable);
  expect(() => decodeCount(Buffer.alloc(8, 0xff))).toThrow(unavailable);
});
