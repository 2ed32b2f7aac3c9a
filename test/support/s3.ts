/**
 * A real S3 server over a folder: versitygw, from PATH or the user's cache folder (`.ci/run` puts it there with
 * `go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`). Where there is none, tests say so and are skipped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Options } from '../../exchange/store/s3-store.ts';
import { freePort } from '../../runtime/embedded/ports.ts';

export interface RunningS3 {
  options: S3Options;
  /** Where the bucket's objects are files. */
  bucketFolder: string;
  stop(): Promise<void>;
}

export function findS3Server(): string | undefined {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folders = [...(process.env.PATH ?? '').split(delimiter), join(cache, 'huitong', 'bin')];
  return folders.map((folder) => join(folder, 'versitygw')).find(isExecutable);
}

export async function startS3(binary: string): Promise<RunningS3> {
  const root = await mkdtemp(join(tmpdir(), 'huitong-s3-'));
  const bucketFolder = join(root, 'objects', 'huitong');
  await mkdir(bucketFolder, { recursive: true });
  const port = await freePort();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret-key' };
  const access = ['--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey];
  const child = spawn(binary, ['--port', `127.0.0.1:${port}`, ...access, 'posix', '--nometa', join(root, 'objects')], {
    stdio: 'ignore',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await untilAnswers(endpoint, child);
  return {
    options: { bucket: 'huitong', prefix: 'exchange', region: 'us-east-1', endpoint, credentials },
    bucketFolder,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(endpoint: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 200 && child.exitCode === null; i++) {
    const answered = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(50);
  }
  throw new Error('versitygw did not start');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
