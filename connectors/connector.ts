/**
 * The connector contract.
 *
 * Glossary
 *   source      one database, folder or service of a department, named in the district's files
 *   connector   the code for one kind of source; it knows nothing of datasets, contracts or the exchange
 *   snapshot    one consistent state of a source, held open by its owner until every partition is read
 *   partition   a range of a table that can be read alone; all partitions of a plan together are the table, once
 *   batch       some rows in columns (an Arrow record batch); rows never become objects
 *
 * A connector has five methods. `openSnapshot` and `plan` run once, in the process that owns the run; `read` runs in
 * worker threads, one partition at a time, so a plan and its partitions are plain data that survive
 * `structuredClone`. What a kind can do is declared in `capabilities` and never guessed from its name.
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../columnar/batch.ts';
import type { ErrorCode } from '../lib/error-codes.ts';

export interface Capabilities {
  /**
   * `exported`     other connections can join the snapshot: partitions are read in parallel
   * `transaction`  consistent within one connection only: read in one stream
   * `none`         the source cannot promise one state; versions say so
   */
  snapshot: 'exported' | 'transaction' | 'none';
  /** Whether `plan` can give more than one partition. */
  partitioning: boolean;
  /** Whether a query condition on an ordered column can be pushed to the source. */
  cursor: boolean;
  /** Whether the source can tell changes. */
  changeCapture: boolean;
}

/** How firmly the rows of one version belong to one moment; written on the version. */
export type SnapshotGuarantee = 'snapshot' | 'transaction' | 'none';

/** Ends work early: the owner's cancellation, a lost lease, shutdown. */
export interface ConnectorContext {
  signal: AbortSignal;
  /** Tells a DBA who is asking, for instance `huitong/health.vaccinations/0198…`; goes to application_name or the like. */
  label: string;
  /**
   * Whether a source may be on the worker's own machine, as its operator says; absent: no. For kinds that follow
   * addresses which a source gives them (redirects, signed URLs): they check each one when they connect to it.
   */
  loopbackAllowed?: boolean;
}

export interface TableName {
  schema?: string;
  name: string;
}

export interface SourceColumn {
  name: string;
  /** The source's own spelling of the type, for instance `numeric(10,4)`. */
  sourceType: string;
  nullable: boolean;
  /** A comment in the source, kept as a title. */
  comment?: string;
  /** The Arrow type's name, or absent where the type has no mapping. */
  arrowType?: string;
}

export interface SourceTable extends TableName {
  kind: 'table' | 'view' | 'partitioned' | 'foreign';
  columns: SourceColumn[];
  /** Columns of the primary key, in order; empty where there is none. */
  primaryKey: string[];
  /** Column sets that the source itself keeps unique and not null (the primary key included). */
  uniqueKeys: string[][];
  rowsEstimate?: number;
  comment?: string;
}

export interface CheckStep {
  name: 'resolve' | 'connect' | 'authenticate' | 'read' | 'snapshot';
  ok: boolean;
  code?: ErrorCode;
  /** One line for a person, without secrets. */
  message: string;
}

export interface CheckReport {
  ok: boolean;
  steps: CheckStep[];
  /** What answered, for instance `PostgreSQL 18.0`. */
  server?: string;
}

export interface TableRequest {
  table: TableName;
  /** Columns to read, in this order; absent means all, in the source's order. */
  columns?: string[];
  /** Overrides of the type table by column: what to do with a source type that has no mapping, or another mapping. */
  overrides?: Record<string, TypeOverride>;
  /** Only the rows between two positions of a cursor; absent: every row. Kinds with the capability `cursor`. */
  window?: CursorWindow;
}

/**
 * A place in a source's order, in the source's own text: it is compared by the source only, and never becomes a number
 * or a date here, which would lose digits (a cursor truncated to milliseconds skips rows, or loops for ever).
 */
export type CursorPosition = string;

/** Rows with `after < column <= upTo`; without `after`, and with rows whose column is null, from the beginning. */
export interface CursorWindow {
  column: string;
  after?: CursorPosition;
  upTo: CursorPosition;
}

/** `text`: the source's own text form. `skip`: leave the column out. Or a precision and scale for a numeric. */
export type TypeOverride = { as: 'text' } | { as: 'skip' } | { as: 'decimal'; precision: number; scale: number };

export interface PlanOptions {
  /** How many partitions are wanted; a plan may have fewer, or more where the source itself divides the table. */
  partitions: number;
}

/** Plain data: it crosses threads and is kept with the run. */
export interface ReadPlan<Partition = unknown> {
  table: TableName;
  columns: PlannedColumn[];
  partitions: Partition[];
  guarantee: SnapshotGuarantee;
  /** What other connections need to join the snapshot. */
  snapshotToken?: string;
  /** Part of the run's record: format, order, bounds; equal plans over equal data give equal parts. */
  description: Record<string, unknown>;
  /** The source keeps these columns unique itself, in this snapshot. */
  uniqueKeys: string[][];
}

export interface PlannedColumn {
  name: string;
  sourceType: string;
  nullable: boolean;
  comment?: string;
  /** How the connector reads it: plain data that only the connector understands, so that `read` decides nothing anew. */
  mapping?: unknown;
}

/** Totals taken by the source itself, in the snapshot; sums are exact decimal text. */
export interface ControlTotals {
  rows: number;
  /** For each integer and decimal column: the sum over its non-null cells. */
  sums: Record<string, string>;
}

/** Held by one owner. Closing it frees the source; it closes itself when `signal` ends. */
export interface Snapshot {
  readonly guarantee: SnapshotGuarantee;
  readonly openedAt: Date;
  /** Undefined where the source cannot take them. */
  controlTotals(request: TableRequest): Promise<ControlTotals | undefined>;
  /** Throws SNAPSHOT_LOST where the source no longer has it. */
  assertAlive(): Promise<void>;
  close(): Promise<void>;
}

/** The batch's buffers belong to the reader until the next batch is asked for, then they are used again. */
export interface SourceBatch {
  batch: RecordBatch;
  /** Null in the batch, listed here, for the contract to judge; nothing is changed silently. */
  unrepresentable: UnrepresentableCell[];
}

export interface ReadRequest<Partition = unknown> {
  plan: ReadPlan<Partition>;
  partition: Partition;
  batchRowsMax: number;
  batchBytesMax: number;
}

/** Demanded by the capability `cursor`. */
export interface CursorReading<S extends Snapshot = Snapshot> {
  /**
   * The greatest position up to which the snapshot is complete: no transaction still open can commit a row at or below
   * it later. Rows younger than the lag are left for the next run where the source has nothing firmer (PostgreSQL: the
   * oldest transaction still open). Undefined where no row is that old.
   */
  cursorBound(
    snapshot: S,
    request: TableRequest,
    cursor: { column: string; lagSeconds: number },
  ): Promise<CursorPosition | undefined>;
}

/** Demanded by the capability `changeCapture`. No kind tells changes yet: what they need is written here when one does. */
export interface ChangeCapture<Config = unknown> {
  /** Throws where the source keeps no changes of this table, with what its administrator must set. */
  assertCapturable(config: Config, table: TableName, context: ConnectorContext): Promise<void>;
}

export interface Connector<Config = unknown, S extends Snapshot = Snapshot, Partition = unknown> {
  readonly kind: string;
  readonly title: { zh: string; en: string };
  /** JSON Schema of `connection` in a source's definition, secrets already resolved. */
  readonly configSchema: Record<string, unknown>;
  readonly capabilities: Capabilities;
  /** Never throws for a source's own failures: they are steps of the report. */
  check(config: Config, context: ConnectorContext): Promise<CheckReport>;
  discover(config: Config, context: ConnectorContext): Promise<SourceTable[]>;
  openSnapshot(config: Config, context: ConnectorContext): Promise<S>;
  /** Throws TABLE_NOT_FOUND, TYPE_UNMAPPED (naming every such column) and the like; reads no rows. */
  plan(snapshot: S, request: TableRequest, options: PlanOptions): Promise<ReadPlan<Partition>>;
  /** The Arrow schema is that of `arrowSchema(plan)`. Closes its connection in `finally`. */
  read(config: Config, request: ReadRequest<Partition>, context: ConnectorContext): AsyncGenerator<SourceBatch>;
  /** The Arrow schema of every batch of a plan. Pure. */
  arrowSchema(plan: ReadPlan<Partition>): Schema;
  /** Present where `capabilities.cursor` is true. */
  cursorBound?: CursorReading<S>['cursorBound'];
}
