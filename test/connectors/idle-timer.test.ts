import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { IdleTimer } from '../../connectors/idle-timer.ts';

/** Both ends of a connection. */
async function withSockets<T>(body: (here: Socket, there: Socket) => Promise<T>): Promise<T> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const here = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [there] = (await once(server, 'connection')) as [Socket];
  try {
    return await body(here, there);
  } finally {
    here.destroy();
    there.destroy();
    server.close();
  }
}

test('silence is told once; what came while nobody listened is no silence', async () => {
  await withSockets(async (here, there) => {
    let silences = 0;
    let heard = 0;
    const timer = new IdleTimer(50, () => silences++);
    here.on('data', () => {
      heard++;
      timer.restart();
    });
    timer.restart();
    for (let i = 1; i <= 5; i++) {
      there.write('x');
      // The kernel has it; we are busy for longer than the timer waits.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120);
      await expect.poll(() => heard, { interval: 1 }).toBe(i);
      expect(silences).toBe(0);
    }
    await expect.poll(() => silences).toBe(1);
    timer.restart();
    timer.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(silences).toBe(1);
  });
});
