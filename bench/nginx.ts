/** nginx over one folder, where it is installed: what a server that does nothing but hand files over reaches. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 5_000;

/** Undefined where it is not installed, which the caller says aloud. */
export async function startNginx(folder: string): Promise<{ base: string; stop(): Promise<void> } | undefined> {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `user root; daemon off; worker_processes 1; pid ${join(folder, 'nginx.pid')}; error_log stderr warn;
     events {}
     http { access_log off; sendfile on; server { listen 127.0.0.1:${port}; root ${folder}; } }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  const failed = await Promise.race([
    once(child, 'spawn').then(() => false),
    once(child, 'error').then(() => true),
  ]).catch(() => true);
  if (failed) return undefined;
  const base = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + WAIT_MS; Date.now() < until; await sleep(50)) {
    if (
      await fetch(`${base}/nginx.conf`)
        .then(() => true)
        .catch(() => false)
    )
      break;
  }
  return {
    base,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGQUIT');
      await gone;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
