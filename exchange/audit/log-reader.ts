/** Reading the log: its newest head, its leaves, and proofs between any two sizes. */
import type pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import { readLogTables } from './log-tables.ts';
import type { Sequencer } from './sequencer.ts';
import type { Appended } from './tenure.ts';
import { ProofReader } from './tiles.ts';
import type { SignedHead } from './verify/head.ts';

export interface LogEntry {
  index: number;
  /** Canonical JSON, exactly as hashed. */
  leaf: string;
}

export class LogReader {
  readonly #sequencer: Sequencer;
  readonly #pool: pg.Pool;

  constructor(sequencer: Sequencer, pool: pg.Pool) {
    this.#sequencer = sequencer;
    this.#pool = pool;
  }

  async head(): Promise<SignedHead> {
    return this.#sequencer.current().head;
  }

  /** Leaves from index `start` to `end` (exclusive), at most those under the newest head. */
  async entries(start: number, end: number): Promise<LogEntry[]> {
    const { head } = this.#sequencer.current();
    const entries = await readLogTables(this.#pool).entries(start, Math.min(end, head.size));
    return entries.map((entry, i) => ({ index: start + i, leaf: entry.toString() }));
  }

  /** A leaf again, proved under the newest head. Throws NOT_FOUND. */
  async prove(index: number): Promise<Appended> {
    const { head } = this.#sequencer.current();
    requireSize(index + 1, head.size);
    const [entry] = await readLogTables(this.#pool).entries(index, index + 1);
    if (entry === undefined) throw new HuitongError('AUDIT_CORRUPT', 'a leaf is missing', { at: `leaf ${index}` });
    return { index, entry, head, proof: await this.#proofs().inclusion(index, head.size) };
  }

  /** Proof that the log of `newer` leaves begins with that of `older` (RFC 6962 section 2.1.2). Throws NOT_FOUND. */
  async consistency(older: number, newer: number): Promise<Buffer[]> {
    requireSize(newer, this.#sequencer.current().head.size);
    requireSize(older, newer);
    return this.#proofs().consistency(older, newer);
  }

  #proofs(): ProofReader {
    return new ProofReader(this.#sequencer.current().tree, readLogTables(this.#pool));
  }
}

function requireSize(size: number, available: number): void {
  if (!Number.isSafeInteger(size) || size < 0 || size > available) {
    throw new HuitongError('NOT_FOUND', 'the log has no such leaf or size', { at: String(size) });
  }
}
