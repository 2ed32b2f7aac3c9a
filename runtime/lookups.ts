/** Look-ups in a server process: where copies of indexes lie, and the making of those that are missing. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Access } from '../exchange/access/access.ts';
import { Lookups } from '../exchange/access/lookup/lookups.ts';
import { limits } from '../lib/limits.ts';
import type { Published } from './housekeeping.ts';
import type { Resources } from './resources.ts';

/**
 * Looks for versions without an index as soon as one was published, and every `limits.lookupIndexIntervalMs` for what
 * was missed; one pass at a time, which is waited for when the resources are closed.
 */
export function openLookups(
  access: Access,
  settings: { storeUrl: string; lookupCache?: string },
  { log, published }: { log: Logger; published: Published },
  resources: Resources,
): Lookups {
  const lookups = new Lookups(access, {
    directory: settings.lookupCache ?? besideStore(settings.storeUrl),
    onFailure: (dataset, err) => log.warn({ dataset, err }, 'an index for look-ups could not be made or opened'),
  });
  let pass: Promise<void> | undefined;
  let again = false;
  let closed = false;
  const look = () => {
    if (closed) return;
    again = pass !== undefined;
    pass ??= lookups.shelf
      .makeMissing()
      .catch((err: unknown) => log.warn({ err }, 'indexes for look-ups could not be made; the next pass tries again'))
      .finally(() => {
        pass = undefined;
        if (again) look();
      });
  };
  published.listen(look);
  const timer = setInterval(look, limits.lookupIndexIntervalMs);
  resources.add(lookups, async (opened) => {
    closed = true;
    clearInterval(timer);
    const closing = opened.close();
    await pass;
    await closing;
  });
  return lookups;
}

/** A store of files has a disk of its own already; for a bucket there is only the machine's. */
function besideStore(storeUrl: string): string {
  return storeUrl.startsWith('file:') ? join(fileURLToPath(storeUrl), 'lookups') : join(tmpdir(), 'huitong-lookups');
}
