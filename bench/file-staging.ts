/** A staging server for measuring: it hashes what arrives and writes it to files, as the exchange does, and no more. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Assignment } from '../schemas/generated/assignment.ts';

export async function serveFileStaging(directory: string, assignment: Assignment) {
  let objects = 0;
  const store = async (request: IncomingMessage) => {
    const file = await open(join(directory, `object-${objects++}`), 'w');
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await file.write(chunk);
      sizeBytes += chunk.byteLength;
    }
    await file.close();
    return { digest: hash.digest('hex'), sizeBytes };
  };
  const server = createServer((request, response) => {
    const opens = request.url!.includes('/generations');
    const answer = opens ? Promise.resolve({ assignment, generation: 1, token: 'bench' }) : store(request);
    answer.then(
      (body) => response.writeHead(201).end(JSON.stringify(body)),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
