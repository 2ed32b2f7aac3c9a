/**
 * The log for a server that does not hold it: every question goes to the one that does. It is told by each look of the
 * election where that is (`follow`), and keeps one connection there.
 *
 * A question is sent once. Where the connection is lost before its answer, what became of it is unknown: the caller gets
 * AUDIT_UNAVAILABLE, and a leaf is never sent again.
 */
import type { KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type ErrorCode, errorCodes } from '../../../lib/error-codes.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import type { HeldLog } from '../held-log.ts';
import type { Appended } from '../tenure.ts';
import { HASH_BYTES, leafHash } from '../verify/hashing.ts';
import { type SignedHead, verifyHead } from '../verify/head.ts';
import { verifyInclusion } from '../verify/proofs.ts';
import { knock, type PeerIdentity } from './door.ts';
import {
  ANSWER,
  decodeCount,
  encodeCount,
  encodeFrame,
  type Frame,
  FrameDecoder,
  garbled,
  type Question,
  questions,
} from './frames.ts';

export interface RemoteLogOptions {
  identity: PeerIdentity & { publicKey: KeyObject };
  /** Told once for each loss, and once for an address that does not let us in. */
  onLoss(error: unknown): void;
  /** How long an answer may take. */
  answerMs?: number;
}

export class RemoteLog implements HeldLog {
  readonly #options: RemoteLogOptions;
  #address: string | undefined;
  #connection: Connection | undefined;
  #connecting: Promise<void> | undefined;
  #lossTold = false;
  /** One flush's head comes with each of its leaves: its signature is checked once. */
  #newest: SignedHead | undefined;
  /** Settles when a holder of the log has answered for the first time. */
  readonly firstReached: Promise<void>;
  #reached: (() => void) | undefined;

  constructor(options: RemoteLogOptions) {
    this.#options = options;
    this.firstReached = new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  /** Who holds the log now; undefined where nobody else does. Questions to a former holder are given up. */
  follow(address: string | undefined): void {
    if (address !== this.#address) {
      this.#connection?.lose(new Error('another server took the audit log over'));
      this.#address = address;
      this.#lossTold = false;
    }
    if (address === undefined) return;
    if (this.#connection !== undefined) {
      void this.#greet();
      return;
    }
    this.#connecting ??= this.#connect(address).finally(() => {
      this.#connecting = undefined;
    });
  }

  /** A holder that has only just been elected does not answer yet; the next look asks again. */
  async #greet(): Promise<void> {
    if (this.#reached === undefined) return;
    await this.head().then(
      () => {
        this.#reached?.();
        this.#reached = undefined;
      },
      () => {},
    );
  }

  async append(entries: Buffer[]): Promise<Appended[]> {
    const [note, index, ...proofs] = await this.#ask('append', entries);
    if (proofs.length !== entries.length) throw garbled('an answer');
    const head = this.#verified(note);
    const first = decodeCount(index);
    return entries.map((entry, i) => checked({ entry, index: first + i, head, proof: hashesOf(proofs[i]) }));
  }

  async head(): Promise<SignedHead> {
    const [note] = await this.#ask('head', []);
    return this.#verified(note);
  }

  async prove(index: number): Promise<Appended> {
    const [note, at, proof, entry] = await this.#ask('prove', [encodeCount(index)]);
    if (entry === undefined) throw garbled('an answer');
    return checked({ entry, index: decodeCount(at), head: this.#verified(note), proof: hashesOf(proof) });
  }

  async consistency(older: number, newer: number): Promise<Buffer[]> {
    const [hashes] = await this.#ask('consistency', [encodeCount(older), encodeCount(newer)]);
    return hashesOf(hashes);
  }

  async drainOutbox(): Promise<number> {
    const [moved] = await this.#ask('drain', []);
    return decodeCount(moved);
  }

  async close(): Promise<void> {
    this.follow(undefined);
    await this.#connecting;
    this.#connection?.lose(new Error('this server is stopping'));
  }

  async #connect(address: string): Promise<void> {
    try {
      const socket = await knock(this.#options.identity, address);
      if (address !== this.#address) {
        socket.destroy();
        return;
      }
      const connection = new Connection(socket, this.#options.answerMs ?? limits.auditPeerAnswerTimeoutMs);
      this.#connection = connection;
      this.#lossTold = false;
      void this.#greet();
      void connection.lost.then((error) => {
        if (this.#connection === connection) this.#connection = undefined;
        this.#tell(error);
      });
    } catch (error: unknown) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    if (this.#address !== undefined && !this.#lossTold) this.#options.onLoss(error);
    this.#lossTold = true;
  }

  async #ask(question: Question, pieces: Buffer[]): Promise<Buffer[]> {
    if (this.#connection === undefined) {
      throw new HuitongError('AUDIT_UNAVAILABLE', 'the server that holds the audit log is not reached now');
    }
    return this.#connection.ask(question, pieces);
  }

  #verified(note: Buffer | undefined): SignedHead {
    const text = (note ?? garbledPiece()).toString();
    if (this.#newest?.note !== text) this.#newest = verifyHead(text, this.#options.identity.publicKey);
    return this.#newest;
  }
}

interface Waiting {
  resolve(pieces: Buffer[]): void;
  reject(error: Error): void;
  bytes: number;
  since: number;
}

/** One connection, until it is lost. */
class Connection {
  readonly lost: Promise<unknown>;
  readonly #socket: TLSSocket;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<number, Waiting>();
  readonly #watch: NodeJS.Timeout;
  readonly #answerMs: number;
  #waitingBytes = 0;
  #number = 0;
  #corked = false;

  constructor(socket: TLSSocket, answerMs: number) {
    this.#socket = socket;
    this.#answerMs = answerMs;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    this.lost = new Promise((resolve) => {
      socket.on('error', resolve);
      socket.on('close', () => resolve(new Error('the connection was closed')));
    });
    void this.lost.then((cause) => this.#rejectAll(cause));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#watch = setInterval(() => this.#giveUpLate(), limits.auditTenureBeatMs);
  }

  ask(question: Question, pieces: Buffer[]): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      const number = this.#number;
      const frame = encodeFrame({ kind: questions[question], number, pieces });
      const full =
        this.#waiting.size >= limits.auditPeerQuestionsMax ||
        this.#waitingBytes + frame.length > limits.auditQueueBytesMax;
      if (full) return reject(new HuitongError('AUDIT_UNAVAILABLE', 'too many leaves wait for the audit log'));
      this.#number = (number + 1) % 2 ** 32;
      this.#waiting.set(number, { resolve, reject, bytes: frame.length, since: performance.now() });
      this.#waitingBytes += frame.length;
      this.#write(frame);
    });
  }

  lose(reason: Error): void {
    this.#socket.destroy(reason);
  }

  /** What is asked in the same turn of the event loop goes out together. */
  #write(frame: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frame);
  }

  #take(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#settle(frame);
    } catch (e: unknown) {
      this.lose(e as Error);
    }
  }

  #settle({ kind, number, pieces }: Frame): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) throw garbled('the number of an answer');
    this.#waiting.delete(number);
    this.#waitingBytes -= waiting.bytes;
    if (kind === ANSWER) waiting.resolve(pieces);
    else waiting.reject(failureOf(pieces));
  }

  /** In the order of asking: the first is the oldest. A holder that is stopped keeps its connections. */
  #giveUpLate(): void {
    const [oldest] = this.#waiting.values();
    if (oldest !== undefined && performance.now() - oldest.since > this.#answerMs) {
      this.lose(new Error('the server that holds the audit log did not answer in time'));
    }
  }

  #rejectAll(cause: unknown): void {
    clearInterval(this.#watch);
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) {
      reject(new HuitongError('AUDIT_UNAVAILABLE', 'the audit log’s holder was lost before it confirmed', { cause }));
    }
    this.#waiting.clear();
  }
}

/** Nothing is handed on that its reader could not verify. */
function checked(appended: Appended): Appended {
  verifyInclusion(leafHash(appended.entry), appended.index, appended.head, appended.proof);
  return appended;
}

function hashesOf(bytes: Buffer | undefined): Buffer[] {
  const whole = bytes ?? garbledPiece();
  if (whole.length % HASH_BYTES !== 0) throw garbled('a proof');
  return Array.from({ length: whole.length / HASH_BYTES }, (_, i) =>
    whole.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

function failureOf([code, message]: Buffer[]): HuitongError {
  const name = String(code);
  if (!(name in errorCodes)) return garbled('a failure');
  return new HuitongError(name as ErrorCode, String(message));
}

function garbledPiece(): never {
  throw garbled('an answer');
}
