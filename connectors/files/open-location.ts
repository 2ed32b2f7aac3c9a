import { HuitongError } from '../../lib/errors.ts';
import type { FilesConfig } from './config.ts';
import { openFolder } from './folder.ts';
import type { Location } from './location.ts';

/** S3's client is large: it is loaded where there is a bucket. */
export async function openLocation(config: FilesConfig, signal: AbortSignal): Promise<Location> {
  if (config.s3 !== undefined) return (await import('./s3.ts')).openBucket(config.s3, signal);
  if (config.folder === undefined) {
    throw new HuitongError('CONFIG_INVALID', 'uploaded files are read once a worker has fetched them into a folder');
  }
  return openFolder(config.folder, signal);
}
