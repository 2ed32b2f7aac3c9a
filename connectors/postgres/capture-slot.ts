/** What capture keeps in the source: a publication of one table, and a replication slot of the same name. */
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { ChangePosition } from '../connector.ts';
import type { Subject } from './capture-subject.ts';
import type { Connection } from './connection.ts';
import { quoteName, quoteTable } from './relation.ts';

const STORED_GENERATED_VERSION = 180_000;
const DROP_TIMEOUT_MS = 10_000;
const DROP_RETRY_MS = 100;

export interface Slot {
  /** The backend that reads from it now. */
  activePid: number | undefined;
  /** Bytes of the log that the server keeps for it. */
  bytes: number;
  /** False where the server has given it up (`max_slot_wal_keep_size`), or it is not one of ours. */
  usable: boolean;
  /** Whether `after` has not been acknowledged beyond. */
  reaches: boolean;
}

/** A log sequence number, and the fingerprint of the table for which it was taken. */
export function positionOf(lsn: string, fingerprint: string): ChangePosition {
  return `${lsn} ${fingerprint}`;
}

/** Throws CAPTURE_LOST where the text is no position of this kind of source. */
export function splitPosition(position: ChangePosition): { lsn: string; fingerprint: string } {
  const [, lsn, fingerprint] = /^([0-9A-F]+\/[0-9A-F]+) ([0-9a-f]+)$/.exec(position) ?? [];
  if (lsn === undefined || fingerprint === undefined) {
    throw new HuitongError('CAPTURE_LOST', 'the position is none of PostgreSQL’s log', { at: position });
  }
  return { lsn, fingerprint };
}

export function lsnValue(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function lsnText(value: bigint): string {
  return `${(value >> 32n).toString(16)}/${(value & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** Absent: there is no slot of this name. */
export async function findSlot(connection: Connection, name: string, after: string): Promise<Slot | undefined> {
  const [row] = await connection.query(
    `select active_pid, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8::text as bytes,
            slot_type = 'logical' and plugin = 'pgoutput' and database = current_database()
              and coalesce(wal_status, 'lost') <> 'lost' and restart_lsn is not null as usable,
            coalesce(confirmed_flush_lsn <= $2::pg_lsn, false) as reaches
       from pg_replication_slots where slot_name = $1`,
    [name, after],
  );
  if (!row) return undefined;
  const activePid = row.active_pid === null ? undefined : Number(row.active_pid);
  return { activePid, bytes: Number(row.bytes), usable: row.usable === true, reaches: row.reaches === true };
}

/** The server may forget what is before `lsn`; a slot never goes back. */
export async function advanceSlot(connection: Connection, name: string, lsn: string): Promise<void> {
  await releaseSlot(connection, name);
  await connection.query(
    `select pg_replication_slot_advance(slot_name, $2::pg_lsn) from pg_replication_slots
      where slot_name = $1 and confirmed_flush_lsn < $2::pg_lsn`,
    [name, lsn],
  );
}

/** Not there is no failure. */
export async function dropSlot(connection: Connection, name: string): Promise<void> {
  await releaseSlot(connection, name);
  await connection.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [
    name,
  ]);
}

/**
 * Ends whoever still reads from the slot: a run that lost its lease, since the name is one dataset's and the newest run
 * is the one that counts. Throws SOURCE_TIMEOUT where it does not end.
 */
async function releaseSlot(connection: Connection, name: string): Promise<void> {
  const deadline = Date.now() + DROP_TIMEOUT_MS;
  for (;;) {
    const [row] = await connection.query(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active_pid is not null',
      [name],
    );
    if (!row) return;
    if (Date.now() > deadline) {
      throw new HuitongError('SOURCE_TIMEOUT', 'the replication slot is still read by another connection', {
        at: name,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, DROP_RETRY_MS));
  }
}

/** Whether there is a publication of this name with exactly this table, all of its rows, columns and operations. */
async function publicationFits(connection: Connection, name: string, { relation }: Subject): Promise<boolean> {
  // Row filters and column lists came with PostgreSQL 15: to_jsonb shows them where they are.
  const [row] = await connection.query(
    `select not p.puballtables and p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate
              and (current_setting('server_version_num')::int < $3 or to_jsonb(p) ->> 'pubgencols' = 's')
              and (select count(*) = 1 and bool_and(r.prrelid = $2::oid and to_jsonb(r) ->> 'prqual' is null
                                                    and to_jsonb(r) ->> 'prattrs' is null)
                     from pg_publication_rel r where r.prpubid = p.oid)
              and not exists (select from pg_publication_tables t where t.pubname = p.pubname
                               and (t.schemaname, t.tablename) <> ($4, $5)) as fits
       from pg_publication p where p.pubname = $1`,
    [name, relation.oid, STORED_GENERATED_VERSION, relation.schema, relation.name],
  );
  return row?.fits === true;
}

function publicationStatement(name: string, { relation }: Subject, version: number): string {
  const generated = version >= STORED_GENERATED_VERSION ? ' with (publish_generated_columns = stored)' : '';
  return `create publication ${quoteName(name)} for table only ${quoteTable(relation)}${generated}`;
}

/**
 * Makes the publication where there is none that fits; one that an administrator has made is used. Throws
 * CAPTURE_UNAVAILABLE with the statement to run where this user may not.
 */
export async function ensurePublication(connection: Connection, name: string, subject: Subject): Promise<void> {
  if (await publicationFits(connection, name, subject)) return;
  const [row] = await connection.query(`select current_setting('server_version_num')::int as version`);
  const statement = publicationStatement(name, subject, Number(row?.version));
  try {
    await connection.query(`drop publication if exists ${quoteName(name)}`);
    await connection.query(statement);
  } catch (cause) {
    if (!isHuitongError(cause, 'SOURCE_FORBIDDEN')) throw cause;
    const at = quoteTable(subject.relation);
    throw new HuitongError('CAPTURE_UNAVAILABLE', `this user may not publish the table; its owner runs: ${statement}`, {
      at,
      cause,
    });
  }
}

/** Not there, or somebody else’s, is no failure: without a slot a publication keeps nothing. */
export async function dropPublication(connection: Connection, name: string): Promise<void> {
  try {
    await connection.query(`drop publication if exists ${quoteName(name)}`);
  } catch (cause) {
    if (!isHuitongError(cause, 'SOURCE_FORBIDDEN')) throw cause;
  }
}
