/**
 * Takes duplicate keys out of what was staged: the later rows go to quarantine as DUPLICATE_KEY, and only the parts that
 * held them are written again.
 */
import type { RecordBatch } from 'apache-arrow';
import { filterBatch } from '../columnar/filter.ts';
import { keyColumns } from '../columnar/keys.ts';
import { ColumnSums } from '../columnar/sums.ts';
import { groupBy } from '../lib/group-by.ts';
import type { ReportedPart } from '../schemas/generated/run-report.ts';
import { batchesOf, findDuplicates } from './duplicates.ts';
import { findKnown } from './incremental/append.ts';
import type { SpilledRow } from './key-spill.ts';
import type { EarlierParts, PartitionResult } from './messages.ts';
import { PartSink } from './part-sink.ts';
import { quarantineBatch, quarantineSchema } from './quarantine.ts';
import type { ReadingContext } from './read-partition.ts';

const DUPLICATE_KEY = 'DUPLICATE_KEY';

/**
 * `results` in plan order; the same ones come back, changed where they held duplicates: of each other, or of a row in
 * the `earlier` parts of an appended dataset.
 */
export async function removeDuplicates(
  context: ReadingContext,
  results: PartitionResult[],
  earlier?: EarlierParts,
): Promise<PartitionResult[]> {
  const columns = keyColumns(context.schema, context.contract.key);
  const partsOf = new Map(results.map((result) => [result.partition, result.parts]));
  const search = {
    spills: results.flatMap(({ partition, spill }) => (spill === undefined ? [] : [{ partition, index: spill }])),
    columns,
    readPart: (partition: number, part: number) => context.session.readObject(partsOf.get(partition)![part]!.digest),
    signal: context.signal,
  };
  const among = await findDuplicates(search);
  const against = earlier === undefined ? [] : await findKnown(search, context.session, earlier, among);
  const duplicates = [...among, ...against];
  const byPartition = groupBy(duplicates, (row) => row.partition);
  const cleaned: PartitionResult[] = [];
  for (const result of results) {
    const rows = byPartition.get(result.partition);
    cleaned.push(rows === undefined ? result : await cleanPartition(context, result, rows, columns));
  }
  return cleaned;
}

async function cleanPartition(
  context: ReadingContext,
  result: PartitionResult,
  duplicates: SpilledRow[],
  columns: number[],
): Promise<PartitionResult> {
  const { schema, session, setup } = context;
  const sealTo = setup.assignment.quarantineKey;
  const quarantine = new PartSink({ session, schema: quarantineSchema(schema), partition: result.partition, sealTo });
  const published = new ColumnSums(schema);
  const quarantined = new ColumnSums(schema);
  published.merge(result.publishedSums);
  quarantined.merge(result.quarantinedSums);
  const byPart = groupBy(duplicates, (row) => row.part);
  const parts: ReportedPart[] = [];
  try {
    for (const [place, part] of result.parts.entries()) {
      const rows = byPart.get(place);
      if (rows === undefined) {
        parts.push(part);
        continue;
      }
      const moved = new ColumnSums(schema);
      parts.push(...(await rewritePart(context, part, rows, columns, { quarantine, moved })));
      published.subtract(moved.toText());
      quarantined.merge(moved.toText());
    }
    return {
      ...result,
      parts,
      quarantine: [...result.quarantine, ...(await quarantine.end())],
      quarantinedByCode: { ...result.quarantinedByCode, [DUPLICATE_KEY]: duplicates.length },
      publishedSums: published.toText(),
      quarantinedSums: quarantined.toText(),
    };
  } catch (e) {
    await quarantine.abort();
    throw e;
  }
}

/** One part without the named rows; none where none is left. Batch bounds stay where they were. */
async function rewritePart(
  { schema, session, signal }: ReadingContext,
  part: ReportedPart,
  duplicates: SpilledRow[],
  columns: number[],
  into: { quarantine: PartSink; moved: ColumnSums },
): Promise<ReportedPart[]> {
  const partition = part.partition!;
  const ordinals = new Map(duplicates.map(({ row, ordinal }) => [row, ordinal]));
  const rewritten = new PartSink({ session, schema, partition });
  try {
    for await (const { batch, firstRow } of batchesOf(await session.readObject(part.digest))) {
      signal.throwIfAborted();
      const mask = Uint8Array.from({ length: batch.numRows }, (_, row) => Number(ordinals.has(firstRow + row)));
      const kept = filterBatch(batch, mask, 0);
      if (kept.numRows > 0) await rewritten.write(kept);
      if (kept.numRows === batch.numRows) continue;
      into.moved.add(filterBatch(batch, mask, 1));
      await into.quarantine.write(quarantined(batch, mask, partition, columns, (row) => ordinals.get(firstRow + row)!));
    }
    return await rewritten.end();
  } catch (e) {
    await rewritten.abort();
    throw e;
  }
}

function quarantined(
  batch: RecordBatch,
  mask: Uint8Array,
  partition: number,
  keyColumns: number[],
  ordinalOf: (row: number) => number,
): RecordBatch {
  const errors = [...mask.keys()]
    .filter((row) => mask[row] === 1)
    .map((row) => ({ row, pointer: '', code: DUPLICATE_KEY }));
  return quarantineBatch({ batch, mask, errors, partition, ordinalOf, keyColumns }).batch;
}
