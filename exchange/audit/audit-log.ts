/**
 * The audit log as the rest of the exchange sees it: append, and read. Nobody answers a request whose leaf was not
 * appended; `append` resolves only when the leaf is committed and under a signed head.
 *
 * `AuditWriter` is what most code needs, and all that a process without the sequencer could offer over a socket.
 */
import type { KeyObject } from 'node:crypto';
import pg from 'pg';
import { limits } from '../../lib/limits.ts';
import { encodeLeaf, type LeafInput } from './leaf.ts';
import { LogReader } from './log-reader.ts';
import { OutboxDrain } from './outbox.ts';
import { type AuditEvent, Sequencer, type SequencerOptions } from './sequencer.ts';
import type { Appended } from './tenure.ts';

export interface AuditWriter {
  /** @throws AUDIT_UNAVAILABLE, AUDIT_REGRESSION, AUDIT_LEAF_INVALID: then the access must be refused */
  append(leaf: LeafInput): Promise<Appended>;
  /** Neighbouring indexes, one commit. */
  appendMany(leaves: LeafInput[]): Promise<Appended[]>;
}

export interface AuditLog extends AuditWriter {
  /** Verifies the heads; everybody may know it. */
  readonly publicKey: KeyObject;
  readonly reader: LogReader;
  /** Takes what is in the outbox now, without waiting for the next look; resolves to how many leaves. */
  drainOutbox(): Promise<number>;
  /** Once is enough; a second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Opens the log of the catalog's database and waits to be its sequencer.
 * @throws AUDIT_REGRESSION, AUDIT_CORRUPT
 */
export async function openAuditLog(options: SequencerOptions): Promise<AuditLog> {
  const sequencer = new Sequencer(options);
  await sequencer.open();
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'huitong audit reader',
    max: 2,
    connectionTimeoutMillis: limits.catalogConnectTimeoutMs,
    query_timeout: limits.catalogStatementTimeoutMs,
  });
  const onEvent = (event: AuditEvent) => options.onEvent?.(event);
  // A broken idle connection is replaced by the pool; whoever queries next sees what is wrong.
  pool.on('error', (error) => onEvent({ kind: 'outbox-waits', error }));
  const outbox = new OutboxDrain(pool, sequencer, onEvent);
  outbox.start();

  const appendMany = (leaves: LeafInput[]): Promise<Appended[]> => {
    const now = new Date();
    return sequencer.submit({ entries: leaves.map((leaf) => encodeLeaf(leaf, now)), outbox: [] });
  };
  const closeAll = async () => {
    await outbox.stop();
    await sequencer.close();
    await pool.end();
  };
  let closed: Promise<void> | undefined;
  return {
    publicKey: options.signer.publicKey,
    reader: new LogReader(sequencer, pool),
    appendMany: async (leaves) => appendMany(leaves),
    append: async (leaf) => (await appendMany([leaf]))[0] as Appended,
    drainOutbox: () => outbox.drain(),
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}
