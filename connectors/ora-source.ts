/**
 * Oracle and Dameng, from what differs between them (`OraDialect`). A snapshot is a system change number (SCN) that
 * every connection reads AS OF, where the user may learn it; else each reading connection is one read-only transaction.
 */
import { HuitongError, isHuitongError } from '../lib/errors.ts';
import { checkSteps } from './check-steps.ts';
import { arrowSchemaOf, describedColumn, keysWithin, mapColumns, plannedColumn, type TypeTable } from './columns.ts';
import type {
  CheckReport,
  ConnectorContext,
  ControlTotals,
  PlanOptions,
  ReadPlan,
  ReadRequest,
  Snapshot,
  SnapshotGuarantee,
  SourceBatch,
  SourceTable,
  TableName,
  TableRequest,
} from './connector.ts';
import { drifted } from './drift.ts';
import {
  describeRelation,
  findColumns,
  findKeys,
  findRelation,
  findRelations,
  quoteName,
  quoteTable,
} from './ora-catalog.ts';
import { OraSession, type OraTarget } from './ora-session.ts';
import { cellOf, type OraMapping, type OraType, selectExpression } from './ora-types.ts';
import { type Cell, rowBatches } from './row-batches.ts';

export interface OraDialect<Config> {
  types: TypeTable<OraType, OraMapping>;
  /** Throws CONFIG_INVALID. */
  targetOf(config: Config): OraTarget;
  /** Gives the server's version in one cell. */
  versionQuery: string;
  server: string;
  /** Give the current SCN in one cell, each under another right; the first that answers is taken. */
  scnQueries: string[];
  /** Begins a transaction that sees one state. */
  beginReading: string;
}

/** One of `count` hash buckets of the rows; absent: the whole table. */
export interface OraPartition {
  table: TableName;
  bucket?: { index: number; count: number };
}

export class OraSnapshot implements Snapshot {
  readonly openedAt = new Date();
  readonly guarantee: SnapshotGuarantee;
  /** A decimal number: it is beyond 2^53 in old databases. */
  readonly scn: string | undefined;
  readonly session: OraSession;

  constructor(session: OraSession, scn: string | undefined) {
    this.session = session;
    this.scn = scn;
    this.guarantee = scn === undefined ? 'transaction' : 'snapshot';
  }

  /** Rows only under an SCN: totals of another transaction would disagree with what is read. */
  async controlTotals({ table }: TableRequest): Promise<ControlTotals | undefined> {
    if (this.scn === undefined) return undefined;
    const at = quoteTable(table);
    const [row] = await this.session.query(`select count(*) from ${at} as of scn ${this.scn}`, [], at);
    return { rows: Number(row?.[0]), sums: {} };
  }

  async assertAlive(): Promise<void> {
    if (this.session.isClosed) throw new HuitongError('SNAPSHOT_LOST', 'the connection to the source is gone');
    await this.session.query('select 1 from dual');
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

export async function openSnapshot<Config>(
  dialect: OraDialect<Config>,
  config: Config,
  context: ConnectorContext,
): Promise<OraSnapshot> {
  const session = await OraSession.open(dialect.targetOf(config), context);
  try {
    return new OraSnapshot(session, await currentScn(dialect, session));
  } catch (cause) {
    await session.close();
    throw cause;
  }
}

/** Undefined where no query that tells it is allowed. */
async function currentScn<Config>(
  { scnQueries }: OraDialect<Config>,
  session: OraSession,
): Promise<string | undefined> {
  for (const query of scnQueries) {
    try {
      const scn = String((await session.query(query))[0]?.[0]);
      if (/^\d{1,20}$/.test(scn)) return scn;
    } catch (cause) {
      // A user without the right is told that the view or package does not exist.
      if (isHuitongError(cause, 'CANCELLED') || isHuitongError(cause, 'SOURCE_UNREACHABLE')) throw cause;
    }
  }
  return undefined;
}

export async function check<Config>(
  dialect: OraDialect<Config>,
  config: Config,
  context: ConnectorContext,
): Promise<CheckReport> {
  return checkSteps(
    () => OraSession.open(dialect.targetOf(config), context),
    async (session, log) => {
      log.passed('connect', `connected to ${dialect.targetOf(config).place}`);
      log.server(`${dialect.server} ${(await session.query(dialect.versionQuery))[0]?.[0]}`);
      log.passed('authenticate', 'logged in');
      const { length } = await findRelations(session);
      log.passed('read', `${length} tables and views can be read`);
      const scn = await currentScn(dialect, session);
      const message =
        scn === undefined
          ? 'the SCN is not shown to this user: each table is read in one transaction and one stream'
          : 'tables are read as of one SCN';
      log.passed('snapshot', message);
    },
  );
}

export async function discover<Config>(
  dialect: OraDialect<Config>,
  config: Config,
  context: ConnectorContext,
): Promise<SourceTable[]> {
  const session = await OraSession.open(dialect.targetOf(config), context);
  try {
    const relations = await findRelations(session);
    const columns = await findColumns(session);
    const keys = await findKeys(session, columns);
    return relations.map((relation) => ({
      ...describeRelation(relation, keys.get(quoteTable(relation)) ?? []),
      columns: (columns.get(quoteTable(relation)) ?? []).map((column) => describedColumn(dialect.types, column)),
    }));
  } finally {
    await session.close();
  }
}

export async function plan<Config>(
  { types }: OraDialect<Config>,
  { session, scn, guarantee }: OraSnapshot,
  request: TableRequest,
  options: PlanOptions,
): Promise<ReadPlan<OraPartition>> {
  const relation = await findRelation(session, request.table);
  const table = { schema: relation.schema, name: relation.name };
  const at = quoteTable(table);
  const all = await findColumns(session, relation);
  const columns = mapColumns(types, all.get(at) ?? [], request, at, quoteName).map(({ column, mapping }) =>
    plannedColumn(column, mapping),
  );
  const keys = (await findKeys(session, all, relation)).get(at) ?? [];
  // Rows of a view have no address, and without an SCN two connections would read two states.
  const count = relation.kind === 'table' && scn !== undefined ? Math.max(1, options.partitions) : 1;
  return {
    table,
    columns,
    partitions:
      count === 1 ? [{ table }] : Array.from({ length: count }, (_, index) => ({ table, bucket: { index, count } })),
    guarantee,
    ...(scn === undefined ? {} : { snapshotToken: scn }),
    description: { format: 'text', order: 'physical', kind: relation.kind, ...(scn === undefined ? {} : { scn }) },
    uniqueKeys: keysWithin(
      keys.map((key) => key.columns),
      columns,
    ),
  };
}

/** The SELECT of one partition. ORA_HASH has buckets 0 to its second argument. */
export function partitionQuery(plan: ReadPlan<OraPartition>, { table, bucket }: OraPartition): string {
  const list = plan.columns.map((column) => selectExpression(quoteName(column.name), column.mapping as OraMapping));
  const asOf = plan.snapshotToken === undefined ? '' : ` as of scn ${plan.snapshotToken}`;
  const where = bucket === undefined ? '' : ` where ora_hash(rowid, ${bucket.count - 1}) = ${bucket.index}`;
  return `select ${list.join(', ')} from ${quoteTable(table)}${asOf}${where}`;
}

export async function* read<Config>(
  dialect: OraDialect<Config>,
  config: Config,
  request: ReadRequest<OraPartition>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const at = quoteTable(partition.table);
  const session = await OraSession.open(dialect.targetOf(config), context);
  try {
    if (plan.snapshotToken === undefined) await session.query(dialect.beginReading);
    const columns = plan.columns.map((column) => column.mapping as OraMapping);
    const rows = cellsOf(session.stream(partitionQuery(plan, partition), at), columns);
    yield* rowBatches(arrowSchemaOf(dialect.types, plan), rows, request, at, context.signal);
  } catch (cause) {
    throw drifted(cause, at) ?? cause;
  } finally {
    await session.close();
  }
}

async function* cellsOf(rows: AsyncIterable<unknown[]>, columns: OraMapping[]): AsyncGenerator<Cell[]> {
  for await (const row of rows) yield columns.map((mapping, i) => cellOf(mapping, row[i]));
}
