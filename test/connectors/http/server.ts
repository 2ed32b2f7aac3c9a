/** A JSON API on a port of its own: answers are texts, so that every digit is the test's. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type Handler = (url: URL, request: IncomingMessage, response: ServerResponse) => unknown;

export interface JsonServer {
  url: string;
  port: number;
  /** Requests that have not been answered. */
  busy(): number;
  /** `GET /path?query`, in order. */
  requests: string[];
  close(): Promise<void>;
}

/** By path; what a handler returns is sent as JSON, a string as it is, undefined not at all. */
export async function startJsonServer(handlers: Record<string, Handler>): Promise<JsonServer> {
  let busy = 0;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    busy++;
    response.on('close', () => busy--);
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.push(`${request.method} ${request.url}`);
    void answer(handlers[url.pathname], url, request, response);
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    busy: () => busy,
    requests,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(handler: Handler | undefined, url: URL, request: IncomingMessage, response: ServerResponse) {
  if (handler === undefined) {
    response.writeHead(404).end('{}');
    return;
  }
  const body: unknown = await handler(url, request, response);
  if (body === undefined || response.writableEnded) return;
  response.setHeader('content-type', 'application/json');
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export async function withJsonServer<T>(
  handlers: Record<string, Handler>,
  body: (server: JsonServer) => Promise<T>,
): Promise<T> {
  const server = await startJsonServer(handlers);
  try {
    return await body(server);
  } finally {
    await server.close();
    // A server that is closed has nobody waiting.
    for (let i = 0; i < 100 && server.busy() > 0; i++) await delay(10);
  }
}
