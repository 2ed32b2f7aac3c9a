/**
 * One sequencer's time in office: from the election, through a verified reload, to the first failure. A tenure never
 * recovers; whoever wants to go on begins another, which raises the epoch and reloads what really was committed.
 */
import type pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import type { HeadStore } from './head-store.ts';
import { connectSequencer, type LogState, raiseEpoch, readLogTables, tryElect, writeFlush } from './log-tables.ts';
import type { MerkleTree } from './merkle.ts';
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
  url: string;
  signer: HeadSigner;
  headStore: HeadStore;
}

export class Tenure {
  readonly #client: pg.Client;
  readonly #epoch: number;
  readonly #tree: MerkleTree;
  readonly #signer: HeadSigner;
  #head: SignedHead;
  /** Settles when the session is gone, whatever the reason. */
  readonly ended: Promise<Error>;

  private constructor(client: pg.Client, ended: Promise<Error>, state: LogState, tree: MerkleTree, signer: HeadSigner) {
    this.#client = client;
    this.ended = ended;
    this.#epoch = state.epoch;
    this.#tree = tree;
    this.#signer = signer;
    this.#head = signer.sign({ size: state.size, root: state.root, time: new Date().toISOString() });
  }

  /**
   * @returns undefined where another process is in office
   * @throws AUDIT_REGRESSION where the database is behind the kept head, or differs from it
   * @throws AUDIT_CORRUPT where its tables contradict each other
   */
  static async begin({ url, signer, headStore }: TenureOptions): Promise<Tenure | undefined> {
    const client = await connectSequencer(url);
    const ended = new Promise<Error>((resolve) => {
      client.on('error', resolve);
      client.on('end', () => resolve(new Error('the session ended')));
    });
    try {
      if (!(await tryElect(client))) {
        await client.end();
        return undefined;
      }
      const state = await raiseEpoch(client);
      const tree = await reload(client, state);
      await refuseRegression(new ProofReader(tree, readLogTables(client)), state, signer, headStore);
      return new Tenure(client, ended, state, tree, signer);
    } catch (e: unknown) {
      await client.end().catch(() => {});
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
    if (!(await written)) throw new HuitongError('FENCED', 'another sequencer took over the audit log');
    this.#head = head;
    return appended;
  }

  async end(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}

async function reload(client: pg.Client, state: LogState): Promise<MerkleTree> {
  const tree = await restoreTree(state.size, readLogTables(client));
  if (!tree.root().equals(state.root)) throw corrupt('its entries and tiles do not lead to its root');
  if (state.head !== null) {
    const head = parseHead(state.head);
    if (head.size !== state.size || !head.root.equals(state.root)) throw corrupt('its head is not of its state');
  }
  return tree;
}

async function refuseRegression(
  proofs: ProofReader,
  state: LogState,
  signer: HeadSigner,
  headStore: HeadStore,
): Promise<void> {
  const note = await headStore.read();
  if (note === undefined) return;
  const kept = verifyHead(note, signer.publicKey);
  if (kept.size > state.size) {
    const message = `the database holds ${state.size} leaves, a head over ${kept.size} was already signed`;
    throw new HuitongError('AUDIT_REGRESSION', message);
  }
  if (!(await proofs.rootAt(kept.size)).equals(kept.root)) {
    throw new HuitongError(
      'AUDIT_REGRESSION',
      `the first ${kept.size} leaves are not those of the head signed over them`,
    );
  }
}

function corrupt(message: string): HuitongError {
  return new HuitongError('AUDIT_CORRUPT', `the audit log’s tables contradict each other: ${message}`);
}
