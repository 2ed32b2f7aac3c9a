import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../../exchange/store/chunk-tags.ts';
import { openFileStore } from '../../../exchange/store/file-store.ts';
import { type CheckedObject, openPartStore } from '../../../exchange/store/part-store.ts';
import type { ByteRange, ObjectStore } from '../../../exchange/store/store.ts';
import { memoryTags } from './memory-tags.ts';

let directory: string;
let files: ObjectStore;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-parts-'));
  files = await openFileStore(directory);
});

afterAll(() => rm(directory, { recursive: true }));

const pathOf = (digest: string) => join(directory, 'objects', digest.slice(0, 2), digest.slice(2));
const corrupt = expect.objectContaining({ code: 'OBJECT_CORRUPT' });
/** Larger than any buffer that is lent, and no whole number of chunks. */
const bytes = randomBytes(2 * 1024 * 1024 + 3 * CHUNK_BYTES + 777);

/** Of one length, but not more than 200 of them. */
async function* pieces(whole: Uint8Array, wanted: number): AsyncGenerator<Uint8Array> {
  const length = Math.max(wanted, Math.ceil(whole.byteLength / 200));
  for (let at = 0; at < whole.byteLength; at += length) yield whole.subarray(at, at + length);
}

/** What was lent before it ended, and how it ended. */
async function taken(object: CheckedObject, range?: ByteRange): Promise<{ lent: Buffer; error?: unknown }> {
  const lent: Buffer[] = [];
  try {
    for await (const chunk of object.lend(range)) lent.push(Buffer.from(chunk));
    return { lent: Buffer.concat(lent) };
  } catch (error: unknown) {
    return { lent: Buffer.concat(lent), error };
  }
}

const ranges = fc
  .tuple(fc.nat(bytes.length), fc.nat(bytes.length))
  .map(([a, b]) => ({ offset: Math.min(a, b), length: Math.abs(a - b) }));

test('any range is the bytes that were put, in whatever pieces they were put and are read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200_000 }),
      fc.integer({ min: 1, max: 200_000 }),
      fc.oneof(
        fc.nat(bytes.length),
        fc.nat(3).map((chunks) => chunks * CHUNK_BYTES),
      ),
      ranges,
      async (putLength, readLength, size, { offset, length }) => {
        const whole = bytes.subarray(0, size);
        const range = { offset: Math.min(offset, size), length: Math.min(length, Math.max(0, size - offset)) };
        // As a store over the network gives them.
        const inPieces: Pick<ObjectStore, 'open' | 'put'> = {
          put: (...put) => files.put(...put),
          async open(digest) {
            const object = await files.open(digest);
            return {
              ...object,
              async *lend(asked = { offset: 0, length: size }) {
                yield* pieces(whole.subarray(asked.offset, asked.offset + asked.length), readLength);
              },
            };
          },
        };
        const store = openPartStore(inPieces, memoryTags());
        const { digest } = await store.put(pieces(whole, putLength));
        const object = await store.open(digest);
        expect((await taken(object)).lent.equals(whole)).toBe(true);
        const expected = whole.subarray(range.offset, range.offset + range.length);
        expect((await taken(object, range)).lent.equals(expected)).toBe(true);
        await object.close();
      },
    ),
    { numRuns: 25, examples: [[1, 1, 0, { offset: 0, length: 0 }]] },
  );
});

test('a flipped bit is refused before a byte of its chunk is lent, and what lies elsewhere is read (FAULTS 13)', async () => {
  const keeper = memoryTags();
  const { digest } = await openPartStore(files, keeper).put(pieces(bytes, 100_000));
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), ranges, async (place, bit, range) => {
      await writeFile(pathOf(digest), bytes.with(place, bytes[place]! ^ (1 << bit)));
      // A process that has not read it before.
      const object = await openPartStore(files, keeper).open(digest);
      const chunk = place - (place % CHUNK_BYTES);
      for (const asked of [undefined, range]) {
        const { offset, length } = asked ?? { offset: 0, length: bytes.length };
        const touched = length > 0 && offset < chunk + CHUNK_BYTES && offset + length > chunk;
        const { lent, error } = await taken(object, asked);
        expect(error).toEqual(touched ? corrupt : undefined);
        expect(lent.length).toBeLessThanOrEqual(touched ? Math.max(0, chunk - offset) : length);
        expect(lent.equals(bytes.subarray(offset, offset + lent.length))).toBe(true);
        if (!touched) expect(lent.length).toBe(length);
      }
      await object.close();
    }),
    { numRuns: 60, examples: [[bytes.length - 1, 7, { offset: 0, length: 1 }]] },
  );
  await writeFile(pathOf(digest), bytes);
});

test('a part that is shorter or longer, or another one under its name, is refused', async () => {
  const keeper = memoryTags();
  const { digest } = await openPartStore(files, keeper).put(pieces(bytes, 100_000));
  const damages = [
    () => truncate(pathOf(digest), bytes.length - 1),
    () => truncate(pathOf(digest), bytes.length - CHUNK_BYTES),
    () => writeFile(pathOf(digest), Buffer.concat([bytes, Buffer.alloc(1)])),
    // Two chunks that have changed places: each has a tag that fits, elsewhere.
    () =>
      writeFile(
        pathOf(digest),
        Buffer.concat([
          bytes.subarray(CHUNK_BYTES, 2 * CHUNK_BYTES),
          bytes.subarray(0, CHUNK_BYTES),
          bytes.subarray(2 * CHUNK_BYTES),
        ]),
      ),
    () => writeFile(pathOf(digest), randomBytes(bytes.length)),
  ];
  for (const damage of damages) {
    await writeFile(pathOf(digest), bytes);
    await damage();
    const object = await openPartStore(files, keeper).open(digest);
    const { lent, error } = await taken(object);
    expect(error).toEqual(corrupt);
    expect(lent.equals(bytes.subarray(0, lent.length))).toBe(true);
    await object.close();
  }
  await writeFile(pathOf(digest), bytes);
});

test('a part without tags gets them when it is opened, from bytes that have its digest only', async () => {
  const { digest } = await files.put(pieces(bytes, 100_000));
  const keeper = memoryTags();
  const damaged = bytes.with(1_000_000, bytes[1_000_000]! ^ 1);
  await writeFile(pathOf(digest), damaged);
  await expect(openPartStore(files, keeper).open(digest)).rejects.toEqual(corrupt);
  expect(keeper.kept.size).toBe(0);

  await writeFile(pathOf(digest), bytes);
  const object = await openPartStore(files, keeper).open(digest);
  expect((await taken(object)).lent.equals(bytes)).toBe(true);
  await object.close();
  expect([...keeper.kept.keys()]).toEqual([digest]);
  expect((await readFile(pathOf(digest))).equals(bytes)).toBe(true);
});

test('what cannot be put gets no tags', async () => {
  const keeper = memoryTags();
  const store = openPartStore(files, keeper);
  await expect(store.put(pieces(bytes, 100_000), '0'.repeat(64))).rejects.toEqual(
    expect.objectContaining({ code: 'DIGEST_MISMATCH' }),
  );
  await expect(store.open('0'.repeat(64))).rejects.toEqual(expect.objectContaining({ code: 'OBJECT_MISSING' }));
  expect(keeper.kept.size).toBe(0);
});
