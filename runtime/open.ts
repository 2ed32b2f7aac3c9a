/** Opens what a process needs by its settings. Each of these is closed through the `Resources` it is given. */
import { fileURLToPath } from 'node:url';
import { type Catalog, openCatalog } from '../catalog/database.ts';
import { openFileStore } from '../exchange/store/file-store.ts';
import type { ObjectStore } from '../exchange/store/store.ts';
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

/** `file:///path`, a folder that every process with this setting shares. */
export function openConfiguredStore(configuration: Configuration & { storeUrl: string }): Promise<ObjectStore> {
  return openFileStore(storeFolder(configuration));
}

export function storeFolder({ storeUrl }: { storeUrl: string }): string {
  return fileURLToPath(storeUrl);
}
