/**
 * Change capture by logical replication (PostgreSQL documentation, "Logical Decoding"): a publication of one table, and
 * a slot whose snapshot the first rows are read in. Between runs the server keeps its log for the slot; nothing else
 * runs. docs/decisions/0200-capture-by-looking-at-a-slot.md.
 */
import pg from 'pg';
import { HuitongError, toHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { CaptureLag, CaptureRequest, ChangePosition, ConnectorContext, SourceCapture } from '../connector.ts';
import { readChanges } from './capture-read.ts';
import {
  advanceSlot,
  dropPublication,
  dropSlot,
  ensurePublication,
  findSlot,
  positionOf,
  splitPosition,
} from './capture-slot.ts';
import { inspectSubject, type Subject } from './capture-subject.ts';
import type { PostgresConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { quoteName, quoteTable } from './relation.ts';
import { joinSnapshot, type PostgresSnapshot } from './snapshot.ts';

export const capture: SourceCapture<PostgresConfig> = {
  start,
  lag: (config, request, after, context) =>
    withConnection(config, context, (connection) => lagOf(connection, request, after)),
  readChanges,
  acknowledge: (config, { name }, position, context) =>
    withConnection(config, context, (connection) => advanceSlot(connection, name, splitPosition(position).lsn)),
  drop: (config, { name }, context) =>
    withConnection(config, context, async (connection) => {
      await dropSlot(connection, name);
      await dropPublication(connection, name);
    }),
};

async function start(
  config: PostgresConfig,
  request: CaptureRequest,
  context: ConnectorContext,
): Promise<{ snapshot: PostgresSnapshot; position: ChangePosition }> {
  if (config.snapshot === 'transaction') {
    throw new HuitongError('CAPTURE_UNAVAILABLE', 'capture needs a snapshot that connections share', {
      hint: 'Leave `snapshot: transaction` out of the connection, or use the mode upsert.',
    });
  }
  return withConnection(config, context, async (connection) => {
    const subject = await inspectSubject(connection, request);
    assertCapturable(subject);
    await dropSlot(connection, request.name);
    await ensurePublication(connection, request.name, subject);
    try {
      return await createSlot(config, request, context);
    } catch (cause) {
      // Nobody will read from it, and the server would keep its log for ever.
      if (!connection.isLost) await dropSlot(connection, request.name);
      throw cause;
    }
  });
}

function assertCapturable({ problems, relation }: Subject): void {
  const at = quoteTable(relation);
  if (problems.length === 0) return;
  throw new HuitongError('CAPTURE_UNAVAILABLE', problems.join('; '), {
    at,
    problems: problems.map((message) => ({ code: 'CAPTURE_UNAVAILABLE', message, at })),
  });
}

/** The slot's snapshot lives until the connection that made it is asked for something else: another one joins it before. */
async function createSlot(
  config: PostgresConfig,
  request: CaptureRequest,
  context: ConnectorContext,
): Promise<{ snapshot: PostgresSnapshot; position: ChangePosition }> {
  const tooLong = AbortSignal.timeout(limits.captureStartMaxMs);
  const signal = AbortSignal.any([context.signal, tooLong]);
  let walsender: Connection | undefined;
  try {
    walsender = await openConnection(config, { ...context, signal }, 'replication');
    const [slot] = await walsender.query(
      `CREATE_REPLICATION_SLOT ${quoteName(request.name)} LOGICAL pgoutput EXPORT_SNAPSHOT`,
    );
    const snapshot = await joinSnapshot(config, context, String(slot?.snapshot_name));
    try {
      const subject = await snapshot.inspect((connection) => inspectSubject(connection, request));
      assertCapturable(subject);
      return { snapshot, position: positionOf(String(slot?.consistent_point), subject.fingerprint) };
    } catch (cause) {
      await snapshot.close();
      throw cause;
    }
  } catch (cause) {
    throw startFailure(cause, tooLong.aborted && !context.signal.aborted, request.name);
  } finally {
    await walsender?.close();
  }
}

function startFailure(cause: unknown, tooLong: boolean, at: string): HuitongError {
  if (tooLong) {
    return new HuitongError('SOURCE_TIMEOUT', 'the slot waits for transactions that were open before it', {
      at,
      cause,
      hint: 'See pg_stat_activity for old transactions in any database of the server, and pg_prepared_xacts.',
    });
  }
  const failure = toHuitongError(cause);
  const state = failure.cause instanceof pg.DatabaseError ? failure.cause.code : undefined;
  if (state === '42501') {
    return new HuitongError('CAPTURE_UNAVAILABLE', 'this user may not replicate: alter role … replication', {
      at,
      cause,
    });
  }
  if (state === '53400' || state === '53300') {
    const message = 'no replication slot or sender is free: raise max_replication_slots and max_wal_senders';
    return new HuitongError('CAPTURE_UNAVAILABLE', message, { at, cause });
  }
  return failure;
}

/** Not readable: the slot is gone or was moved on, or what the log means is not what it meant then. */
async function lagOf(connection: Connection, request: CaptureRequest, after: ChangePosition): Promise<CaptureLag> {
  const { fingerprint, lsn } = splitPosition(after);
  const slot = await findSlot(connection, request.name, lsn);
  if (!slot?.usable || !slot.reaches) return { readable: false };
  const subject = await inspectSubject(connection, request);
  return { readable: subject.fingerprint === fingerprint, bytes: slot.bytes };
}

async function withConnection<T>(
  config: PostgresConfig,
  context: ConnectorContext,
  body: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(config, context);
  try {
    return await body(connection);
  } finally {
    await connection.close();
  }
}
