import type { FilesConfig } from './config.ts';
import { openFolder } from './folder.ts';
import type { Location } from './location.ts';

/** S3's client is large: it is loaded where there is a bucket. */
export async function openLocation(config: FilesConfig, signal: AbortSignal): Promise<Location> {
  if (config.s3 !== undefined) return (await import('./s3.ts')).openBucket(config.s3, signal);
  return openFolder(config.folder ?? '', signal);
}
