/** Reading the log: its newest head and proofs from whoever holds it, its leaves from the database. */
import type pg from 'pg';
import type { HeldLog } from './held-log.ts';
import { readLogTables } from './log-tables.ts';
import type { Appended } from './tenure.ts';
import type { SignedHead } from './verify/head.ts';

export interface LogEntry {
  index: number;
  /** Canonical JSON, exactly as hashed. */
  leaf: string;
}

export class LogReader {
  readonly #held: () => HeldLog;
  readonly #pool: pg.Pool;

  constructor(held: () => HeldLog, pool: pg.Pool) {
    this.#held = held;
    this.#pool = pool;
  }

  async head(): Promise<SignedHead> {
    return this.#held().head();
  }

  /** Leaves from index `start` to `end` (exclusive), at most those under the newest head. */
  async entries(start: number, end: number): Promise<LogEntry[]> {
    const { size } = await this.#held().head();
    const entries = await readLogTables(this.#pool).entries(start, Math.min(end, size));
    return entries.map((entry, i) => ({ index: start + i, leaf: entry.toString() }));
  }

  /** A leaf again, proved under the newest head. Throws NOT_FOUND. */
  async prove(index: number): Promise<Appended> {
    return this.#held().prove(index);
  }

  /** Proof that the log of `newer` leaves begins with that of `older` (RFC 6962 section 2.1.2). Throws NOT_FOUND. */
  async consistency(older: number, newer: number): Promise<Buffer[]> {
    return this.#held().consistency(older, newer);
  }
}
