/** What every object store must do. The file system runs it here; S3 runs the same. */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../exchange/store/store.ts';

export interface StoreUnderTest {
  store: ObjectStore;
  /** Overwrites the stored bytes behind the store's back, or removes them where `bytes` is null. */
  tamper(digest: string, bytes: Uint8Array | null): Promise<void>;
  /** Names of everything that lies around: objects, and leftovers of uploads. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`object store on ${name}`, () => {
    let subject: StoreUnderTest;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(() => subject.close());

    it('gives back what was put, under the SHA-256 of its bytes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 5 }), async (chunks) => {
          const whole = Buffer.concat(chunks);
          const stored = await subject.store.put(stream(chunks));
          expect(stored).toEqual({ digest: sha256(whole), sizeBytes: whole.length });
          expect(await buffer(await subject.store.read(stored.digest))).toEqual(whole);
          expect(await subject.store.stat(stored.digest)).toMatchObject(stored);
        }),
        { numRuns: 20 },
      );
    });

    it('reads ranges, and refuses those outside of the object', async () => {
      const { digest } = await subject.store.put(stream([Buffer.from('0123456789')]));
      const read = async (offset: number, length: number) =>
        (await buffer(await subject.store.read(digest, { offset, length }))).toString();
      expect(await read(0, 3)).toBe('012');
      expect(await read(7, 3)).toBe('789');
      expect(await read(10, 0)).toBe('');
      await expect(read(8, 3)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      await expect(read(-1, 3)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });

    it('keeps nothing of an upload that was cut short, or that has another digest than announced', async () => {
      const before = await subject.leftovers();
      const whole = Buffer.from('the whole of it');
      const cut = subject.store.put(
        (async function* () {
          yield whole.subarray(0, 4);
          throw new Error('connection reset');
        })(),
      );
      await expect(cut).rejects.toThrow('connection reset');
      const short = subject.store.put(stream([whole.subarray(0, 4)]), sha256(whole));
      await expect(short).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
      expect(await subject.leftovers()).toEqual(before);
      expect(await subject.store.put(stream([whole]), sha256(whole))).toMatchObject({ sizeBytes: whole.length });
    });

    it('survives the same object put many times at once', async () => {
      const bytes = Buffer.alloc(200_000, 7);
      const all = await Promise.all(Array.from({ length: 8 }, () => subject.store.put(stream([bytes]))));
      expect(new Set(all.map((o) => o.digest))).toEqual(new Set([sha256(bytes)]));
      expect(await subject.store.verify(sha256(bytes))).toEqual({ digest: sha256(bytes), sizeBytes: bytes.length });
    });

    it('finds a flipped bit, takes the object out of reach, and heals when it is put again', async () => {
      const good = Buffer.from('immutable');
      const { digest } = await subject.store.put(stream([good]));
      expect(await subject.store.verify(digest)).toEqual({ digest, sizeBytes: good.length });
      const flipped = Buffer.from(good);
      flipped[3] ^= 1;
      await subject.tamper(digest, flipped);
      await expect(subject.store.verify(digest)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
      await expect(subject.store.read(digest)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await subject.store.put(stream([good]));
      expect(await subject.store.verify(digest)).toMatchObject({ digest });
    });

    it('says that an object is missing, and never takes a path for a digest', async () => {
      const absent = sha256(Buffer.from('never stored'));
      expect(await subject.store.stat(absent)).toBeUndefined();
      await expect(subject.store.read(absent)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await expect(subject.store.verify(absent)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      await expect(subject.store.read('../../etc/passwd')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    });

    it('lists what it holds, removes, and forgives a second removal', async () => {
      const { digest } = await subject.store.put(stream([Buffer.from('to be removed')]));
      await subject.store.put(stream([Buffer.from('to be removed')]));
      const listed = await listAll(subject.store);
      expect(listed.get(digest)).toMatchObject({ sizeBytes: 13 });
      expect(Date.now() - (listed.get(digest)?.storedAt.getTime() ?? 0)).toBeLessThan(60_000);
      await subject.store.remove(digest);
      await subject.store.remove(digest);
      expect((await listAll(subject.store)).has(digest)).toBe(false);
    });
  });
}

export async function* stream(chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function listAll(store: ObjectStore) {
  const found = new Map<string, { sizeBytes: number; storedAt: Date }>();
  for await (const { digest, ...rest } of store.list()) found.set(digest, rest);
  return found;
}
