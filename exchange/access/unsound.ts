/**
 * What becomes of a stored object that a read has found damaged or gone (FAULTS 13, 14): a damaged one is taken out of
 * reach, so that the next reader is refused before the first byte; an operator hears of it; and a projection that needs
 * it is forgotten, since it can be made again from the version.
 */
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { Access } from './access.ts';

/**
 * Runs what looks at stored objects before a byte is sent; it notes in `reading` which ones.
 * @throws OBJECT_CORRUPT, OBJECT_MISSING, and what `body` throws
 */
export async function whileSound<T>(access: Access, body: (reading: string[]) => Promise<T>): Promise<T> {
  const reading: string[] = [];
  try {
    return await body(reading);
  } catch (e: unknown) {
    throw await judged(access, reading, e);
  }
}

/**
 * The error to be told: the reader's own, or OBJECT_CORRUPT where bytes that could not be decoded (ARROW_INVALID) are
 * not those that were stored. Errors that say nothing of stored objects come back as they are.
 * @param digests what was read; hashed again where the error does not name one
 */
export async function judged(access: Access, digests: string[], error: unknown): Promise<unknown> {
  const missing = isHuitongError(error, 'OBJECT_MISSING');
  if (!missing && !isHuitongError(error, 'OBJECT_CORRUPT') && !isHuitongError(error, 'ARROW_INVALID')) return error;
  const { store } = access.publication;
  const suspects = error.at !== undefined && error.code !== 'ARROW_INVALID' ? [error.at] : new Set(digests);
  let told: unknown = error;
  for (const digest of suspects) {
    const found = missing
      ? error
      : await store.verify(digest).then(
          () => undefined,
          (e: unknown) => e,
        );
    if (isHuitongError(found, 'OBJECT_CORRUPT')) {
      access.onAlarm({ kind: 'object-corrupt', digest, error: found });
      told = new HuitongError('OBJECT_CORRUPT', 'a stored object is not what was published', {
        at: digest,
        cause: error,
      });
    } else if (isHuitongError(found, 'OBJECT_MISSING')) {
      access.onAlarm({ kind: 'object-missing', digest, error: found });
    } else continue;
    await forgetProjections(access, digest);
  }
  return told;
}

/** What cannot be forgotten now is met again by the next read. */
async function forgetProjections({ publication: { catalog } }: Access, digest: string): Promise<void> {
  const needing = catalog('projection_part').where({ digest }).select('projection');
  await catalog('projection')
    .whereIn('key', needing)
    .delete()
    .catch(() => {});
}
