/**
 * Moves leaves from `audit_outbox` into the log, each exactly once. A transaction elsewhere (the commit of a version)
 * writes its leaf there together with what it does; the flush that appends the leaf deletes the row in the same
 * statement, and does nothing at all where the row is gone. The leaf carries the row's number.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { encodeLeaf, type LeafInput } from './leaf.ts';
import type { AuditEvent, Sequencer } from './sequencer.ts';

interface OutboxRow {
  id: string;
  leaf: LeafInput;
  created_at: Date;
}

export interface OutboxListener {
  onEvent(event: AuditEvent): void;
  /** What has come under a signed head; what it tells of was committed before. */
  onMoved(leaves: LeafInput[]): void;
}

export class OutboxDrain {
  readonly #pool: pg.Pool;
  readonly #sequencer: Sequencer;
  readonly #onEvent: (event: AuditEvent) => void;
  readonly #onMoved: (leaves: LeafInput[]) => void;
  readonly #stopping = new AbortController();
  /** Rows whose leaf is not one: a defect elsewhere. They stay in the table for a person, and hold up no other. */
  readonly #invalid = new Set<number>();
  #draining: Promise<number> | undefined;
  #polling: Promise<void> | undefined;

  constructor(pool: pg.Pool, sequencer: Sequencer, { onEvent, onMoved }: OutboxListener) {
    this.#pool = pool;
    this.#sequencer = sequencer;
    this.#onEvent = onEvent;
    this.#onMoved = onMoved;
  }

  start(): void {
    this.#polling = this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
  }

  /** Moves all that is there now; resolves to how many leaves. Callers that overlap share one pass. */
  drain(): Promise<number> {
    this.#draining ??= this.#drainAll().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // Only the sequencer moves leaves: of two processes that did, the compare-and-set would end one's tenure.
      if (this.#sequencer.inOffice) {
        await this.drain().catch((error: unknown) => this.#onEvent({ kind: 'outbox-waits', error }));
      }
      await sleep(limits.auditOutboxPollMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  async #drainAll(): Promise<number> {
    let moved = 0;
    for (;;) {
      const rows = await this.#read();
      if (rows.length === 0) return moved;
      const entries: Buffer[] = [];
      const outbox: number[] = [];
      const leaves: LeafInput[] = [];
      for (const row of rows) {
        const entry = this.#encode(row);
        if (entry === undefined) continue;
        entries.push(entry);
        outbox.push(Number(row.id));
        leaves.push(row.leaf);
      }
      if (entries.length > 0) await this.#sequencer.submit({ entries, outbox });
      moved += entries.length;
      this.#onMoved(leaves);
    }
  }

  async #read(): Promise<OutboxRow[]> {
    const { rows } = await this.#pool.query<OutboxRow>(
      'select id, leaf, created_at from audit_outbox where id <> all ($1::bigint[]) order by id limit $2',
      [[...this.#invalid], limits.auditOutboxRowsMax],
    );
    return rows;
  }

  #encode({ id, leaf, created_at }: OutboxRow): Buffer | undefined {
    try {
      return encodeLeaf({ ...leaf, outbox: Number(id) }, created_at);
    } catch (error: unknown) {
      if (!isHuitongError(error)) throw error;
      this.#invalid.add(Number(id));
      this.#onEvent({ kind: 'outbox-invalid', outbox: Number(id), error });
      return undefined;
    }
  }
}
