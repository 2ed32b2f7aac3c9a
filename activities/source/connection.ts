/** A source's connection, made ready: its secret references resolved, and its address one that a source may have. */
import { lookup } from 'node:dns/promises';
import { realpath } from 'node:fs/promises';
import { isIP } from 'node:net';
import { normalize, sep } from 'node:path';
import { addressBlocked } from '../../lib/addresses.ts';
import { HuitongError } from '../../lib/errors.ts';

/** The secret that `env:NAME` or `file:/path` refers to. Throws SECRET_MISSING; `at` is a pointer into the connection. */
export type ResolveSecret = (reference: string, at: string) => Promise<string>;

const REFERENCE = /^(env|file):./;

/** The same document with every reference in it, at any depth, replaced. */
export async function resolveConnection(
  connection: unknown,
  resolveSecret: ResolveSecret,
  pointer = '',
): Promise<unknown> {
  if (typeof connection === 'string') {
    return REFERENCE.test(connection) ? resolveSecret(connection, `connection ${pointer}`) : connection;
  }
  if (typeof connection !== 'object' || connection === null) return connection;
  const entries = await Promise.all(
    Object.entries(connection).map(async ([name, value]) => {
      const token = name.replaceAll('~', '~0').replaceAll('/', '~1');
      return [name, await resolveConnection(value, resolveSecret, `${pointer}/${token}`)] as const;
    }),
  );
  return Array.isArray(connection) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/**
 * Refuses connections whose `host` or `url` leads to a link-local address, or, unless the operator allows it, to the
 * worker's own machine. A name that does not resolve is left to the connector, which says so better.
 *
 * A name whose answer changes between this look and the connection is not caught: a firewall is the place for that.
 * @throws HuitongError SSRF_BLOCKED
 */
export async function assertAddressAllowed(connection: unknown, loopbackAllowed: boolean): Promise<void> {
  for (const host of hostsOf(connection)) {
    const addresses = isIP(host) ? [host] : await addressesOf(host);
    for (const address of addresses) {
      const what = addressBlocked(address, loopbackAllowed);
      if (what === undefined) continue;
      throw new HuitongError('SSRF_BLOCKED', `${host} is ${what}`, { at: host });
    }
  }
}

function hostsOf(connection: unknown): string[] {
  if (typeof connection !== 'object' || connection === null) return [];
  const { host, url, s3 } = connection as Record<string, unknown>;
  const hosts = typeof host === 'string' ? [host] : [];
  if (typeof s3 === 'object' && s3 !== null) hosts.push(...hostsOf({ url: Reflect.get(s3, 'endpoint') }));
  if (typeof url === 'string' && URL.canParse(url)) {
    const { hostname, searchParams } = new URL(url);
    // libpq's URLs may name the host behind the question mark.
    hosts.push(hostname.replace(/^\[|\]$/g, ''), ...searchParams.getAll('host'), ...searchParams.getAll('hostaddr'));
  }
  return hosts.filter((name) => name !== '');
}

/**
 * Refuses connections whose `folder` is not within one of the worker's own folders, links followed: a definition must
 * not choose what of the machine is read.
 * @throws HuitongError PATH_OUTSIDE
 */
export async function assertFolderAllowed(connection: unknown, folders: readonly string[]): Promise<void> {
  if (typeof connection !== 'object' || connection === null) return;
  const folder: unknown = Reflect.get(connection, 'folder');
  if (typeof folder !== 'string') return;
  // A folder that is not there is left to the connector, once its path is known to be allowed.
  const real = await realpath(folder).catch(() => normalize(folder));
  const allowed = await Promise.all(folders.map((root) => realpath(root).catch(() => normalize(root))));
  if (allowed.some((root) => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep))) return;
  throw new HuitongError('PATH_OUTSIDE', 'the folder is not among those that this worker may read', {
    at: folder,
    hint: 'Let the operator add it to sourceFolders (HUITONG_SOURCE_FOLDERS) of the department’s worker.',
  });
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}
