/** Opens what a process needs by its settings. Each of these is closed through the `Resources` it is given. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Catalog, openCatalog } from '../catalog/database.ts';
import { createFileHeadStore, type HeadStore } from '../exchange/audit/head-store.ts';
import { openFileStore } from '../exchange/store/file-store.ts';
import type { S3Options } from '../exchange/store/s3-store.ts';
import type { ObjectStore } from '../exchange/store/store.ts';
import { HuitongError } from '../lib/errors.ts';
import type { Configuration } from './configuration.ts';
import type { Resources } from './resources.ts';
import { resolveSecret } from './secrets.ts';

export interface OpenedCatalog {
  catalog: Catalog;
  /** With its password: for the audit log's own session. */
  url: string;
}

export async function openConfiguredCatalog(
  configuration: Configuration & { catalogUrl: string },
  applicationName: string,
  resources: Resources,
): Promise<OpenedCatalog> {
  const url = await resolveSecret(configuration.catalogUrl, 'HUITONG_CATALOG_URL');
  const catalog = openCatalog(url, { applicationName, connectionsMax: configuration.catalogConnectionsMax });
  return { catalog: resources.add(catalog, (opened) => opened.destroy()), url };
}

/** `file:///path`, a folder that every process with this setting shares, or a bucket (`s3Options`). */
export async function openConfiguredStore(
  { storeUrl }: { storeUrl: string },
  resources: Resources,
): Promise<ObjectStore> {
  if (!isS3(storeUrl)) return openFileStore(fileURLToPath(storeUrl));
  // Loaded where it is wanted: the SDK takes half a second of a process's start.
  const { openS3Store } = await import('../exchange/store/s3-store.ts');
  return resources.add(await openS3Store(s3Options(storeUrl)), (opened) => opened.close());
}

/** Where the audit log keeps its newest head a second time: beside the objects. */
export async function openConfiguredHeadStore(
  { storeUrl }: { storeUrl: string },
  resources: Resources,
): Promise<HeadStore> {
  if (!isS3(storeUrl)) return createFileHeadStore(join(fileURLToPath(storeUrl), 'audit-head'));
  const { openS3Note } = await import('../exchange/store/s3-note.ts');
  return resources.add(openS3Note(s3Options(storeUrl), 'audit-head'), (opened) => opened.close());
}

function isS3(storeUrl: string): boolean {
  return storeUrl.startsWith('s3:');
}

/**
 * `s3://bucket/prefix?region=cn-south-1&endpoint=https://s3.example`. Credentials are not in it: they are found as every
 * AWS tool finds them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, the machine's role).
 * @throws CONFIG_INVALID
 */
export function s3Options(storeUrl: string): S3Options {
  const { hostname: bucket, pathname, searchParams, username, password } = new URL(storeUrl);
  const unknown = [...searchParams.keys()].find((name) => name !== 'region' && name !== 'endpoint');
  if (bucket === '' || unknown !== undefined || username !== '' || password !== '') {
    throw new HuitongError('CONFIG_INVALID', 'the store’s address is not s3://bucket/prefix?region=…&endpoint=…', {
      at: 'HUITONG_STORE_URL',
      hint: 'Credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    });
  }
  const prefix = pathname.replace(/^\/|\/$/g, '');
  const endpoint = searchParams.get('endpoint');
  return {
    bucket,
    region: searchParams.get('region') ?? 'us-east-1',
    ...(prefix ? { prefix } : {}),
    ...(endpoint ? { endpoint } : {}),
  };
}
