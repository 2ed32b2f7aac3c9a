/**
 * The hot loop of one thread: source → Arrow batch → contract → split → compress → hash → stage, one batch at a time.
 * Good batches are written as the connector gave them, without a copy.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordBatch, Schema } from 'apache-arrow';
import { copyRows, filterBatch } from '../columnar/filter.ts';
import { hashKeys, type KeyHashes, keyColumns } from '../columnar/keys.ts';
import { batchBytes } from '../columnar/size.ts';
import { ColumnSums } from '../columnar/sums.ts';
import { type ChangeBatch, type ChangePosition, type Connector, changeOperations } from '../connectors/connector.ts';
import type { CompiledContract, RowError } from '../contracts/contract.ts';
import { HuitongError } from '../lib/errors.ts';
import { operations, RunWriter } from './incremental/row-runs.ts';
import { KeySpill } from './key-spill.ts';
import type { PartitionProgress, PartitionResult, ThreadSetup } from './messages.ts';
import { PartSink } from './part-sink.ts';
import { quarantineBatch, quarantineSchema } from './quarantine.ts';
import type { RowBudget } from './row-budget.ts';
import type { StagingSession } from './staging.ts';

/** What a thread has for all the partitions that it reads. */
export interface ReadingContext {
  setup: ThreadSetup;
  connector: Connector;
  contract: CompiledContract;
  schema: Schema;
  session: StagingSession;
  signal: AbortSignal;
  rowBudget?: RowBudget;
}

export async function readPartition(
  context: ReadingContext,
  task: { partition: number; attempt: number },
  onProgress: (progress: PartitionProgress) => void,
): Promise<PartitionResult> {
  const { connector, setup, signal } = context;
  const writer = await PartitionWriter.create(context, task);
  try {
    if (setup.changes !== undefined) {
      await readChanges(context, setup.changes, writer, onProgress);
      return await writer.end();
    }
    const { batchRowsMax, batchBytesMax } = setup.limits;
    const request = { plan: setup.plan, partition: setup.plan.partitions[task.partition], batchRowsMax, batchBytesMax };
    for await (const { batch, unrepresentable } of connector.read(setup.config, request, {
      signal,
      label: setup.label,
      loopbackAllowed: setup.loopbackAllowed,
    })) {
      signal.throwIfAborted();
      for (const cell of unrepresentable) writer.unrepresentable.add(batch.schema.fields[cell.column]!.name);
      const verdict = context.contract.check(batch, unrepresentable);
      await writer.add(batch, verdict.mask, () => verdict.errors());
      onProgress({ partition: task.partition, rows: writer.rowsRead, bytes: writer.bytesRead });
      await keepToBudget(context, batch.numRows);
    }
    return await writer.end();
  } catch (e) {
    await writer.abort();
    throw e;
  }
}

/** All changes after the position, as one partition; only what is put is checked against the contract. */
async function readChanges(
  context: ReadingContext,
  changes: NonNullable<ThreadSetup['changes']>,
  writer: PartitionWriter,
  onProgress: (progress: PartitionProgress) => void,
): Promise<void> {
  const { connector, contract, setup, signal } = context;
  const { plan, label, loopbackAllowed } = setup;
  const { batchRowsMax, batchBytesMax } = setup.limits;
  const request = { ...changes, plan, batchRowsMax, batchBytesMax };
  const { capture } = connector;
  if (capture === undefined) throw new HuitongError('MODE_UNSUPPORTED', 'this kind of source tells no changes');
  for await (const told of capture.readChanges(setup.config, request, { signal, label, loopbackAllowed })) {
    signal.throwIfAborted();
    const { batch, kinds, unrepresentable } = writer.afterTruncate(told);
    const verdict = contract.check(batch, unrepresentable);
    const puts = Uint8Array.from(kinds, (kind) => Number(kind !== operations.remove));
    const mask = verdict.mask?.map((failed, row) => failed & puts[row]!) ?? null;
    const failed = mask?.includes(1) ? mask : null;
    await writer.add(batch, failed, () => verdict.errors().filter(({ row }) => failed?.[row] === 1), kinds);
    writer.position = told.position ?? writer.position;
    onProgress({ partition: 0, rows: writer.rowsRead, bytes: writer.bytesRead });
    await keepToBudget(context, told.batch.numRows);
  }
}

/** The source waits meanwhile: its rows stay unread in its connection. */
async function keepToBudget({ rowBudget, signal }: ReadingContext, rows: number): Promise<void> {
  const waitMs = rowBudget?.pay(rows) ?? 0;
  if (waitMs > 0) await wait(waitMs, undefined, { signal });
}

/** Splits batches into published and quarantined rows and accounts for both. */
class PartitionWriter {
  rowsRead = 0;
  bytesRead = 0;
  readonly unrepresentable = new Set<string>();
  /** Of changes: up to where they were told. */
  position: ChangePosition | undefined;
  private truncated = false;
  private readonly runs: RunWriter | undefined;
  private readonly partition: number;
  private readonly published: PartSink;
  private readonly quarantined: PartSink;
  private readonly spill: KeySpill | undefined;
  private readonly keyColumns: number[];
  private readonly publishedSums: ColumnSums;
  private readonly quarantinedSums: ColumnSums;
  private readonly quarantinedByCode: Record<string, number> = {};
  private readonly hashes: KeyHashes;

  static async create(context: ReadingContext, task: { partition: number; attempt: number }): Promise<PartitionWriter> {
    const { spillDirectory } = context.setup;
    const file = `${spillDirectory}/keys-${task.partition}-${task.attempt}`;
    return new PartitionWriter(context, task, spillDirectory === undefined ? undefined : await KeySpill.create(file));
  }

  private constructor(
    { contract, schema, session, setup }: ReadingContext,
    { partition, attempt }: { partition: number; attempt: number },
    spill?: KeySpill,
  ) {
    const { partRowsMax, partBytesMax, batchRowsMax } = setup.limits;
    const common = { session, partition, partRowsMax, partBytesMax };
    this.partition = partition;
    this.published = new PartSink({ ...common, schema });
    const sealTo = setup.assignment.quarantineKey;
    this.quarantined = new PartSink({ ...common, schema: quarantineSchema(schema), sealTo });
    this.spill = spill;
    this.keyColumns = keyColumns(schema, contract.key);
    this.publishedSums = new ColumnSums(schema);
    this.quarantinedSums = new ColumnSums(schema);
    const { runsDirectory } = setup;
    if (runsDirectory !== undefined) {
      const path = `${runsDirectory}/rows-${partition}-${attempt}`;
      this.runs = new RunWriter({ schema, keyColumns: this.keyColumns, path, partition });
    }
    this.hashes = { high: new Uint32Array(batchRowsMax), low: new Uint32Array(batchRowsMax) };
  }

  /** `errors` is asked for only where a row fails; the contract fails a null key too. */
  async add(
    batch: RecordBatch,
    mask: Uint8Array | null,
    errors: () => RowError[],
    kinds: Uint8Array = new Uint8Array(batch.numRows),
  ): Promise<void> {
    if (batch.numRows === 0) return;
    const firstOrdinal = this.rowsRead;
    this.rowsRead += batch.numRows;
    this.bytesRead += batchBytes(batch);
    const good = mask === null ? batch : filterBatch(batch, mask, 0);
    if (this.runs !== undefined) {
      this.publishedSums.add(good);
      const done = mask === null ? kinds : kinds.map((kind, row) => (mask[row] === 1 ? operations.reject : kind));
      await this.runs.add(batch, done, firstOrdinal);
    } else if (good.numRows > 0) await this.publish(good, mask, firstOrdinal);
    if (mask !== null) await this.quarantine(batch, mask, errors(), firstOrdinal);
  }

  /** What of a batch of changes still counts, and what each row of it does. */
  afterTruncate({ batch, operations: told, unrepresentable }: ChangeBatch) {
    const first = told.lastIndexOf(changeOperations.truncate) + 1;
    const kinds = told
      .subarray(first, batch.numRows)
      .map((operation) => (operation === changeOperations.delete ? operations.remove : operations.put));
    if (first === 0) return { batch, kinds, unrepresentable };
    this.runs?.clear();
    this.truncated = true;
    this.rowsRead += first;
    const cells = unrepresentable.filter(({ row }) => row >= first).map((cell) => ({ ...cell, row: cell.row - first }));
    return { batch: copyRows(batch, first, batch.numRows), kinds, unrepresentable: cells };
  }

  private async publish(good: RecordBatch, mask: Uint8Array | null, firstOrdinal: number): Promise<void> {
    this.publishedSums.add(good);
    // Before the write: the batch's memory is the connector's.
    if (this.spill !== undefined) hashKeys(good, this.keyColumns, this.hashes);
    const place = await this.published.write(good);
    await this.spill?.add(this.hashes, place, ordinalsOf(good.numRows, mask, firstOrdinal));
  }

  private async quarantine(
    batch: RecordBatch,
    mask: Uint8Array,
    errors: RowError[],
    firstOrdinal: number,
  ): Promise<void> {
    const { partition, keyColumns } = this;
    const ordinalOf = (row: number) => firstOrdinal + row;
    this.quarantinedSums.add(filterBatch(batch, mask, 1));
    const rows = quarantineBatch({ batch, mask, errors, partition, ordinalOf, keyColumns });
    for (const [code, count] of Object.entries(rows.byCode)) {
      this.quarantinedByCode[code] = (this.quarantinedByCode[code] ?? 0) + count;
    }
    await this.quarantined.write(rows.batch);
  }

  async end(): Promise<PartitionResult> {
    return {
      partition: this.partition,
      rowsRead: this.rowsRead,
      bytesRead: this.bytesRead,
      parts: await this.published.end(),
      quarantine: await this.quarantined.end(),
      quarantinedByCode: this.quarantinedByCode,
      publishedSums: this.publishedSums.toText(),
      quarantinedSums: this.quarantinedSums.toText(),
      unrepresentable: [...this.unrepresentable],
      spill: await this.spill?.end(),
      runs: await this.runs?.end(),
      changes: { position: this.position, truncated: this.truncated },
    };
  }

  async abort(): Promise<void> {
    await Promise.allSettled([this.published.abort(), this.quarantined.abort(), this.spill?.abort()]);
  }
}

function ordinalsOf(count: number, mask: Uint8Array | null, firstOrdinal: number): Uint32Array {
  const ordinals = new Uint32Array(count);
  for (let row = 0, next = 0; next < count; row++)
    if (mask === null || mask[row] === 0) ordinals[next++] = firstOrdinal + row;
  return ordinals;
}
