/**
 * A sample of a table: the first rows of several of its partitions, in one snapshot, bounded by rows, bytes and time.
 * Nothing of it is staged or kept.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Schema } from 'apache-arrow';
import { batchBytes } from '../../columnar/size.ts';
import type {
  Connector,
  ConnectorContext,
  ReadPlan,
  SnapshotGuarantee,
  SourceBatch,
  TableRequest,
} from '../../connectors/connector.ts';
import { limits } from '../../lib/limits.ts';

/** A source that is ready to be asked. */
export interface OpenedSource {
  connector: Connector;
  /** Its connection with secrets resolved. */
  config: unknown;
  context: ConnectorContext;
}

export interface SampleLimits {
  rowsMax: number;
  bytesMax: number;
  timeMaxMs: number;
}

export interface SampleSize {
  rows: number;
  /** Decoded. */
  bytes: number;
  /** Every row of the table was read. */
  complete: boolean;
  guarantee: SnapshotGuarantee;
}

/** Takes batches; each is valid until the next. Made when the columns are known. */
export type SampleTaker = (batch: SourceBatch) => void;

/**
 * @param start is told the schema of what is read, and gives what takes the batches
 * @throws what the connector throws; CANCELLED
 */
export async function readSample(
  source: OpenedSource,
  request: TableRequest,
  bounds: SampleLimits,
  start: (schema: Schema) => SampleTaker,
): Promise<SampleSize> {
  const { connector, config } = source;
  // What is read of a partition when the sample is full is given up with it.
  const stop = new AbortController();
  const context = { ...source.context, signal: AbortSignal.any([source.context.signal, stop.signal]) };
  const snapshot = await connector.openSnapshot(config, context);
  try {
    const plan = await connector.plan(snapshot, request, { partitions: limits.samplePartitions });
    const take = start(connector.arrowSchema(plan));
    const size = await readPartitions({ ...source, context }, plan, bounds, take);
    return { ...size, guarantee: plan.guarantee };
  } finally {
    await snapshot.close();
    stop.abort();
  }
}

async function readPartitions(
  { connector, config, context }: OpenedSource,
  plan: ReadPlan,
  bounds: SampleLimits,
  take: SampleTaker,
): Promise<Omit<SampleSize, 'guarantee'>> {
  const deadline = performance.now() + bounds.timeMaxMs;
  const size = { rows: 0, bytes: 0, complete: true };
  for (const [i, partition] of plan.partitions.entries()) {
    // What earlier partitions left over is the later ones'.
    const rowsEnd = size.rows + Math.ceil((bounds.rowsMax - size.rows) / (plan.partitions.length - i));
    if (rowsEnd === size.rows) return { ...size, complete: false };
    const { batchBytesMax } = limits;
    const request = { plan, partition, batchRowsMax: Math.min(rowsEnd - size.rows, SAMPLE_BATCH_ROWS), batchBytesMax };
    for await (const read of connector.read(config, request, context)) {
      context.signal.throwIfAborted();
      take(read);
      size.rows += read.batch.numRows;
      size.bytes += batchBytes(read.batch);
      if (size.rows >= rowsEnd) size.complete = false;
      if (size.bytes >= bounds.bytesMax || performance.now() >= deadline) return { ...size, complete: false };
      if (size.rows >= rowsEnd) break;
      // Heartbeats and cancellation share this thread.
      await turn();
    }
  }
  return size;
}

const SAMPLE_BATCH_ROWS = 1024;
