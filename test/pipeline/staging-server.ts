/** The staging routes of docs/ARCHITECTURE.md over real HTTP, in memory, with failures on demand. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Assignment } from '../../schemas/generated/assignment.ts';

export interface TestStaging {
  url: string;
  objects: Map<string, { kind: string; bytes: Buffer }>;
  /** Uploads that were begun and not finished. */
  broken: number;
  /** What the next requests are answered with, before they are looked at. */
  failures: (() => { status: number; problem?: object } | 'drop' | undefined)[];
  generation: number;
}

export async function withStaging<T>(
  assignment: Omit<Assignment, 'generation'>,
  body: (staging: TestStaging) => Promise<T>,
): Promise<T> {
  const staging: TestStaging = { url: '', objects: new Map(), broken: 0, failures: [], generation: 0 };
  const server = createServer((request, response) => {
    answer(staging, assignment, request, response).catch(() => {
      staging.broken++;
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  staging.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await body(staging);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function answer(
  staging: TestStaging,
  assignment: Omit<Assignment, 'generation'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const failure = staging.failures.shift()?.();
  if (failure === 'drop') {
    request.socket.destroy();
    return;
  }
  if (failure !== undefined) {
    reply(response, failure.status, failure.problem ?? {});
    return;
  }
  const url = new URL(request.url!, staging.url);
  const [, , , , resource, digest] = url.pathname.split('/');
  if (resource === 'generations') {
    if (request.headers.authorization !== 'Bearer worker-token')
      return reply(response, 401, { code: 'UNAUTHENTICATED' });
    const generation = ++staging.generation;
    const opened = { assignment: { ...assignment, generation }, generation, token: `session-${generation}` };
    return reply(response, 201, opened);
  }
  const current = `session-${staging.generation}`;
  const fenced = request.headers.authorization !== `Bearer ${current}`;
  if (fenced || request.headers['x-huitong-generation'] !== String(staging.generation)) {
    return reply(response, 409, { code: 'FENCED', detail: 'a newer generation is open' });
  }
  if (request.method === 'GET') {
    const object = staging.objects.get(digest!);
    if (object === undefined) return reply(response, 404, { code: 'NOT_FOUND' });
    response.end(object.bytes);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const stored = createHash('sha256').update(bytes).digest('hex');
  staging.objects.set(stored, { kind: url.searchParams.get('kind')!, bytes });
  reply(response, 201, { digest: stored, sizeBytes: bytes.byteLength });
}

function reply(response: ServerResponse, status: number, body: object): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}
