/**
 * One sequencer's time in office: from the election, through a verified reload, to the first failure. A tenure never
 * recovers; whoever wants to go on begins another, which raises the epoch and reloads what really was committed.
 *
 * While it has nothing to write it gives a sign of life, so that others can tell an idle sequencer from a stopped one.
 */
import type pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { HeadStore } from './head-store.ts';
import {
  endSession,
  type LogState,
  raiseEpoch,
  readLogTables,
  renewTenure,
  type SequencerSession,
  writeFlush,
} from './log-tables.ts';
import type { MerkleTree } from './merkle.ts';
import { isRefusal, noteRefusal } from './refusal.ts';
import type { HeadSigner } from './signer.ts';
import { ProofReader, restoreTree } from './tiles.ts';
import { leafHash } from './verify/hashing.ts';
import { parseHead, type SignedHead, verifyHead } from './verify/head.ts';

/** A leaf that is in the log, under a signed head. */
export interface Appended {
  index: number;
  /** The leaf's canonical JSON, as stored. */
  entry: Buffer;
  head: SignedHead;
  /** RFC 6962 inclusion proof of the leaf under `head`. */
  proof: Buffer[];
}

/** Entries that belong together: they get neighbouring indexes. */
export interface Submission {
  entries: Buffer[];
  outbox: number[];
}

export interface TenureOptions {
  signer: HeadSigner;
  headStore: HeadStore;
  /** How often it gives a sign of life. */
  beatMs?: number;
}

export class Tenure {
  readonly #client: pg.Client;
  readonly #epoch: number;
  readonly #tree: MerkleTree;
  readonly #signer: HeadSigner;
  #head: SignedHead;
  #flushedSinceBeat = false;
  #beat: NodeJS.Timeout | undefined;
  /** Settles when the session is gone or another took over. */
  readonly ended: Promise<Error>;

  private constructor(session: SequencerSession, state: LogState, tree: MerkleTree, options: TenureOptions) {
    this.#client = session.client;
    this.#epoch = state.epoch;
    this.#tree = tree;
    this.#signer = options.signer;
    this.#head = this.#signer.sign({ size: state.size, root: state.root, time: new Date().toISOString() });
    this.ended = new Promise((resolve) => {
      void session.ended.then(resolve);
      this.#beat = setInterval(() => this.#renew().catch(resolve), options.beatMs ?? limits.auditTenureBeatMs);
    });
  }

  /**
   * Begins where the session was elected; `address` is published as the place of the log's holder.
   * @throws AUDIT_REGRESSION where the database is behind the kept head, or differs from it
   * @throws AUDIT_CORRUPT where its tables contradict each other; either is noted for every other process (refusal.ts)
   */
  static async begin(session: SequencerSession, address: string, options: TenureOptions): Promise<Tenure> {
    const { client } = session;
    const state = await raiseEpoch(client, address);
    try {
      const tree = await reload(client, state);
      const regression = await regressionOf(client, state, tree, options);
      if (regression !== undefined) throw new HuitongError('AUDIT_REGRESSION', regression.message);
      await noteRefusal(client, null);
      return new Tenure(session, state, tree, options);
    } catch (e: unknown) {
      if (isRefusal(e)) await noteRefusal(client, e.code);
      throw e;
    }
  }

  get head(): SignedHead {
    return this.#head;
  }

  get tree(): MerkleTree {
    return this.#tree;
  }

  /**
   * Puts the submissions into the log in one commit. Any throw ends the tenure: the commit may have happened or not.
   * @throws FENCED where another sequencer took over: then it did not happen
   */
  async flush(submissions: Submission[]): Promise<Appended[][]> {
    const oldSize = this.#tree.size;
    const entries = submissions.flatMap((submission) => submission.entries);
    for (const entry of entries) this.#tree.append(leafHash(entry));
    const fields = { size: this.#tree.size, root: this.#tree.root(), time: new Date().toISOString() };
    const head = this.#signer.sign(fields);
    const written = writeFlush(this.#client, {
      epoch: this.#epoch,
      oldSize,
      newSize: head.size,
      root: head.root,
      head: head.note,
      entries,
      tiles: this.#tree.takeFullTiles(),
      outbox: submissions.flatMap((submission) => submission.outbox),
    });
    // Proofs are made while the server commits; nobody sees head or proofs before it has.
    let index = oldSize;
    const appended = submissions.map((submission) =>
      submission.entries.map((entry) => ({ entry, head, proof: this.#tree.inclusionProof(index), index: index++ })),
    );
    if (!(await written)) throw fenced();
    this.#head = head;
    this.#flushedSinceBeat = true;
    return appended;
  }

  async #renew(): Promise<void> {
    if (!this.#flushedSinceBeat && !(await renewTenure(this.#client, this.#epoch))) throw fenced();
    this.#flushedSinceBeat = false;
  }

  async end(): Promise<void> {
    clearInterval(this.#beat);
    await endSession(this.#client);
  }
}

/** The tree of what the database holds. @throws AUDIT_CORRUPT */
export async function reload(client: pg.Client, state: LogState): Promise<MerkleTree> {
  const tree = await restoreTree(state.size, readLogTables(client));
  if (!tree.root().equals(state.root)) throw corrupt('its entries and tiles do not lead to its root');
  if (state.head !== null) {
    const head = parseHead(state.head);
    if (head.size !== state.size || !head.root.equals(state.root)) throw corrupt('its head is not of its state');
  }
  return tree;
}

export interface Regression {
  /** What was signed over more, or other, leaves than the database holds. */
  kept: SignedHead;
  message: string;
}

/** Undefined where the database holds all that a head was ever signed over. */
export async function regressionOf(
  client: pg.Client,
  state: LogState,
  tree: MerkleTree,
  { signer, headStore }: Pick<TenureOptions, 'signer' | 'headStore'>,
): Promise<Regression | undefined> {
  const note = await headStore.read();
  if (note === undefined) return undefined;
  const kept = verifyHead(note, signer.publicKey);
  if (kept.size > state.size) {
    const message = `the database holds ${state.size} leaves, a head over ${kept.size} was already signed`;
    return { kept, message };
  }
  const root = await new ProofReader(tree, readLogTables(client)).rootAt(kept.size);
  if (root.equals(kept.root)) return undefined;
  return { kept, message: `the first ${kept.size} leaves are not those of the head signed over them` };
}

function fenced(): HuitongError {
  return new HuitongError('FENCED', 'another sequencer took over the audit log');
}

function corrupt(message: string): HuitongError {
  return new HuitongError('AUDIT_CORRUPT', `the audit log’s tables contradict each other: ${message}`);
}
