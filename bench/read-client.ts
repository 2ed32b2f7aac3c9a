/** One client in a process of its own: `tsx read-client.ts <url> <clients> <MiB a second of each, 0: as fast as can be>`. */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [url = '', clients = '1', rate = '0'] = process.argv.slice(2);
const bytesASecond = Number(rate) * 1024 * 1024;

async function download(): Promise<number> {
  const response = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => get(url, resolve).on('error', reject));
  const started = performance.now();
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.byteLength;
    if (bytesASecond > 0) await sleep(Math.max(0, (bytes / bytesASecond) * 1000 - (performance.now() - started)));
  }
  return bytes;
}

/** Several, one after the other, so that a short file is measured as well as a long one. */
async function downloads(): Promise<number> {
  let bytes = 0;
  for (let i = 0; i < (bytesASecond > 0 ? 1 : 5); i++) bytes += await download();
  return bytes;
}

// Once without the clock: compilation and connection are not what is measured.
if (bytesASecond === 0) await download();
const started = performance.now();
const bytes = await Promise.all(Array.from({ length: Number(clients) }, downloads));
process.stdout.write(JSON.stringify({ bytes: bytes.reduce((a, b) => a + b, 0), ms: performance.now() - started }));
