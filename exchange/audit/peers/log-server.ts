/** Answers the other servers' questions to the log, in the process that holds it. */
import type { TLSSocket } from 'node:tls';
import { isHuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import type { HeldLog } from '../held-log.ts';
import type { Appended } from '../tenure.ts';
import { type Door, openDoor, type PeerIdentity } from './door.ts';
import {
  ANSWER,
  decodeCount,
  encodeCount,
  encodeFrame,
  FAILURE,
  type Frame,
  FrameDecoder,
  garbled,
  type Question,
  questions,
} from './frames.ts';

type Answerers = Record<Question, (held: HeldLog, pieces: Buffer[]) => Promise<Buffer[]>>;

const answerers: Answerers = {
  async append(held, entries) {
    const appended = await held.append(entries);
    const [first] = appended;
    if (first === undefined) throw garbled('no leaves');
    return [Buffer.from(first.head.note), encodeCount(first.index), ...appended.map(proofOf)];
  },
  async head(held) {
    return [Buffer.from((await held.head()).note)];
  },
  async prove(held, [index]) {
    const proved = await held.prove(decodeCount(index));
    return [Buffer.from(proved.head.note), encodeCount(proved.index), proofOf(proved), proved.entry];
  },
  async consistency(held, [older, newer]) {
    return [Buffer.concat(await held.consistency(decodeCount(older), decodeCount(newer)))];
  },
  async drain(held) {
    return [encodeCount(await held.drainOutbox())];
  },
};
const byKind = new Map(Object.entries(answerers).map(([name, answer]) => [questions[name as Question], answer]));

/** Opens a door to `held`. Closing it lets answers that are ready out, and then cuts the connections. */
export async function serveLog(held: HeldLog, identity: PeerIdentity, address: string | undefined): Promise<Door> {
  const sockets = new Set<TLSSocket>();
  const door = await openDoor(identity, address, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    servePeer(held, socket);
  });
  return {
    address: door.address,
    async close() {
      const closing = door.close();
      for (const socket of sockets) socket.destroySoon();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, limits.auditPeerConnectTimeoutMs);
      await closing;
      clearTimeout(cut);
    },
  };
}

function servePeer(held: HeldLog, socket: TLSSocket): void {
  const decoder = new FrameDecoder();
  let open = 0;
  // A peer that does not fetch its answers, or asks more than is allowed, is not read from until it does.
  const rest = () => {
    if (open >= limits.auditPeerQuestionsMax || socket.writableNeedDrain) socket.pause();
    else socket.resume();
  };
  const answer = async (frame: Frame) => {
    open++;
    const reply = await replyTo(held, frame);
    open--;
    if (!socket.writable) return;
    socket.write(reply);
    rest();
  };
  socket.setKeepAlive(true);
  socket.on('drain', rest);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of decoder.push(chunk)) void answer(frame);
      rest();
    } catch {
      // Another protocol: there is no answer that it would understand.
      socket.destroy();
    }
  });
}

/** Never rejects: what went wrong is the answer. */
async function replyTo(held: HeldLog, { kind, number, pieces }: Frame): Promise<Buffer> {
  try {
    const answer = byKind.get(kind as (typeof questions)[Question]);
    if (answer === undefined) throw garbled('a question');
    return encodeFrame({ kind: ANSWER, number, pieces: await answer(held, pieces) });
  } catch (e: unknown) {
    const { code, message } = isHuitongError(e) ? e : { code: 'INTERNAL', message: 'the audit log’s server failed' };
    return encodeFrame({ kind: FAILURE, number, pieces: [Buffer.from(code), Buffer.from(message)] });
  }
}

function proofOf({ proof }: Appended): Buffer {
  return Buffer.concat(proof);
}
