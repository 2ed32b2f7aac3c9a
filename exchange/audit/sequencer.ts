/**
 * The one writer of the log. Leaves that arrive while a flush is under way wait and go together in the next, which
 * starts as soon as the former commit ends: no timer, so one caller alone pays one commit and many share it.
 *
 * What it promises: an answer is given only when its leaf is committed and under a signed head. When a flush fails its
 * outcome is unknown; its callers and those waiting get AUDIT_UNAVAILABLE, nothing is sent again, and a new tenure
 * reloads the truth. A caller's retry makes a new leaf.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { Candidate } from './candidate.ts';
import type { HeadStore } from './head-store.ts';
import { endSession, type SequencerSession } from './log-tables.ts';
import type { MerkleTree } from './merkle.ts';
import { type Door, removeDoor } from './peers/door.ts';
import { type Appended, type Submission, Tenure, type TenureOptions } from './tenure.ts';
import type { SignedHead } from './verify/head.ts';

/** What an operator should see in the log and the metrics. */
export type AuditEvent =
  | { kind: 'opened'; size: number }
  | { kind: 'lost'; error: unknown }
  | { kind: 'holder-lost'; error: unknown }
  | { kind: 'refused'; error: HuitongError }
  | { kind: 'head-not-kept'; error: unknown }
  | { kind: 'outbox-invalid'; outbox: number; error: unknown }
  | { kind: 'outbox-waits'; error: unknown };

export interface SequencerOptions extends TenureOptions {
  url: string;
  /** A holder of the log without a sign of life for so long is replaced. */
  silentMs?: number;
  /** Opens the door by which other servers reach this one; it is open as long as this one is in office. */
  openDoor(): Promise<Door>;
  /** Told after every look of the election: where the log's holder is reached; undefined where that is this process. */
  onHolder(address: string | undefined): void;
  onEvent?: (event: AuditEvent) => void;
}

interface Waiting extends Submission {
  bytes: number;
  resolve(appended: Appended[]): void;
  reject(error: Error): void;
}

interface Office {
  tenure: Tenure;
  door: Door;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  readonly #keeper: HeadKeeper;
  readonly #candidate: Candidate;
  #tenure: Tenure | undefined;
  #queue: Waiting[] = [];
  #queued = 0;
  #queuedBytes = 0;
  #flushing: Promise<void> | undefined;
  #refusal: HuitongError | undefined;
  readonly #closing = new AbortController();
  readonly #closed = aborted(this.#closing.signal);
  #office: Promise<void> | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#candidate = new Candidate(options.url, options.silentMs);
    this.#keeper = new HeadKeeper(options.headStore, (error) => this.#emit({ kind: 'head-not-kept', error }));
  }

  /**
   * Resolves when this process is in office; it stays a candidate as long as another is.
   * @throws AUDIT_REGRESSION, AUDIT_CORRUPT: nothing is signed until a person decides
   */
  async open(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const stay = this.#stayInOffice(resolve).then(() => reject(this.#unavailable()));
      this.#office = stay.catch((e: unknown) => {
        this.#refusal =
          e instanceof HuitongError ? e : new HuitongError('INTERNAL', 'the sequencer ended', { cause: e });
        this.#emit({ kind: 'refused', error: this.#refusal });
        reject(this.#refusal);
      });
    });
  }

  get inOffice(): boolean {
    return this.#tenure !== undefined;
  }

  /** Why this process will never be in office again, if so. */
  get refusal(): HuitongError | undefined {
    return this.#refusal;
  }

  /** The newest signed head and the tree under it. Throws AUDIT_UNAVAILABLE where this process is not in office. */
  current(): { head: SignedHead; tree: MerkleTree } {
    if (this.#tenure === undefined) throw this.#unavailable();
    return { head: this.#tenure.head, tree: this.#tenure.tree };
  }

  /** Resolves when all of it is committed under one signed head. Throws AUDIT_UNAVAILABLE, AUDIT_REGRESSION. */
  submit(submission: Submission): Promise<Appended[]> {
    return new Promise((resolve, reject) => {
      if (this.#tenure === undefined) return reject(this.#unavailable());
      if (submission.entries.length > limits.auditFlushLeavesMax) {
        return reject(new HuitongError('AUDIT_LEAF_INVALID', 'more leaves at once than one flush holds'));
      }
      const bytes = submission.entries.reduce((sum, entry) => sum + entry.length, 0);
      if (bytes > limits.auditFlushBytesMax) {
        return reject(new HuitongError('AUDIT_LEAF_INVALID', 'more bytes at once than one flush holds'));
      }
      const leaves = this.#queued + submission.entries.length;
      if (leaves > limits.auditQueueLeavesMax || this.#queuedBytes + bytes > limits.auditQueueBytesMax) {
        return reject(new HuitongError('AUDIT_UNAVAILABLE', 'too many leaves wait for the audit log'));
      }
      this.#queue.push({ ...submission, bytes, resolve, reject });
      this.#queued = leaves;
      this.#queuedBytes += bytes;
      // Deferred once, so that what arrives in the same turn of the event loop shares the flush.
      this.#flushing ??= nextTurn().then(() => this.#flushAll());
    });
  }

  /** Writes what waits, gives up the office, and leaves the newest head in the head store. */
  async close(): Promise<void> {
    await this.#flushing;
    this.#closing.abort();
    await this.#office;
    await this.#keeper.settled();
  }

  async #stayInOffice(onFirst: () => void): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const office = await this.#enterOffice();
      if (office !== undefined) await this.#serve(office, onFirst);
      // Also after a tenure: whoever was voted out lets others go first.
      await sleep(limits.auditElectionIntervalMs, undefined, { signal: this.#closing.signal }).catch(() => {});
    }
    await this.#candidate.leave();
  }

  async #serve({ tenure, door }: Office, onFirst: () => void): Promise<void> {
    this.#tenure = tenure;
    this.#keeper.keep(tenure.head);
    this.#emit({ kind: 'opened', size: tenure.head.size });
    onFirst();
    const error = await Promise.race([tenure.ended, this.#closed]);
    this.#tenure = undefined;
    this.#rejectAll(this.#takeQueue(), error);
    if (error !== undefined) this.#emit({ kind: 'lost', error });
    await tenure.end();
    await door.close();
  }

  /** Undefined where it is worth another try: the office is taken, or the database does not answer. */
  async #enterOffice(): Promise<Office | undefined> {
    try {
      const look = await this.#candidate.look();
      this.#options.onHolder(look.elected ? undefined : look.address);
      return look.elected && (await this.#beginTenure(look.elected, look.formerAddress));
    } catch (e: unknown) {
      // The door's address was good at the start: whoever took it since may leave it again.
      if (isHuitongError(e) && e.code !== 'CONFIG_INVALID') throw e;
      this.#emit({ kind: 'lost', error: e });
      return undefined;
    }
  }

  async #beginTenure(session: SequencerSession, formerAddress: string | undefined): Promise<Office> {
    let door: Door | undefined;
    try {
      door = await this.#options.openDoor();
      const tenure = await Tenure.begin(session, door.address, this.#options);
      if (formerAddress !== undefined && formerAddress !== door.address) await removeDoor(formerAddress);
      return { tenure, door };
    } catch (e: unknown) {
      await endSession(session.client);
      await door?.close();
      throw e;
    }
  }

  async #flushAll(): Promise<void> {
    try {
      while (this.#queue.length > 0 && this.#tenure !== undefined) await this.#flushOnce(this.#tenure);
    } finally {
      this.#flushing = undefined;
    }
  }

  async #flushOnce(tenure: Tenure): Promise<void> {
    const waiting = this.#takeFlush();
    try {
      const appended = await tenure.flush(waiting);
      this.#keeper.keep(tenure.head);
      for (const [i, one] of waiting.entries()) one.resolve(appended[i] as Appended[]);
    } catch (e: unknown) {
      if (this.#tenure === tenure) this.#tenure = undefined;
      this.#rejectAll([...waiting, ...this.#takeQueue()], e);
      await tenure.end();
    }
  }

  #takeFlush(): Waiting[] {
    let leaves = 0;
    let bytes = 0;
    let taken = 0;
    for (const one of this.#queue) {
      leaves += one.entries.length;
      bytes += one.bytes;
      if (taken > 0 && (leaves > limits.auditFlushLeavesMax || bytes > limits.auditFlushBytesMax)) break;
      taken++;
    }
    const waiting = this.#queue.splice(0, taken);
    for (const one of waiting) {
      this.#queued -= one.entries.length;
      this.#queuedBytes -= one.bytes;
    }
    return waiting;
  }

  #takeQueue(): Waiting[] {
    const waiting = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    this.#queuedBytes = 0;
    return waiting;
  }

  #rejectAll(waiting: Waiting[], cause: unknown): void {
    for (const one of waiting) {
      one.reject(new HuitongError('AUDIT_UNAVAILABLE', 'the audit log was lost before it confirmed', { cause }));
    }
  }

  #unavailable(): HuitongError {
    return this.#refusal ?? new HuitongError('AUDIT_UNAVAILABLE', 'this process does not hold the audit log now');
  }

  #emit(event: AuditEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Puts the newest head into the head store, one write at a time; heads that were overtaken meanwhile are left out. */
class HeadKeeper {
  readonly #store: HeadStore;
  readonly #onFailure: (error: unknown) => void;
  #next: SignedHead | undefined;
  #writing: Promise<void> | undefined;

  constructor(store: HeadStore, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  keep(head: SignedHead): void {
    this.#next = head;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const head = this.#next;
      this.#next = undefined;
      // A failure does not stop the log: the database holds the head too, and the next one is tried again.
      await this.#store.write(head.note).catch(this.#onFailure);
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
