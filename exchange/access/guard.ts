/** A stream that goes on only while its grant does. */
import type { Catalog } from '../../catalog/database.ts';
import { limits } from '../../lib/limits.ts';
import { assertStillUsable, type Grant, hasExpired, notUsable } from './grants.ts';

/**
 * Asks for the grant again after every `limits.grantCheckBytes`. The answer to one question is awaited when the next
 * is due, so that the stream never waits for the catalog; what is sent after a revocation is less than two of them,
 * 8 MiB (DESIGN.md, decision 10).
 * @throws GRANT_NOT_USABLE in the middle of the bytes: they end there, unfinished
 */
export async function* whileUsable(
  catalog: Catalog,
  grant: Grant,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (grant.epoch === null) {
    yield* bytes;
    return;
  }
  let asked: Promise<Error | undefined> | undefined;
  let since = 0;
  for await (const chunk of bytes) {
    if (hasExpired(grant)) throw notUsable(grant, 'expired');
    if (since + chunk.byteLength > limits.grantCheckBytes) {
      const refusal = await asked;
      if (refusal !== undefined) throw refusal;
      asked = assertStillUsable(catalog, grant).then(
        () => undefined,
        (e: unknown) => (e instanceof Error ? e : new Error('the grant cannot be looked up', { cause: e })),
      );
      since = 0;
    }
    since += chunk.byteLength;
    yield chunk;
  }
}
