/**
 * Changes out of a replication slot. They are looked at, never taken: `pg_logical_slot_peek_binary_changes` leaves the
 * slot where it is, so a run that dies has changed nothing, and the next one is told the same. The server writes the
 * answer to a temporary file where it is large, and sends it by COPY, whose decoder is the table's.
 */
import { Schema } from 'apache-arrow';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { arrowSchemaOf } from '../columns.ts';
import type { ChangeBatch, ChangesRequest, ConnectorContext } from '../connector.ts';
import { dropSlot, findSlot, lsnText, lsnValue, positionOf, splitPosition } from './capture-slot.ts';
import { inspectSubject, type Subject } from './capture-subject.ts';
import { ChangeDecoder } from './change-decoder.ts';
import type { PostgresConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { mappingOfColumn } from './plan.ts';
import { quoteTable } from './relation.ts';
import { types } from './types.ts';

/** The function takes an int4. */
const CHANGES_MAX = 2 ** 31 - 1;

/** See `SourceCapture.readChanges`. */
export async function* readChanges(
  config: PostgresConfig,
  request: ChangesRequest,
  context: ConnectorContext,
): AsyncGenerator<ChangeBatch> {
  const connection = await openConnection(config, context);
  try {
    yield* tell(connection, request);
  } catch (cause) {
    const failure = lostOf(cause, request.capture.name) ?? cause;
    await connection.close();
    if (isHuitongError(failure, 'SCHEMA_DRIFT') || isHuitongError(failure, 'CAPTURE_LOST')) {
      await giveUp(config, request.capture.name, context);
    }
    throw failure;
  } finally {
    await connection.close();
  }
}

async function* tell(connection: Connection, request: ChangesRequest): AsyncGenerator<ChangeBatch> {
  const { after, capture, plan } = request;
  const { fingerprint, lsn } = splitPosition(after);
  const subject = await inspectSubject(connection, capture);
  const at = quoteTable(subject.relation);
  assertUnchanged(subject, fingerprint, at);
  const slot = await findSlot(connection, capture.name, lsn);
  if (!slot?.usable || !slot.reaches)
    throw new HuitongError('CAPTURE_LOST', 'the slot does not reach so far back', { at });
  const columns = plan.columns.map((column) => ({ name: column.name, mapping: mappingOfColumn(column) }));
  const decoder = new ChangeDecoder({
    schema: nullable(arrowSchemaOf(types, plan)),
    columns,
    subject,
    key: capture.key,
    after: lsnValue(lsn),
    limits: request,
  });
  // Taken first: what is told reaches at least as far.
  const reached = await flushedUpTo(connection);
  const changesMax = Math.min(request.changesMax, CHANGES_MAX);
  const sql = logQuery(capture.name, changesMax, ChangeDecoder.needsText(columns));
  for await (const _ of connection.copyOut(sql, decoder, at)) {
    yield decoder.batch();
    decoder.reset();
  }
  while (!decoder.feed()) {
    yield decoder.batch();
    decoder.reset();
  }
  const last = decoder.committed ?? lsnValue(lsn);
  const whole = decoder.told < changesMax && decoder.isPaired;
  const position = positionOf(lsnText(whole && reached > last ? reached : last), fingerprint);
  yield { ...decoder.batch(), position };
}

function assertUnchanged(subject: Subject, fingerprint: string, at: string): void {
  const [problem] = subject.problems;
  if (problem !== undefined) throw new HuitongError('CAPTURE_UNAVAILABLE', problem, { at });
  if (subject.fingerprint !== fingerprint) {
    throw new HuitongError('SCHEMA_DRIFT', 'the table or its publication was changed since its last version', { at });
  }
}

/** Every transaction that had committed by now, and was not committed without waiting for the disk, is told. */
async function flushedUpTo(connection: Connection): Promise<bigint> {
  const [row] = await connection.query('select pg_current_wal_flush_lsn()::text as lsn');
  return lsnValue(String(row?.lsn));
}

/** Asked twice at once where both forms are needed; what committed between the two is the next run's. */
function logQuery(name: string, changesMax: number, both: boolean): string {
  const literal = `'${name.replaceAll("'", "''")}'`;
  const options = `'proto_version', '1', 'publication_names', ${literal}`;
  const form = (binary: boolean) =>
    `pg_catalog.pg_logical_slot_peek_binary_changes(${literal}, null, ${changesMax}, ${options}, 'binary', '${binary}')`;
  const select = both
    ? `select told.cells, told.texts from rows from (${form(true)}, ${form(false)})
         as told(lsn, xid, cells, texts_lsn, texts_xid, texts)`
    : `select told.data from ${form(true)} as told`;
  return `copy (${select}) to stdout (format binary)`;
}

function nullable(schema: Schema): Schema {
  return new Schema(schema.fields.map((field) => field.clone({ nullable: true })));
}

/** What the server says where a slot's log is gone: 55000, "can no longer access replication slot". */
function lostOf(cause: unknown, name: string): HuitongError | undefined {
  const { cause: said } = cause instanceof HuitongError ? cause : { cause: undefined };
  const state = said instanceof Error && 'code' in said ? said.code : undefined;
  const lost = state === '42704' || state === '58P01' || (state === '55000' && /replication slot/.test(String(said)));
  return lost ? new HuitongError('CAPTURE_LOST', 'the replication slot is gone', { at: name, cause }) : undefined;
}

/** A log that cannot be followed any more is of no use, and the next run must not try it again: without it, it begins anew. */
async function giveUp(config: PostgresConfig, name: string, context: ConnectorContext): Promise<void> {
  const connection = await openConnection(config, context);
  try {
    await dropSlot(connection, name);
  } finally {
    await connection.close();
  }
}
