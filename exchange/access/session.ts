/**
 * One read, from its `opened` leaf to its `closed` leaf. Not a byte leaves before `opened` is in the log under a signed
 * head; `closed` says what was handed over and how it ended: complete, the client gone, or failed.
 */
import { finished, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { isHuitongError } from '../../lib/errors.ts';
import type { LeafInput } from '../audit/leaf.ts';
import type { Appended } from '../audit/tenure.ts';
import type { Access } from './access.ts';
import type { Sent } from './renditions/rendition.ts';

export interface Session {
  id: string;
  /** The `opened` leaf, provable: what a receipt is made from. */
  opened: Appended;
  stream: Readable;
  /** Resolves when the `closed` leaf is written, or was given up with an alarm. */
  closed: Promise<void>;
}

/** The members of both leaves; `action` is what was done, without `.opened` or `.closed`. */
export type SessionLeaf = Omit<LeafInput, 'session' | 'decision' | 'time'>;

const CLOSE_ATTEMPTS_MAX = 6;
const CLOSE_RETRY_MS = 250;

/** @throws AUDIT_UNAVAILABLE, AUDIT_REGRESSION: then nothing was opened, and `bytes` was not called */
export async function openSession(
  access: Access,
  leaf: SessionLeaf,
  bytes: (sent: Sent) => AsyncGenerator<Uint8Array>,
): Promise<Session> {
  const id = uuidv7();
  const opened = await access.audit.append({
    ...leaf,
    action: `${leaf.action}.opened`,
    session: id,
    decision: 'allow',
  });
  const sent = { rows: undefined as number | undefined, bytes: 0 };
  const stream = Readable.from(counted(bytes(sent), sent), { objectMode: false });
  const closed = new Promise<void>((resolve) => {
    finished(stream, (error) => {
      const outcome = outcomeOf(error ?? undefined);
      alarmIfCorrupt(access, error);
      const { bytes: count, rows } = sent;
      const counts = { bytes: count, ...(rows === undefined ? {} : { rows }) };
      const closing = { ...leaf, action: `${leaf.action}.closed`, session: id, decision: 'allow' as const, outcome };
      resolve(recordClose(access, id, { ...closing, ...counts }));
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

function outcomeOf(error: Error | undefined): NonNullable<LeafInput['outcome']> {
  if (error === undefined) return 'complete';
  const gone =
    'code' in error && ['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ECONNRESET'].includes(String(error.code));
  return gone ? 'client-gone' : 'failed';
}

function alarmIfCorrupt(access: Access, error: unknown): void {
  if (isHuitongError(error, 'OBJECT_CORRUPT')) {
    access.onAlarm({ kind: 'object-corrupt', digest: error.at ?? '', error });
  }
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
