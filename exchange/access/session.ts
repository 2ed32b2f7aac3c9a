/**
 * One read, from its `opened` leaf to its `closed` leaf. Not a byte leaves before `opened` is in the log under a signed
 * head; `closed` says what was handed over and how it ended: complete, the client gone, or failed.
 */
import { finished } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { isHuitongError } from '../../lib/errors.ts';
import type { LeafInput } from '../audit/leaf.ts';
import type { Appended } from '../audit/tenure.ts';
import type { Access } from './access.ts';
import { assertStillUsable, type Grant } from './grants.ts';
import { whileUsable } from './guard.ts';
import { holdObjects } from './hold.ts';
import { LentStream } from './lent-stream.ts';
import type { Sent } from './renditions/rendition.ts';
import { judged } from './unsound.ts';
import { countUse, leaseHolder } from './usage.ts';

export interface Session {
  id: string;
  /** The `opened` leaf, provable: what a receipt is made from. */
  opened: Appended;
  /** Read it, or have it send itself to an answer. */
  stream: LentStream;
  /** Resolves when the `closed` leaf is written, or was given up with an alarm. */
  closed: Promise<void>;
}

/** The members of both leaves; `action` is what was done, without `.opened` or `.closed`. */
export type SessionLeaf = Omit<LeafInput, 'session' | 'decision' | 'time'>;

const CLOSE_ATTEMPTS_MAX = 6;
const CLOSE_RETRY_MS = 250;

export interface SessionContent {
  /** Under which it is read: asked for again while it lasts. Absent for what needs none (quarantine, for its owner). */
  grant?: Grant;
  /** The objects that it reads; they are leased until it has ended. */
  digests: string[];
  /** Chunks may be lent: each is asked for when the one before has been used. */
  bytes(sent: Sent): AsyncGenerator<Uint8Array>;
}

/**
 * @throws AUDIT_UNAVAILABLE, AUDIT_REGRESSION, OBJECT_MISSING, GRANT_NOT_USABLE, QUOTA_EXCEEDED: then nothing was
 * opened, and `bytes` was not called
 */
export async function openSession(access: Access, leaf: SessionLeaf, content: SessionContent): Promise<Session> {
  const id = uuidv7();
  const leafOf = (step: 'opened' | 'closed'): LeafInput => ({
    ...leaf,
    action: `${leaf.action}.${step}`,
    session: id,
    decision: 'allow',
  });
  const { catalog } = access.publication;
  const { grant } = content;
  if (grant !== undefined) {
    await assertStillUsable(catalog, grant);
    await countUse(catalog, grant, 'read');
  }
  const holder = leaseHolder(grant?.id ?? 'none', id);
  const hold = await holdObjects(access.publication, content.digests, holder).catch(async (e: unknown) => {
    throw await judged(access, content.digests, e);
  });
  const opened = await access.audit.append(leafOf('opened')).catch(async (e: unknown) => {
    await hold.release();
    throw e;
  });
  const sent = { rows: undefined as number | undefined, bytes: 0 };
  const bytes = grant === undefined ? content.bytes(sent) : whileUsable(catalog, grant, content.bytes(sent));
  const stream = new LentStream(counted(bytes, sent));
  hold.lost.addEventListener('abort', () => stream.destroy(hold.lost.reason), { once: true });
  const closed = new Promise<void>((resolve) => {
    finished(stream, (error) => {
      const rows = sent.rows === undefined ? {} : { rows: sent.rows };
      const rule = isHuitongError(error) ? { rule: error.code } : {};
      const closing = { ...leafOf('closed'), outcome: outcomeOf(error), bytes: sent.bytes, ...rows, ...rule };
      // Before the hold is released: what it reads again must still be there.
      const seenTo = judged(access, content.digests, error).then(() => hold.release());
      resolve(Promise.all([recordClose(access, id, closing), seenTo]).then(() => {}));
    });
  });
  return { id, opened, stream, closed };
}

async function* counted(bytes: AsyncIterable<Uint8Array>, sent: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    sent.bytes += chunk.byteLength;
    yield chunk;
  }
}

function outcomeOf(error: Error | null | undefined): NonNullable<LeafInput['outcome']> {
  if (error == null) return 'complete';
  const gone =
    'code' in error && ['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ECONNRESET'].includes(String(error.code));
  return gone ? 'client-gone' : 'failed';
}

/** The bytes are gone already: all that is left is to try again, and then to say so. */
async function recordClose(access: Access, session: string, leaf: LeafInput): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await access.audit.append(leaf);
      return;
    } catch (error: unknown) {
      if (attempt === CLOSE_ATTEMPTS_MAX || !isHuitongError(error, 'AUDIT_UNAVAILABLE')) {
        access.onAlarm({ kind: 'close-not-recorded', session, error });
        return;
      }
      await sleep(CLOSE_RETRY_MS * 2 ** (attempt - 1), undefined, { ref: false });
    }
  }
}
