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
   * `exported`     other connections can join the snapshot while it is held: partitions are read in parallel
   * `pinned`       the source keeps the state itself under a name (a version): as `exported`, and it outlives its owner
   * `transaction`  consistent within one connection only: read in one stream
   * `none`         the source cannot promise one state; versions say so
   */
  snapshot: 'exported' | 'pinned' | 'transaction' | 'none';
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
  /** What the source itself guarantees of every cell that is not null. */
  guarantees?: ColumnGuarantees;
}

/** In the words of a contract (docs/reference/contracts.md). Absent members are not guaranteed, or not known to be. */
export interface ColumnGuarantees {
  enum?: (string | number)[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  /** Of dates. */
  formatMinimum?: string;
  formatMaximum?: string;
  formatExclusiveMinimum?: string;
  formatExclusiveMaximum?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
}

export interface SourceTable extends TableName {
  kind: 'table' | 'view' | 'materialized' | 'partitioned' | 'foreign';
  columns: SourceColumn[];
  /** Columns of the primary key, in order; empty where there is none. */
  primaryKey: string[];
  /** Column sets that the source itself keeps unique and not null (the primary key included). */
  uniqueKeys: string[][];
  rowsEstimate?: number;
  comment?: string;
  /** Tables whose columns, in the old manner, it has: their rows include its own. */
  inheritsFrom?: string[];
  /** Of a partitioned table: how many leaves it has. */
  partitions?: number;
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
   * oldest transaction still open). Undefined where no row is that old, or none lies behind `after`, the position that
   * was reached before. Throws CURSOR_UNSAFE where the source can promise nothing for this column and lag.
   */
  cursorBound(
    snapshot: S,
    request: TableRequest,
    cursor: { column: string; lagSeconds: number; after?: CursorPosition },
  ): Promise<CursorPosition | undefined>;
}

/** Demanded by the capability `changeCapture`. What an implementer must give: docs/reference/incremental.md. */
export interface ChangeCapture<Config = unknown> {
  readonly capture: SourceCapture<Config>;
}

/** A place in a source's log of changes, in the source's own text (an LSN, a change version); opaque here. */
export type ChangePosition = string;

/** What is captured: one table, under a name that the source can keep things by. */
export interface CaptureRequest extends TableRequest {
  /** `huitong_` and at most 40 of a-z, 0-9 and _; the same for every run of a dataset, and no other dataset's. */
  name: string;
  /** The contract's key: what a delete must tell. */
  key: string[];
}

/** What was done to one row, a byte a row of a `ChangeBatch`. `truncate` is a row by itself, and its cells are null. */
export const changeOperations = { insert: 0, update: 1, delete: 2, truncate: 3 } as const;

/** Changes in the order of the source's commits, whole transactions only at a batch that has a `position`. */
export interface ChangeBatch extends SourceBatch {
  /**
   * The columns of the plan, all of them nullable: a delete has the key's cells and may have null in every other. An
   * insert or update has the whole row, whatever the source's log leaves out of it. An update that changes the key is
   * two rows: a delete of the old key, an insert of the new.
   */
  batch: RecordBatch;
  /** Of `changeOperations`, a byte a row. */
  operations: Uint8Array;
  /** Present where everything up to here is told: a run may end here, and the next begin. */
  position?: ChangePosition;
}

export interface ChangesRequest {
  capture: CaptureRequest;
  plan: ReadPlan;
  /** Committed with the version before. Changes at or before it are not told again. */
  after: ChangePosition;
  /** How many changes to tell at most; a transaction is never cut, so there may be more. */
  changesMax: number;
  batchRowsMax: number;
  batchBytesMax: number;
}

export interface CaptureLag {
  /** Bytes of the source's log that it keeps for us; undefined where it does not count them. */
  bytes?: number;
  /** Whether `after` can still be read from. False: what was between is gone, and only a full refresh helps. */
  readable: boolean;
}

export interface SourceCapture<Config = unknown> {
  /**
   * Makes what captures (a publication and a slot; change tracking switched on), dropping an older one of the same
   * name, and opens a snapshot of exactly the state at `position`: what is in the snapshot is not told as a change, and
   * what is not in it is. Throws CAPTURE_UNAVAILABLE with what the source's administrator must set.
   */
  start(
    config: Config,
    request: CaptureRequest,
    context: ConnectorContext,
  ): Promise<{ snapshot: Snapshot; position: ChangePosition }>;
  /** How far the capture lags behind the source. */
  lag(config: Config, request: CaptureRequest, after: ChangePosition, context: ConnectorContext): Promise<CaptureLag>;
  /**
   * Changes after a position up to now, or up to `changesMax`; ends when there are no more, it does not wait for new
   * ones. The last batch has a position. Throws CAPTURE_LOST where the position is gone, SCHEMA_DRIFT where the columns
   * are no longer those of the plan. Closes its connection in `finally`.
   */
  readChanges(config: Config, request: ChangesRequest, context: ConnectorContext): AsyncGenerator<ChangeBatch>;
  /** Everything up to `position` is in a version that was committed: the source may forget it. Safe to call again. */
  acknowledge(
    config: Config,
    request: CaptureRequest,
    position: ChangePosition,
    context: ConnectorContext,
  ): Promise<void>;
  /** Removes what `start` made; not there is no failure. */
  drop(config: Config, request: CaptureRequest, context: ConnectorContext): Promise<void>;
}

/** Of kinds that can read files which were uploaded to the exchange (docs/decisions/0210). */
export interface UploadReading<Config = unknown> {
  /**
   * Which of the source's uploaded files a table needs, or all of it where none is named; undefined where its files are
   * elsewhere. Throws CONFIG_INVALID, PATH_OUTSIDE.
   */
  wanted(config: Config, names: string[], table?: TableName): string[] | undefined;
  /** The same source, its uploaded files under their names in this folder. */
  inFolder(config: Config, folder: string): Config;
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
  /** Present where `capabilities.changeCapture` is true. */
  readonly capture?: SourceCapture<Config>;
  readonly uploads?: UploadReading<Config>;
}
