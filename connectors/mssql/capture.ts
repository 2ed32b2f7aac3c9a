/**
 * Change capture by SQL Server's Change Tracking (Microsoft documentation, "Work with Change Tracking"). The database
 * keeps which rows changed since a version, not what they were: in one SNAPSHOT transaction those keys are joined with
 * the table, so a run is told the net change of each row up to one moment. Nothing is made in the source and nothing is
 * held there for us: how far back it reaches is the database's own CHANGE_RETENTION.
 */
import { createHash } from 'node:crypto';
import { type Data, Field, RecordBatch, Schema, Struct, Uint8 } from 'apache-arrow';
import { HuitongError } from '../../lib/errors.ts';
import { arrowSchemaOf } from '../columns.ts';
import {
  type CaptureLag,
  type CaptureRequest,
  type ChangeBatch,
  type ChangePosition,
  type ChangesRequest,
  type ConnectorContext,
  changeOperations,
  type PlannedColumn,
  type SourceBatch,
  type SourceCapture,
} from '../connector.ts';
import type { MssqlConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { RowDecoder } from './decode.ts';
import { mappingOfColumn, resolveTable, selectList } from './plan.ts';
import { findUniqueKeys, quoteName, quoteTable, type Relation } from './relation.ts';
import { beginReading, guaranteeOf, type MssqlSnapshot, openSnapshot } from './snapshot.ts';
import { types } from './types.ts';

/** What the database says of a table's changes, in the transaction that asks. */
interface Tracking {
  relation: Relation;
  /** Of the last transaction that committed. */
  current: bigint;
  /** The oldest version from which changes are complete. */
  oldest: bigint;
  /** Columns that were dropped and added again, or changed, have other values without a change that is told. */
  fingerprint: string;
}

const FINGERPRINT_DIGITS = 16;
const OPERATION = '__operation';

export const capture: SourceCapture<MssqlConfig> = {
  start,
  lag: (config, request, after, context) =>
    withReading(config, context, async (connection): Promise<CaptureLag> => {
      const { fingerprint, version } = splitPosition(after);
      const tracking = await inspect(connection, request);
      return { readable: version >= tracking.oldest && fingerprint === tracking.fingerprint };
    }),
  readChanges,
  // What the database keeps, it keeps for everybody and by its own rule.
  acknowledge: () => Promise.resolve(),
  drop: () => Promise.resolve(),
};

/** The version is taken before the rows are read: what changes in between is told again, as it is then. */
async function start(
  config: MssqlConfig,
  request: CaptureRequest,
  context: ConnectorContext,
): Promise<{ snapshot: MssqlSnapshot; position: ChangePosition }> {
  const { current, fingerprint } = await withReading(config, context, (connection) => inspect(connection, request));
  return { snapshot: await openSnapshot(config, context), position: `${current} ${fingerprint}` };
}

/** Every row that changed, once, as it is now; however many there are: which of them came first is not kept. */
async function* readChanges(
  config: MssqlConfig,
  request: ChangesRequest,
  context: ConnectorContext,
): AsyncGenerator<ChangeBatch> {
  const { after, capture: what, plan } = request;
  const { fingerprint, version } = splitPosition(after);
  const connection = await openReading(config, context);
  try {
    const tracking = await inspect(connection, what);
    const at = quoteTable(tracking.relation);
    if (version < tracking.oldest) throw new HuitongError('CAPTURE_LOST', 'the changes are no longer kept', { at });
    if (fingerprint !== tracking.fingerprint) {
      throw new HuitongError('SCHEMA_DRIFT', 'the table was changed since its last version', { at });
    }
    const schema = nullable(arrowSchemaOf(types, plan));
    const decoder = decoderOf(schema, plan.columns, request, at);
    const sql = changesQuery(tracking.relation, plan.columns, what.key, version);
    for await (const _ of connection.stream(sql, decoder, at)) {
      yield told(decoder.batch(), schema);
      decoder.reset();
    }
    yield { ...told(decoder.batch(), schema), position: `${tracking.current} ${fingerprint}` };
  } finally {
    await connection.close();
  }
}

function splitPosition(position: ChangePosition): { version: bigint; fingerprint: string } {
  const [, version, fingerprint] = /^(\d+) ([0-9a-f]+)$/.exec(position) ?? [];
  if (version === undefined || fingerprint === undefined) {
    throw new HuitongError('CAPTURE_LOST', 'the position is none of Change Tracking', { at: position });
  }
  return { version: BigInt(version), fingerprint };
}

/** Throws CAPTURE_UNAVAILABLE with what an administrator must run. */
async function inspect(connection: Connection, request: CaptureRequest): Promise<Tracking> {
  const { columns, relation } = await resolveTable(connection, request);
  const at = quoteTable(relation);
  const [row] = await connection.query(
    `select convert(nvarchar(20), change_tracking_current_version()) as current_version,
            convert(nvarchar(20), change_tracking_min_valid_version(${relation.id})) as oldest_version`,
    [],
    at,
  );
  if (typeof row?.current_version !== 'string' || typeof row.oldest_version !== 'string') {
    throw unavailable(
      at,
      'the database does not track the changes of this table, or not for this user: ' +
        'alter database current set change_tracking = on (change_retention = 7 days, auto_cleanup = on); ' +
        `alter table ${at} enable change_tracking; grant view change tracking on ${at} to …`,
    );
  }
  await assertKey(connection, relation, request.key);
  const facts = await connection.query(
    `select c.name, concat(c.column_id, N'/', c.user_type_id, N'/', c.max_length, N'/', c.precision, N'/', c.scale,
                           N'/', c.collation_name) as fact
       from sys.columns c where c.object_id = ${relation.id} order by c.column_id`,
    [],
    at,
  );
  const planned = new Set(columns.map(({ name }) => name));
  const seen = [relation.id, ...facts.filter(({ name }) => planned.has(String(name))).map(({ fact }) => fact)];
  return {
    relation,
    current: BigInt(row.current_version),
    oldest: BigInt(row.oldest_version),
    fingerprint: createHash('sha256').update(JSON.stringify(seen)).digest('hex').slice(0, FINGERPRINT_DIGITS),
  };
}

/** Deletes are told by the primary key, and in no order: a key of fewer columns could be deleted after it came again. */
async function assertKey(connection: Connection, relation: Relation, key: string[]): Promise<void> {
  const at = quoteTable(relation);
  const keys = (await findUniqueKeys(connection, [relation.id])).get(relation.id) ?? [];
  const primary = keys.find((one) => one.primary)?.columns ?? [];
  if (primary.length === key.length && key.every((name) => primary.includes(name))) return;
  throw unavailable(at, `the contract’s key (${key.join(', ')}) is not the primary key (${primary.join(', ')})`);
}

function unavailable(at: string, message: string): HuitongError {
  return new HuitongError('CAPTURE_UNAVAILABLE', message, { at });
}

/** Of a row that is gone only its key is there. */
function changesQuery(relation: Relation, columns: PlannedColumn[], key: string[], after: bigint): string {
  const table = quoteTable(relation);
  const names = columns.filter((column) => mappingOfColumn(column).codec !== 'hundreds').map(({ name }) => name);
  const list = names.map((name) => `${key.includes(name) ? 'c' : 't'}.${quoteName(name)}`);
  const { delete: gone, update } = changeOperations;
  const operation = `case c.SYS_CHANGE_OPERATION when N'D' then ${gone} else ${update} end`;
  const same = key.map((name) => `t.${quoteName(name)} = c.${quoteName(name)}`).join(' and ');
  return (
    `select ${selectList(columns)}, ${OPERATION} from (select ${list.join(', ')}, cast(${operation} as tinyint) as ${OPERATION} ` +
    `from changetable(changes ${table}, ${after}) as c left join ${table} as t on ${same}) as changed`
  );
}

/** A column of a join may be null, and then comes in another form: the fingerprint has shown that the types are the planned ones. */
function decoderOf(schema: Schema, columns: PlannedColumn[], limits: ChangesRequest, at: string): RowDecoder {
  const planned = columns.map((column) => {
    const { wire, typeInfo: _form, ...mapping } = mappingOfColumn(column);
    return { name: column.name, mapping, wire, typeInfo: '' };
  });
  const wire = 1 + Math.max(...planned.map((column) => column.wire));
  const operation = { name: OPERATION, mapping: { codec: 'tinyint', cast: 'none' } as const, wire, typeInfo: '' };
  const fields = [...schema.fields, new Field(OPERATION, new Uint8(), true)];
  return new RowDecoder(new Schema(fields), [...planned, operation], limits, at);
}

/** The last column is what was done. */
function told({ batch, unrepresentable }: SourceBatch, schema: Schema): ChangeBatch {
  const children = batch.data.children.slice(0, -1) as Data[];
  const data = batch.data.children.at(-1) as Data;
  const operations = Uint8Array.from((data.values as Uint8Array).subarray(0, batch.numRows));
  const struct = new Struct(schema.fields);
  const rows = new RecordBatch(schema, batch.data.clone(struct, 0, batch.numRows, 0, undefined, children));
  return { batch: rows, operations, unrepresentable };
}

function nullable(schema: Schema): Schema {
  return new Schema(schema.fields.map((field) => field.clone({ nullable: true })));
}

/** A connection in a SNAPSHOT transaction: versions and rows must be of one moment. */
async function openReading(config: MssqlConfig, context: ConnectorContext): Promise<Connection> {
  const connection = await openConnection(config, context);
  try {
    const guarantee = await guaranteeOf(connection);
    if (guarantee === 'none') {
      throw unavailable(
        'sys.databases',
        'capture needs SNAPSHOT isolation: alter database current set allow_snapshot_isolation on',
      );
    }
    await beginReading(connection, guarantee);
    return connection;
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

async function withReading<T>(
  config: MssqlConfig,
  context: ConnectorContext,
  body: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openReading(config, context);
  try {
    return await body(connection);
  } finally {
    await connection.close();
  }
}
