/**
 * The second contract check: what a worker other than the exchange's own has staged is decoded and checked again,
 * batch by batch, before it can be committed. A department's worker runs in a network that is not ours; its report is
 * believed only where the parts bear it out: schema, rows, contract and sums. What is left to the worker is that no key
 * occurs in two parts, unless they are buckets: those say by themselves that none does.
 */
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { RecordBatch, Schema } from 'apache-arrow';
import { getContract } from '../../catalog/contracts.ts';
import { bucketOrder, keyColumns } from '../../columnar/keys.ts';
import { readSchemaMessage, schemaMessage } from '../../columnar/message.ts';
import { type ReadAt, readBatch, readPartIndex } from '../../columnar/read.ts';
import { ColumnSums } from '../../columnar/sums.ts';
import { compileContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { Manifest, ManifestPart } from '../../schemas/generated/manifest.ts';
import type { ReportedPart, RunReport } from '../../schemas/generated/run-report.ts';
import { readWhole } from '../store/read-whole.ts';
import type { ObjectStore } from '../store/store.ts';
import { readBase } from './increment.ts';
import { partsOf } from './manifest.ts';
import type { Publication } from './publication.ts';
import { readReport, readStagedRows, sameSum } from './report.ts';
import { type RunRow, readRunRow } from './rows.ts';
import { segmentsOf } from './segments.ts';
import { assertOpen, type Generation } from './staging.ts';

export interface RecheckRun extends Generation {
  reportDigest: string;
}

/**
 * Checks every part of a report and notes that it passed; for a trusted worker it returns at once. Throws
 * CONTRACT_RECHECK_FAILED (naming the part, never a value), ARROW_INVALID, FENCED, REPORT_INVALID; ends early with
 * `signal`.
 */
export async function recheckRun(
  publication: Publication,
  { runId, generation, reportDigest }: RecheckRun,
  signal: AbortSignal,
): Promise<{ rowsChecked: number }> {
  const run = await readRunRow(publication.catalog, runId);
  // The second: this is a repeated delivery, perhaps after the commit.
  if (run.trusted || run.rechecked_report === reportDigest) return { rowsChecked: 0 };
  assertOpen(run, generation);
  const report = await readReport(publication, reportDigest, await readStagedRows(publication, runId, generation));
  const { document } = await getContract(publication.catalog, run.dataset, report.contractVersion);
  // Where the layout or the columns are others, nothing was kept.
  const base = report.incremental?.base === undefined ? undefined : await readBase(publication, run);
  await checkParts(publication.store, report, document as ContractDocument, base, signal);
  await publication
    .catalog('run')
    .where({ id: runId, generation, state: 'running' })
    .update({ rechecked_report: reportDigest });
  return { rowsChecked: report.rowsPublished };
}

/** Throws CONTRACT_RECHECK_FAILED unless the worker is the exchange's own, or this very report was checked again. */
export function assertRechecked(run: RunRow, reportDigest: string): void {
  if (run.trusted || run.rechecked_report === reportDigest) return;
  throw new HuitongError('CONTRACT_RECHECK_FAILED', 'the parts were not checked against their contract again', {
    at: run.id,
  });
}

/**
 * Parts that an increment keeps were checked when they were published, by the same contract: only what is new is read,
 * and for the sums what is no longer there.
 */
async function checkParts(
  store: ObjectStore,
  report: RunReport,
  document: ContractDocument,
  base: Manifest | undefined,
  signal: AbortSignal,
): Promise<void> {
  const schema = readSchemaMessage(Buffer.from(report.arrowSchema, 'base64'));
  const contract = compileContract(document, schema);
  const sums = new ColumnSums(schema);
  const before = base === undefined ? [] : partsOf(base);
  const kept = new Set(before.map((part) => part.digest));
  for (const part of report.parts.filter(({ digest }) => !kept.has(digest))) {
    const order = orderOf(report, schema, part);
    for await (const batch of batchesOf(store, part, report.arrowSchema, signal)) {
      const { failed: rows } = contract.check(batch);
      if (rows > 0) throw failed(`${rows} rows break the contract`, part.digest);
      if (order?.(batch) === false) throw failed('its keys are not those of its bucket, each once', part.digest);
      sums.add(batch);
    }
  }
  if (base !== undefined) {
    sums.merge(base.sums);
    const now = new Set(segmentsOf(report, base).flatMap(({ parts }) => parts.map((part) => part.digest)));
    for (const part of before.filter(({ digest }) => !now.has(digest))) {
      const gone = new ColumnSums(schema);
      for await (const batch of batchesOf(store, part, report.arrowSchema, signal)) gone.add(batch);
      sums.subtract(gone.toText());
    }
  }
  const wrong = Object.entries(sums.toText()).find(([name, sum]) => !sameSum(sum, report.sums[name]));
  if (wrong) throw failed(`column ${wrong[0]} does not add up to the sum that was reported`, report.runId);
}

/** For parts that are buckets: whether the batch goes on in their order, which is also that no key is there twice. */
function orderOf(
  { incremental }: RunReport,
  schema: Schema,
  { bucket }: ReportedPart,
): ((batch: RecordBatch) => boolean) | undefined {
  const buckets = incremental?.buckets;
  if (buckets === undefined || bucket === undefined) return undefined;
  const size = 2 ** 32 / buckets.count;
  return bucketOrder(keyColumns(schema, buckets.key), bucket * size, (bucket + 1) * size - 1);
}

/** The batches of a part whose schema and rows are those that were reported. */
async function* batchesOf(
  store: ObjectStore,
  part: ManifestPart,
  arrowSchema: string,
  signal: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const readAt: ReadAt = async (offset, length) => readWhole(await store.read(part.digest, { offset, length }));
  const index = await readPartIndex(readAt, part.sizeBytes);
  if (Buffer.from(schemaMessage(index.schema)).toString('base64') !== arrowSchema) {
    throw failed('its schema is not the one that was reported', part.digest);
  }
  if (index.rows !== part.rows) throw failed(`it has ${index.rows} rows, but ${part.rows} are reported`, part.digest);
  for (const place of index.batches) {
    signal.throwIfAborted();
    yield await readBatch(readAt, index, place);
    // Heartbeats and cancellation have their turn between batches.
    await eventLoopTurn();
  }
}

function failed(message: string, at: string): HuitongError {
  return new HuitongError('CONTRACT_RECHECK_FAILED', message, { at });
}
