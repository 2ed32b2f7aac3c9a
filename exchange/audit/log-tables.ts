/** The SQL of the log: `log_state`, `log_entry`, `log_tile` (migration 003), and the rows it takes from `audit_outbox`. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { limits } from '../../lib/limits.ts';
import { TILE_NODES, type Tile } from './merkle.ts';
import type { TileSource } from './tiles.ts';
import { HASH_BYTES } from './verify/hashing.ts';

const TILE_BYTES = TILE_NODES * HASH_BYTES;
/**
 * The advisory lock that elects the sequencer among the processes of one database. Keys are shared by the whole catalog:
 * 4,870,115 migrations, 4,870,116 the collector, 4,870,117 this one.
 */
const SEQUENCER_LOCK_KEY = 4_870_117;

export interface LogState {
  size: number;
  root: Buffer;
  epoch: number;
  head: string | null;
}

export interface Flush {
  epoch: number;
  oldSize: number;
  newSize: number;
  root: Buffer;
  head: string;
  entries: Buffer[];
  tiles: Tile[];
  /** Rows of the outbox that these entries stand for: they leave it in the same statement. */
  outbox: number[];
}

type Queryable = Pick<pg.Client, 'query'>;

/** A connection of its own for the sequencer: its session holds the lock, and a lost session gives it up. */
export interface SequencerSession {
  client: pg.Client;
  /** Settles when the session is gone, whatever the reason. */
  ended: Promise<Error>;
}

export async function connectSequencer(url: string): Promise<SequencerSession> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'huitong audit sequencer',
    connectionTimeoutMillis: limits.catalogConnectTimeoutMs,
    query_timeout: limits.auditFlushTimeoutMs,
    keepAlive: true,
  });
  const ended = new Promise<Error>((resolve) => {
    client.on('error', resolve);
    client.on('end', () => resolve(new Error('the session ended')));
  });
  await client.connect();
  return { client, ended };
}

/** Ends a session; one whose network is gone is left to itself after a while. */
export async function endSession(client: pg.Client): Promise<void> {
  const late = new AbortController();
  const timeout = sleep(limits.catalogConnectTimeoutMs, undefined, { signal: late.signal, ref: false });
  await Promise.race([client.end(), timeout]).catch(() => {});
  late.abort();
  await timeout.catch(() => {});
}

/** What a candidate sees when it looks. */
export interface Election {
  /** This session holds the lock now. */
  elected: boolean;
  /** Where whoever took the log last is reached. */
  address: string | null;
  /** Changes with every flush and every sign of life of the sequencer. */
  pulse: string;
}

export async function tryElect(client: Queryable): Promise<Election> {
  const { rows } = await client.query<Election>(
    `select pg_try_advisory_lock($1) as elected, address, epoch || ' ' || updated_at as pulse from log_state`,
    [SEQUENCER_LOCK_KEY],
  );
  return rows[0] as Election;
}

/** Ends the session that holds the lock, if the log's pulse is still this one, and waits until it is gone. */
export async function endSilentSession(client: Queryable, pulse: string): Promise<void> {
  await client.query(
    `select pg_terminate_backend(lock.pid, 1000) from pg_locks lock, log_state
     where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 1
       and lock.classid = 0 and lock.objid = $1::bigint::oid
       and lock.database = (select oid from pg_database where datname = current_database())
       and epoch || ' ' || updated_at = $2`,
    [SEQUENCER_LOCK_KEY, pulse],
  );
}

/**
 * Takes the log over and publishes where its new holder is reached. The update waits for a flush of the former sequencer
 * that is still running in the server, so the state it returns is final: any later flush of an older epoch finds another
 * epoch and changes nothing.
 */
export async function raiseEpoch(client: Queryable, address: string): Promise<LogState> {
  const { rows } = await client.query<{ size: string; root: Buffer; epoch: string; head: string | null }>(
    'update log_state set epoch = epoch + 1, address = $1, updated_at = now() returning size, root, epoch, head',
    [address],
  );
  const state = rows[0] as (typeof rows)[0];
  return { ...state, size: Number(state.size), epoch: Number(state.epoch) };
}

/** A sign of life of a sequencer that has nothing to write. False where another took over. */
export async function renewTenure(client: Queryable, epoch: number): Promise<boolean> {
  const { rowCount } = await client.query('update log_state set updated_at = now() where epoch = $1', [epoch]);
  return rowCount === 1;
}

const FLUSH = `
  with state as (
    update log_state set size = $1, root = $2, head = $3, updated_at = now()
    where size = $4 and epoch = $5
      and (select count(*) from audit_outbox where id = any($6::bigint[])) = cardinality($6::bigint[])
    returning 1
  ), entries as (
    insert into log_entry (index, entry)
    select $4 + ordinal - 1, substring($7::bytea from start for length)
    from unnest($8::int[], $9::int[]) with ordinality as piece (start, length, ordinal)
    where exists (select from state)
  ), tiles as (
    insert into log_tile (level, index, hashes)
    select level, index, substring($10::bytea from ((ordinal - 1) * ${TILE_BYTES} + 1)::int for ${TILE_BYTES})
    from unnest($11::int[], $12::bigint[]) with ordinality as tile (level, index, ordinal)
    where exists (select from state)
  ), taken as (
    delete from audit_outbox where id = any($6::bigint[]) and exists (select from state)
  )
  select count(*)::int as flushed from state`;

/**
 * One statement, and so one commit: the compare-and-set of the state, its entries, its full tiles, and the outbox.
 * Entries travel as one binary value with offsets: measured faster than an array of values or COPY.
 * @returns false where another sequencer took over; nothing was written then
 */
export async function writeFlush(client: Queryable, flush: Flush): Promise<boolean> {
  const starts: number[] = [];
  let start = 1;
  for (const entry of flush.entries) {
    starts.push(start);
    start += entry.length;
  }
  const { rows } = await client.query<{ flushed: number }>({
    name: 'audit-flush',
    text: FLUSH,
    values: [
      flush.newSize,
      flush.root,
      flush.head,
      flush.oldSize,
      flush.epoch,
      flush.outbox,
      Buffer.concat(flush.entries),
      starts,
      flush.entries.map((entry) => entry.length),
      Buffer.concat(flush.tiles.map((tile) => tile.hashes)),
      flush.tiles.map((tile) => tile.level),
      flush.tiles.map((tile) => tile.index),
    ],
  });
  return rows[0]?.flushed === 1;
}

/** Tiles and entries through any connection. A missing row makes the answer shorter. */
export function readLogTables(client: Queryable): TileSource {
  return {
    async tiles(level, start, end) {
      const { rows } = await client.query<{ hashes: Buffer }>(
        'select hashes from log_tile where level = $1 and index >= $2 and index < $3 order by index',
        [level, start, end],
      );
      return rows.map((row) => row.hashes);
    },
    async entries(start, end) {
      const { rows } = await client.query<{ entry: Buffer }>(
        'select entry from log_entry where index >= $1 and index < $2 order by index',
        [start, end],
      );
      return rows.map((row) => row.entry);
    },
  };
}
