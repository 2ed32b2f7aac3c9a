import { open } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHuitongError } from '../../lib/errors.ts';
import { readAll, writeAll } from '../../lib/file-bytes.ts';

const chunksOf = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });

test('a disk that takes and gives a few bytes at a time keeps all of them, in order (FAULTS 15)', () =>
  fc.assert(
    fc.asyncProperty(chunksOf, fc.infiniteStream(fc.integer({ min: 1, max: 50 })), async (chunks, most) => {
      const whole = Buffer.concat(chunks);
      const written: number[] = [];
      const nextMost = () => most.next().value as number;
      await writeAll(
        {
          writev: async (buffers) => {
            const taken = Buffer.concat(buffers as unknown as Uint8Array[]).subarray(0, nextMost());
            written.push(...taken);
            return { bytesWritten: taken.length, buffers };
          },
        },
        chunks,
      );
      expect(Buffer.from(written)).toEqual(whole);

      const target = new Uint8Array(whole.length);
      const read = (async (into: Uint8Array, offset: number, length: number, position: number) => {
        const given = whole.subarray(position, position + Math.min(length, nextMost()));
        into.set(given, offset);
        return { bytesRead: given.length, buffer: into };
      }) as Parameters<typeof readAll>[0]['read'];
      expect(await readAll({ read }, target, 0)).toBe(whole.length);
      expect(Buffer.from(target)).toEqual(whole);
      expect(await readAll({ read }, new Uint8Array(5), whole.length)).toBe(0);
    }),
  ));

test('a device without space is DISK_FULL, which is retriable', async () => {
  const handle = await open('/dev/full', 'w');
  try {
    const error = await writeAll(handle, [Buffer.from('some')]).catch((e: unknown) => toHuitongError(e));
    expect(error).toMatchObject({ code: 'DISK_FULL', recovery: 'retriable' });
  } finally {
    await handle.close();
  }
});
