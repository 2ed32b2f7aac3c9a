/**
 * One bucket's rows and what was read for it, merged. Both are in the order of keys, so it is one walk; the result is
 * again in that order, whatever way led to it: the same rows give the same bytes. Pure.
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import { rowEquality } from '../../columnar/equal.ts';
import type { Picks } from '../../columnar/gather.ts';
import { keyHashesOf, keyOrder, sortedByKey } from '../../columnar/keys.ts';
import { operations, runColumns } from './row-runs.ts';

export interface BucketMerge {
  schema: Schema;
  keyColumns: number[];
  /** The bucket as it is in the version before, in the order of keys. */
  before: RecordBatch;
  /** Of the version before: hashes of keys whose newest state broke the contract (`staleName`). */
  staleBefore: ReadonlySet<string>;
  /** What was read, with a run's columns, in any order. */
  read: RecordBatch;
  /** Everything was read, or the table was emptied first: a key that was not read is gone from the source. */
  full: boolean;
  /**
   * `state`: each row is one of the source, and of two with one key the first stays. `changes`: rows are what happened,
   * one after the other, and the last one counts.
   */
  kind: 'state' | 'changes';
}

export interface BucketCounts {
  inserted: number;
  updated: number;
  unchanged: number;
  /** The source said so. */
  deleted: number;
  /** A full read no longer found it. */
  vanished: number;
}

export interface MergedBucket {
  counts: BucketCounts;
  /** Rows of the bucket: batch 0 is `before`, batch 1 is `read`. */
  picks: Picks;
  /** Whether `picks` are other rows than `before`. */
  changed: boolean;
  /** Rows of `read` whose key an earlier row has, ascending by the order in which they were read. */
  duplicates: number[];
  stale: string[];
}

/** How a key is named where a version lists those that are out of date: never by its value. */
export function staleName(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

export function mergeBucket(merge: BucketMerge): MergedBucket {
  return new Merger(merge).run();
}

const BEFORE = 0;
const READ = 1;
const ABSENT = -1;

class Merger {
  private readonly merge: BucketMerge;
  private readonly counts: BucketCounts = { inserted: 0, updated: 0, unchanged: 0, deleted: 0, vanished: 0 };
  private readonly batches: number[] = [];
  private readonly rows: number[] = [];
  private readonly duplicates: number[] = [];
  private readonly stale: string[] = [];
  private readonly columns: ReturnType<typeof runColumns>;
  private readonly sameRow: (before: number, read: number) => boolean;
  private readonly hashesBefore: { high: Uint32Array; low: Uint32Array };

  constructor(merge: BucketMerge) {
    this.merge = merge;
    this.columns = runColumns(merge.read);
    this.sameRow = rowEquality(merge.before, merge.read);
    this.hashesBefore = keyHashesOf(merge.before, merge.keyColumns);
  }

  run(): MergedBucket {
    const { before, read, keyColumns } = this.merge;
    const { hashes, order } = this.columns;
    const sorted = sortedByKey(read, keyColumns, hashes, order);
    const among = keyOrder(read, read, keyColumns);
    const across = keyOrder(before, read, keyColumns);
    const sameKey = (a: number, b: number) =>
      hashes.high[a] === hashes.high[b] && hashes.low[a] === hashes.low[b] && among(a, b) === 0;
    const compare = (old: number, row: number) =>
      this.hashesBefore.high[old]! - hashes.high[row]! ||
      this.hashesBefore.low[old]! - hashes.low[row]! ||
      across(old, row);
    let old = 0;
    for (let start = 0; start < sorted.length; ) {
      const row = sorted[start]!;
      let end = start + 1;
      while (end < sorted.length && sameKey(row, sorted[end]!)) end++;
      while (old < before.numRows && compare(old, row) < 0) this.untouched(old++);
      const found = old < before.numRows && compare(old, row) === 0;
      this.settle(found ? old++ : ABSENT, sorted.subarray(start, end));
      start = end;
    }
    while (old < before.numRows) this.untouched(old++);
    return this.result();
  }

  private result(): MergedBucket {
    const { counts, duplicates, stale } = this;
    const picks = {
      batch: Uint32Array.from(this.batches),
      row: Uint32Array.from(this.rows),
      length: this.rows.length,
    };
    const changed = counts.inserted + counts.updated + counts.deleted + counts.vanished > 0;
    const { order } = this.columns;
    return { counts, picks, changed, stale, duplicates: duplicates.sort((a, b) => order[a]! - order[b]!) };
  }

  private untouched(old: number): void {
    if (this.merge.full) this.counts.vanished++;
    else this.keep(old, this.isStale(old));
  }

  /** What becomes of one key: `old` is its row before, `rows` what was read of it, in order. */
  private settle(old: number, rows: Uint32Array): void {
    if (this.merge.kind === 'state') this.settleState(old, rows);
    else if (!this.merge.full) this.settleChanges(old, rows);
    else {
      // The table was emptied: what is told now begins from nothing.
      if (old !== ABSENT) this.counts.vanished++;
      this.settleChanges(ABSENT, rows);
    }
  }

  private settleState(old: number, rows: Uint32Array): void {
    const { operation } = this.columns;
    let winner = ABSENT;
    for (const row of rows) {
      if (operation[row] !== operations.put) continue;
      if (winner === ABSENT) winner = row;
      else this.duplicates.push(row);
    }
    if (winner !== ABSENT) this.put(old, winner, false);
    // A row that broke the contract does not take away what was there: it stays, and is said to be out of date.
    else if (old !== ABSENT) this.keep(old, true);
  }

  private settleChanges(old: number, rows: Uint32Array): void {
    const { operation } = this.columns;
    let latest = ABSENT;
    let removed = false;
    let stale = old !== ABSENT && this.isStale(old);
    for (const row of rows) {
      if (operation[row] === operations.reject) {
        stale = latest !== ABSENT || (old !== ABSENT && !removed);
        continue;
      }
      removed = operation[row] === operations.remove;
      latest = removed ? ABSENT : row;
      stale = false;
    }
    if (latest !== ABSENT) this.put(old, latest, stale);
    else if (removed && old !== ABSENT) this.counts.deleted++;
    // Inserted and deleted between two runs, or deleted before we knew it.
    else if (removed) this.counts.unchanged++;
    else if (old !== ABSENT) this.keep(old, stale);
  }

  private put(old: number, row: number, stale: boolean): void {
    if (old === ABSENT) this.counts.inserted++;
    else if (this.sameRow(old, row)) {
      this.counts.unchanged++;
      this.keep(old, stale);
      return;
    } else this.counts.updated++;
    this.batches.push(READ);
    this.rows.push(row);
    if (stale) this.stale.push(staleName(this.columns.hashes.high[row]!, this.columns.hashes.low[row]!));
  }

  private keep(old: number, stale: boolean): void {
    this.batches.push(BEFORE);
    this.rows.push(old);
    if (stale) this.stale.push(this.nameOf(old));
  }

  private isStale(old: number): boolean {
    return this.merge.staleBefore.size > 0 && this.merge.staleBefore.has(this.nameOf(old));
  }

  private nameOf(old: number): string {
    return staleName(this.hashesBefore.high[old]!, this.hashesBefore.low[old]!);
  }
}
