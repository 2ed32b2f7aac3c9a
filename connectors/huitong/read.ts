import type { RecordBatch } from 'apache-arrow';
import { readAtOf, readBatches } from '../../columnar/read.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { columnsOfBatch, cutBatch } from '../column-batches.ts';
import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadPlan, ReadRequest, SourceBatch } from '../connector.ts';
import { connectionError } from '../web-errors.ts';
import { streamBatches } from './arrow-stream.ts';
import type { HuitongConfig } from './config.ts';
import { FarExchange } from './far.ts';
import type { HuitongPartition } from './plan.ts';
import { types } from './types.ts';

/** Throws SNAPSHOT_LOST where the version or our grant is gone, DIGEST_MISMATCH, SCHEMA_DRIFT, CANCELLED. */
export async function* read(
  config: HuitongConfig,
  request: ReadRequest<HuitongPartition>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const { signal } = context;
  const schema = arrowSchemaOf(types, plan);
  const far = new FarExchange(config, context);
  try {
    for await (const batch of farBatches(far, plan, partition)) {
      const chosen = columnsOfBatch(batch, schema, partition.dataset);
      for (const cut of cutBatch(chosen, request)) {
        if (signal.aborted) break;
        yield { batch: cut, unrepresentable: [] };
      }
      if (signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at: partition.dataset });
    }
  } catch (cause) {
    if (signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at: partition.dataset });
    if (isHuitongError(cause, 'TABLE_NOT_FOUND') || isHuitongError(cause, 'SOURCE_FORBIDDEN')) {
      throw new HuitongError('SNAPSHOT_LOST', 'the far version can no longer be read: recalled, or our grant ended', {
        at: partition.dataset,
        cause,
      });
    }
    throw connectionError(cause, far.base);
  } finally {
    far.close();
  }
}

async function* farBatches(
  far: FarExchange,
  plan: ReadPlan<HuitongPartition>,
  { dataset, version, parts }: HuitongPartition,
): AsyncGenerator<RecordBatch> {
  if (parts === undefined) {
    const columns = plan.columns.map(({ name }) => name);
    const { body } = await far.data(dataset, version, columns);
    try {
      yield* streamBatches(body);
    } finally {
      body.destroy();
    }
    return;
  }
  for (const digest of parts) {
    const bytes = await far.part(dataset, version, digest);
    yield* readBatches(readAtOf(bytes), bytes.byteLength);
  }
}
