/**
 * The audit log as the rest of the exchange sees it: append, and read. Nobody answers a request whose leaf was not
 * appended; `append` resolves only when the leaf is committed and under a signed head.
 *
 * Any number of servers open the log of one database. One of them is its sequencer; the others pass their leaves to it and
 * get the same answer (decision 0225). Callers do not see which is which.
 */
import type { KeyObject } from 'node:crypto';
import pg from 'pg';
import type { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { HeadStore } from './head-store.ts';
import type { HeldLog } from './held-log.ts';
import { encodeLeaf, type LeafInput } from './leaf.ts';
import { LocalLog } from './local-log.ts';
import { LogReader } from './log-reader.ts';
import { openDoor } from './peers/door.ts';
import { serveLog } from './peers/log-server.ts';
import { RemoteLog } from './peers/remote-log.ts';
import { isRefusal } from './refusal.ts';
import { type AuditEvent, Sequencer } from './sequencer.ts';
import type { HeadSigner } from './signer.ts';
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
  /**
   * Whether this process holds the log now. One server at a time does, and so it does what one server is enough for
   * (runtime/housekeeping.ts); nothing may depend on there not being a second for a moment.
   */
  isHolder(): boolean;
  /** Why nothing may be written until a person has decided (AUDIT_REGRESSION, AUDIT_CORRUPT), if so. */
  refusal(): HuitongError | undefined;
  /** Takes what is in the outbox now, without waiting for the next look; resolves to how many leaves. */
  drainOutbox(): Promise<number>;
  /** Once is enough; a second call waits for the first. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  url: string;
  signer: HeadSigner;
  headStore: HeadStore;
  /** `tcp://host:port` where the other servers reach this one; a Unix-domain socket where absent. */
  address?: string;
  onEvent?: (event: AuditEvent) => void;
  /** Leaves that were taken from the outbox and are in the log, where this process holds it. */
  onMoved?: (leaves: LeafInput[]) => void;
  /** Milliseconds, where other than in `limits`: see `TenureOptions` and `SequencerOptions`. */
  beatMs?: number;
  silentMs?: number;
}

/**
 * Opens the log of the catalog's database. Resolves when leaves can be appended: by this process, or by the one that
 * holds the log. From then on this process is a candidate, and takes the log over when its holder is lost.
 *
 * A log that must not be written (AUDIT_REGRESSION, AUDIT_CORRUPT) opens too: every call is told why, and what needs no
 * leaf goes on.
 * @throws CONFIG_INVALID
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { signer } = options;
  const onEvent = (event: AuditEvent) => options.onEvent?.(event);
  // A door that cannot be opened is told at the start, not at the first change of office.
  await (await openDoor(signer, options.address, (socket) => socket.destroy())).close();
  const remote = new RemoteLog({ identity: signer, onLoss: (error) => onEvent({ kind: 'holder-lost', error }) });
  const sequencer: Sequencer = new Sequencer({
    ...options,
    openDoor: () => serveLog(local, signer, options.address),
    onHolder: (address) => remote.follow(address),
  });
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'huitong audit reader',
    max: 2,
    connectionTimeoutMillis: limits.catalogConnectTimeoutMs,
    query_timeout: limits.catalogStatementTimeoutMs,
  });
  // A broken idle connection is replaced by the pool; whoever queries next sees what is wrong.
  pool.on('error', (error) => onEvent({ kind: 'outbox-waits', error }));
  const local: LocalLog = new LocalLog(sequencer, pool, {
    onEvent,
    onMoved: (leaves) => options.onMoved?.(leaves),
  });
  const closeAll = async () => {
    await local.stop();
    await sequencer.close();
    await remote.close();
    await pool.end();
  };
  await Promise.race([sequencer.open(), remote.firstReached]).catch(async (e: unknown) => {
    if (isRefusal(e)) return;
    await closeAll();
    throw e;
  });
  return facade(options.signer.publicKey, { local, remote, sequencer, pool }, closeAll);
}

interface Parts {
  local: LocalLog;
  remote: RemoteLog;
  sequencer: Sequencer;
  pool: pg.Pool;
}

function facade(publicKey: KeyObject, parts: Parts, closeAll: () => Promise<void>): AuditLog {
  const held = (): HeldLog => {
    const { sequencer, local, remote } = parts;
    return sequencer.inOffice || sequencer.refusal !== undefined ? local : remote;
  };
  const appendMany = async (leaves: LeafInput[]): Promise<Appended[]> => {
    const now = new Date();
    return held().append(leaves.map((leaf) => encodeLeaf(leaf, now)));
  };
  let closed: Promise<void> | undefined;
  return {
    publicKey,
    reader: new LogReader(held, parts.pool),
    isHolder: () => parts.sequencer.inOffice,
    refusal: () => parts.sequencer.refusal,
    appendMany,
    append: async (leaf) => (await appendMany([leaf]))[0] as Appended,
    drainOutbox: async () => held().drainOutbox(),
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}
