/** The demo's tokens: one a department, and those of the people and processes that look after the exchange. */
import { type Catalog, openCatalog } from '../../catalog/database.ts';
import { authenticate, mintToken } from '../../exchange/access/tokens.ts';
import { isHuitongError } from '../../lib/errors.ts';
import type { StateFolder } from '../state.ts';
import { Api } from './api.ts';

const WORKER_SECRET = 'worker-token';

/** The administrator's token of a former start, else a new one: the first cannot be made through the API. */
export async function administratorToken(state: StateFolder, catalogUrl: string, supervisor: string): Promise<string> {
  const catalog = openCatalog(catalogUrl, { connectionsMax: 1 });
  try {
    const kept = (await state.readConnection())?.tokens.administrator;
    if (kept !== undefined && (await isValid(catalog, kept))) return kept;
    const request = { department: supervisor, subject: 'demo', roles: ['administrator' as const], label: 'demo' };
    return (await mintToken(catalog, request)).secret;
  } finally {
    await catalog.destroy();
  }
}

async function isValid(catalog: Catalog, token: string): Promise<boolean> {
  try {
    await authenticate(catalog, token);
    return true;
  } catch (e: unknown) {
    if (isHuitongError(e, 'UNAUTHENTICATED')) return false;
    throw e;
  }
}

/** Makes what is missing through the API and keeps all for `huitong --as <name>`; returns them by name. */
export async function departmentTokens(
  state: StateFolder,
  url: string,
  administrator: string,
  supervisor: string,
  departments: readonly string[],
): Promise<Record<string, string>> {
  const kept = (await state.readConnection())?.tokens ?? {};
  // Tokens of another exchange would be refused one by one, later: they go with their administrator's.
  const tokens: Record<string, string> = kept.administrator === administrator ? { ...kept } : { administrator };
  const api = new Api(url, administrator);
  tokens.auditor ??= await create(api, supervisor, ['auditor']);
  for (const department of departments) tokens[department] ??= await create(api, department, ['officer', 'engineer']);
  await state.writeConnection({ url, tokens });
  return tokens;
}

/**
 * The file of the worker's token, for a `file:` reference. It is the exchange's own worker (role operator): it serves
 * every department, and what it stages is not checked a second time.
 */
export async function workerTokenFile(state: StateFolder, api: Api, supervisor: string): Promise<string> {
  return state.keepSecret(WORKER_SECRET, await create(api, supervisor, ['operator', 'worker']));
}

async function create(api: Api, department: string, roles: string[]): Promise<string> {
  const request = { department, subject: 'demo', roles, label: 'demo' };
  return (await api.post<{ secret: string }>('/tokens', request)).secret;
}
