/**
 * The token of one generation: it lets a worker stage objects for that run and nothing else. It is an HMAC over the run
 * and the generation, so that every server process can check it and none has to remember it; it ends with the
 * generation, because staging is refused as FENCED for any but the newest.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface SessionTokens {
  issue(runId: string, generation: number): string;
  verify(token: string, runId: string, generation: number): boolean;
}

const PREFIX = 'hts_';

/** `key` is shared by the servers of one exchange; a random one serves a single server. */
export function createSessionTokens(key: Uint8Array = randomBytes(32)): SessionTokens {
  const issue = (runId: string, generation: number) =>
    PREFIX + createHmac('sha256', key).update(`${runId}\n${generation}`).digest('base64url');
  return {
    issue,
    verify(token, runId, generation) {
      const expected = Buffer.from(issue(runId, generation));
      const given = Buffer.from(token);
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
