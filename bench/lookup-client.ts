/**
 * Load for `bench/lookup.ts`, in a process of its own: keep-alive connections over bare sockets, each with one request
 * on its way, so that the load costs little beside what is measured. Reads a `LoadPlan` from its standard input and
 * writes a `LoadResult`.
 */
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface LoadPlan {
  port: number;
  clients: number;
  warmUpMs: number;
  measureMs: number;
  /** Whole HTTP requests; each client begins elsewhere and goes round. */
  requests: string[];
}

export interface LoadResult {
  /** Of answers that came while it was measured. */
  answers: number;
  ms: number;
  medianMs: number;
  p99Ms: number;
}

const plan = JSON.parse(await text(process.stdin)) as LoadPlan;
const requests = plan.requests.map((request) => Buffer.from(request));
const began = performance.now();
const from = began + plan.warmUpMs;
const until = from + plan.measureMs;
const latencies: number[] = [];

/** Resolves when the client's last answer has come. */
function run(client: number): Promise<void> {
  const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true });
  let turn = Math.floor((client * requests.length) / plan.clients);
  let sent = 0;
  let waiting: Buffer = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const send = () => {
      sent = performance.now();
      socket.write(requests[turn++ % requests.length]!);
    };
    socket.on('connect', send).on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      waiting = waiting.byteLength === 0 ? chunk : Buffer.concat([waiting, chunk]);
      if (!isWhole(waiting, socket)) return;
      waiting = Buffer.alloc(0);
      const now = performance.now();
      if (now >= from && now < until) latencies.push(now - sent);
      if (now < until) return send();
      socket.end();
      resolve();
    });
  });
}

/** One answer with a Content-Length, status 200; anything else ends the measurement. */
function isWhole(bytes: Buffer, socket: Socket): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = bytes.toString('latin1', 0, end);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200') || length === undefined) {
    socket.destroy(new Error(`an answer that is none: ${bytes.toString()}`));
    return false;
  }
  return bytes.byteLength >= end + 4 + Number(length);
}

await Promise.all(Array.from({ length: plan.clients }, (_, client) => run(client)));
latencies.sort((a, b) => a - b);
const result: LoadResult = {
  answers: latencies.length,
  ms: plan.measureMs,
  medianMs: latencies[latencies.length >> 1] ?? Number.NaN,
  p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
};
process.stdout.write(JSON.stringify(result));
