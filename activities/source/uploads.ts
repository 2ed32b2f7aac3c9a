/**
 * Uploaded files, for as long as one activity reads them: fetched by digest into a folder of this process's own, proved
 * to be what the exchange says they are, and removed behind it.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Connector, TableName } from '../../connectors/connector.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { makeScratch } from '../../lib/scratch.ts';
import type { PinnedUpload, StagingClient } from '../../pipeline/staging.ts';

export interface Opened {
  connector: Connector;
  config: unknown;
}

export interface UploadsOf {
  source: string;
  /** Absent: what is asked for may need every file. */
  table?: TableName;
  /** As the run pinned them; absent: those that the source has now. */
  pinned?: PinnedUpload[];
  signal: AbortSignal;
}

/**
 * Runs `body` with the source as it can be read: one without uploads as it is, one with them over a folder that holds
 * them. Plans then name the files' digests, so that a version tells what it was made from.
 * @throws HuitongError DIGEST_MISMATCH, NOT_FOUND (a file was replaced before it was fetched), and what `body` throws
 */
export async function withUploads<T>(
  staging: StagingClient,
  { connector, config }: Opened,
  { source, table, pinned, signal }: UploadsOf,
  body: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { uploads } = connector;
  if (uploads?.wanted(config, [], table) === undefined) return body({ connector, config });
  const all = pinned ?? (await staging.listUploads(source));
  const names = all.map(({ name }) => name);
  const wanted = new Set(uploads.wanted(config, names, table));
  const files = all.filter(({ name }) => wanted.has(name));
  const folder = await makeScratch('uploads');
  try {
    for (const file of files) await fetchUpload(staging, source, file, folder, signal);
    return await body({ connector: describing(connector, files), config: uploads.inFolder(config, folder) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file that is broken off is fetched again from its beginning. */
async function fetchUpload(
  staging: StagingClient,
  source: string,
  file: PinnedUpload,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  // The exchange has checked the name; this process's files do not depend on that.
  if (file.name !== basename(file.name) || file.name.startsWith('.')) {
    throw new HuitongError('PATH_OUTSIDE', 'the name of an uploaded file leads out of its folder', { at: source });
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const digest = await fetchOnce(staging.readUpload(source, file.digest), join(folder, file.name), signal);
      if (digest === file.digest) return;
      throw new HuitongError('DIGEST_MISMATCH', 'an uploaded file is not what was uploaded', { at: file.digest });
    } catch (e: unknown) {
      if (signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled');
      const again = isHuitongError(e, 'STAGING_UNREACHABLE') && attempt < limits.stagingAttemptsMax;
      if (!again) throw e;
      await wait(limits.stagingRetryMs * 2 ** (attempt - 1));
    }
  }
}

async function fetchOnce(bytes: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const hashing = async function* () {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(hashing, createWriteStream(path, { mode: 0o600 }), { signal });
  return hash.digest('hex');
}

/** The same connector, whose plans tell the digests. Threads read with the registry's own. */
function describing(connector: Connector, files: PinnedUpload[]): Connector {
  const uploads = files.map(({ name, digest }) => ({ name, digest }));
  return {
    ...connector,
    plan: async (...planned) => {
      const plan = await connector.plan(...planned);
      return { ...plan, description: { ...plan.description, uploads } };
    },
  };
}
