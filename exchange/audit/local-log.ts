/** The log in the process that writes it. Everything throws AUDIT_UNAVAILABLE while that is another one. */
import type pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import type { HeldLog } from './held-log.ts';
import { readLogTables } from './log-tables.ts';
import { OutboxDrain, type OutboxListener } from './outbox.ts';
import type { Sequencer } from './sequencer.ts';
import type { Appended } from './tenure.ts';
import { ProofReader } from './tiles.ts';
import type { SignedHead } from './verify/head.ts';

export class LocalLog implements HeldLog {
  readonly #sequencer: Sequencer;
  readonly #pool: pg.Pool;
  readonly #outbox: OutboxDrain;

  constructor(sequencer: Sequencer, pool: pg.Pool, listener: OutboxListener) {
    this.#sequencer = sequencer;
    this.#pool = pool;
    this.#outbox = new OutboxDrain(pool, sequencer, listener);
    this.#outbox.start();
  }

  append(entries: Buffer[]): Promise<Appended[]> {
    return this.#sequencer.submit({ entries, outbox: [] });
  }

  async head(): Promise<SignedHead> {
    return this.#sequencer.current().head;
  }

  async prove(index: number): Promise<Appended> {
    const { head, tree } = this.#sequencer.current();
    requireSize(index + 1, head.size);
    const tables = readLogTables(this.#pool);
    const [entry] = await tables.entries(index, index + 1);
    if (entry === undefined) throw new HuitongError('AUDIT_CORRUPT', 'a leaf is missing', { at: `leaf ${index}` });
    return { index, entry, head, proof: await new ProofReader(tree, tables).inclusion(index, head.size) };
  }

  async consistency(older: number, newer: number): Promise<Buffer[]> {
    const { head, tree } = this.#sequencer.current();
    requireSize(newer, head.size);
    requireSize(older, newer);
    return new ProofReader(tree, readLogTables(this.#pool)).consistency(older, newer);
  }

  drainOutbox(): Promise<number> {
    return this.#outbox.drain();
  }

  async stop(): Promise<void> {
    await this.#outbox.stop();
  }
}

function requireSize(size: number, available: number): void {
  if (!Number.isSafeInteger(size) || size < 0 || size > available) {
    throw new HuitongError('NOT_FOUND', 'the log has no such leaf or size', { at: String(size) });
  }
}
