import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LentStream } from '../../../exchange/access/lent-stream.ts';
import { storedRange } from '../../../exchange/access/renditions/stored-part.ts';
import { openFileStore } from '../../../exchange/store/file-store.ts';
import { lentBytes } from '../../../exchange/store/lend-file.ts';
import type { ObjectStore } from '../../../exchange/store/store.ts';
import { limits } from '../../../lib/limits.ts';

const READERS = 64;
const SIZE = 12 << 20;
const bytes = randomBytes(SIZE);
const open: { stream: LentStream; response: ServerResponse }[] = [];
let directory: string;
let store: ObjectStore;
let digest: string;
const server = createServer((_, response) => {
  const stream = lend();
  open.push({ stream, response });
  void stream.sendTo(() => response.writeHead(200, { 'content-length': SIZE }));
});
const lend = () => new LentStream(storedRange(store, digest, { offset: 0, length: SIZE }));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-lent-'));
  store = await openFileStore(directory);
  const whole = async function* () {
    yield bytes;
  };
  ({ digest } = await store.put(whole()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

/** A client that asks and does not take the answer until it is resumed. */
function ask(): Socket {
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  return socket.pause();
}

test('64 stalled readers hold one buffer each, half of them go away, the others get every byte', async () => {
  const sockets = Array.from({ length: READERS }, ask);
  const stalled = () => open.length === READERS && open.every(({ response }) => response.writableLength > 0);
  const most =
    limits.readBuffersLargeMax * limits.readBufferBytes +
    (READERS - limits.readBuffersLargeMax) * limits.readBufferSmallBytes;
  // As far as the kernel's own buffers take it: then nothing more is read.
  await expect.poll(() => (stalled() ? lentBytes() : 'some go on')).toBe(most);
  for (const { stream, response } of open) {
    expect(stream.readableLength).toBe(0);
    expect(response.writableLength).toBeLessThanOrEqual(limits.readBufferBytes);
  }
  const gone = sockets.filter((_, i) => i % 2 === 0);
  for (const socket of gone) socket.destroy();
  const received = sockets.filter((socket) => !gone.includes(socket)).map(bodyHash);
  expect(new Set(await Promise.all(received))).toEqual(new Set([createHash('sha256').update(bytes).digest('hex')]));
  await expect.poll(lentBytes).toBe(0);
});

async function bodyHash(socket: Socket): Promise<string> {
  const answer = await buffer(socket);
  return createHash('sha256')
    .update(answer.subarray(answer.indexOf('\r\n\r\n') + 4))
    .digest('hex');
}

test('as a stream its chunks are one’s own', async () => {
  const chunks: Buffer[] = [];
  for await (const chunk of lend()) chunks.push(chunk as Buffer);
  expect(chunks.length).toBeGreaterThan(1);
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
});

test('what fails before the first byte begins no answer; later it breaks the answer off', async () => {
  const failing = (before: number) =>
    new LentStream(
      (async function* () {
        for (let i = 0; i < before; i++) yield Buffer.alloc(100_000);
        throw new Error('the disk is gone');
      })(),
    );
  const begin = vi.fn(() => new PassThrough());
  const early = failing(0);
  const ended = finished(early);
  await expect(early.sendTo(begin)).rejects.toThrow('the disk is gone');
  await expect(ended).rejects.toThrow('the disk is gone');
  expect(begin).not.toHaveBeenCalled();

  const answer = new PassThrough().resume();
  const late = failing(2);
  const lateEnd = expect(finished(late)).rejects.toThrow('the disk is gone');
  await late.sendTo(() => answer);
  await lateEnd;
  expect(answer.destroyed).toBe(true);
  expect(answer.writableFinished).toBe(false);
});

test('short chunks go out together, and never more of them than a buffer', async () => {
  const writes: number[] = [];
  const to = new Writable({
    highWaterMark: 1,
    writev(chunks, done) {
      writes.push(chunks.reduce((sum, { chunk }) => sum + chunk.length, 0));
      setImmediate(done);
    },
  });
  const short = new LentStream(
    (async function* () {
      for (let i = 0; i < 1_000; i++) yield Buffer.alloc(1_000);
    })(),
  );
  await short.sendTo(() => to);
  await once(short, 'close');
  expect(writes.reduce((sum, bytes) => sum + bytes)).toBe(1_000_000);
  expect(writes.length).toBeLessThan(40);
  expect(Math.max(...writes)).toBeLessThan(128 * 1024);
});
