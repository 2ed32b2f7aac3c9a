/**
 * Key uniqueness across partitions, after reading. Bucket by bucket, rows of equal hashes are found; their real keys are
 * read back from the staged parts; of rows with equal keys the first in plan order (partition, then reading order)
 * stays, and the later ones are named as duplicates.
 */
import type { RecordBatch } from 'apache-arrow';
import { keyAt } from '../columnar/keys.ts';
import { readAtOf, readBatches } from '../columnar/read.ts';
import { groupBy } from '../lib/group-by.ts';
import { limits } from '../lib/limits.ts';
import { BUCKETS, RECORD_WORDS, readBucket, type SpilledRow, type SpillIndex } from './key-spill.ts';

export interface DuplicateSearch {
  /** In plan order. */
  spills: { partition: number; index: SpillIndex }[];
  /** Positions of the key's columns. */
  columns: number[];
  /** Bytes of a staged part. */
  readPart(partition: number, part: number): Promise<Uint8Array>;
  signal: AbortSignal;
}

/** A row whose hash another row has too. `group` is the same for equal hashes. */
interface Candidate extends SpilledRow {
  group: number;
}

/** The rows to be taken out, in no particular order. */
export async function findDuplicates(search: DuplicateSearch): Promise<SpilledRow[]> {
  const duplicates: SpilledRow[] = [];
  let candidates: Candidate[] = [];
  let groups = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    search.signal.throwIfAborted();
    const found = await collide(search, bucket, groups);
    groups = found.groups;
    for (const candidate of found.candidates) candidates.push(candidate);
    if (candidates.length < limits.duplicateCandidatesMax && bucket < BUCKETS - 1) continue;
    for (const row of await verify(search, candidates)) duplicates.push(row);
    candidates = [];
  }
  return duplicates;
}

/** Rows of equal hashes in one bucket, by an open-addressing table of record numbers; linear in the bucket's size. */
async function collide(
  { spills }: DuplicateSearch,
  bucket: number,
  firstGroup: number,
): Promise<{ candidates: Candidate[]; groups: number }> {
  const { records, ends } = await readBucket(
    spills.map((spill) => spill.index),
    bucket,
  );
  const count = records.length / RECORD_WORDS;
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2)));
  const members = new Map<number, number[]>();
  for (let record = 0; record < count; record++) {
    const at = record * RECORD_WORDS;
    let slot = (records[at + 1]! ^ records[at]!) & (slots.length - 1);
    for (; slots[slot] !== 0; slot = (slot + 1) & (slots.length - 1)) {
      const first = slots[slot]! - 1;
      if (!sameHash(records, first, record)) continue;
      const group = members.get(first);
      if (group === undefined) members.set(first, [first, record]);
      else group.push(record);
      break;
    }
    if (slots[slot] === 0) slots[slot] = record + 1;
  }
  let groups = firstGroup;
  const candidates: Candidate[] = [];
  for (const group of members.values()) {
    for (const record of group) {
      const at = record * RECORD_WORDS;
      const { partition } = spills[ends.findIndex((end) => at < end)]!;
      const [part, row, ordinal] = records.subarray(at + 2, at + RECORD_WORDS) as Iterable<number>;
      candidates.push({ group: groups, partition, part: part!, row: row!, ordinal: ordinal! });
    }
    groups++;
  }
  return { candidates, groups };
}

function sameHash(records: Uint32Array, a: number, b: number): boolean {
  const [left, right] = [a * RECORD_WORDS, b * RECORD_WORDS];
  return records[left] === records[right] && records[left + 1] === records[right + 1];
}

/** Of each group the rows whose key an earlier row has. Candidates of a group are in plan order. */
async function verify(search: DuplicateSearch, candidates: Candidate[]): Promise<SpilledRow[]> {
  const keys = await readKeys(search, candidates);
  const seen = new Set<string>();
  return candidates.filter((candidate, i) => {
    const key = `${candidate.group}/${keys[i]}`;
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}

/** The real keys, part by part, so that one part is in memory at a time. */
export async function readKeys(
  search: Pick<DuplicateSearch, 'columns' | 'readPart' | 'signal'>,
  candidates: SpilledRow[],
): Promise<string[]> {
  const keys = new Array<string>(candidates.length);
  const byPart = groupBy(candidates.keys(), (i) => `${candidates[i]!.partition}/${candidates[i]!.part}`);
  for (const places of byPart.values()) {
    const { partition, part } = candidates[places[0]!]!;
    search.signal.throwIfAborted();
    const wanted = places.sort((a, b) => candidates[a]!.row - candidates[b]!.row);
    let next = 0;
    for await (const { batch, firstRow } of batchesOf(await search.readPart(partition, part))) {
      for (; next < wanted.length && candidates[wanted[next]!]!.row < firstRow + batch.numRows; next++) {
        const place = wanted[next]!;
        keys[place] = keyAt(batch, search.columns, candidates[place]!.row - firstRow);
      }
    }
  }
  return keys;
}

export async function* batchesOf(bytes: Uint8Array): AsyncGenerator<{ batch: RecordBatch; firstRow: number }> {
  let firstRow = 0;
  for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) {
    yield { batch, firstRow };
    firstRow += batch.numRows;
  }
}
