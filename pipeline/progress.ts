import { limits } from '../lib/limits.ts';
import type { PartitionProgress, PartitionResult } from './messages.ts';

export interface ExtractProgress {
  rows: number;
  /** Decoded. */
  bytes: number;
  partitions: { rows: number; bytes: number; done: boolean }[];
}

/** Adds up what the partitions tell, and passes it on a few times a second. */
export class ProgressBoard {
  private readonly partitions: ExtractProgress['partitions'];
  private readonly tell: ((progress: ExtractProgress) => void) | undefined;
  private toldAt = Number.NEGATIVE_INFINITY;

  constructor(partitions: number, tell?: (progress: ExtractProgress) => void) {
    this.partitions = Array.from({ length: partitions }, () => ({ rows: 0, bytes: 0, done: false }));
    this.tell = tell;
  }

  update({ partition, rows, bytes }: PartitionProgress): void {
    this.partitions[partition] = { rows, bytes, done: false };
    if (performance.now() - this.toldAt >= limits.progressIntervalMs) this.pass();
  }

  finish({ partition, rowsRead, bytesRead }: PartitionResult): void {
    this.partitions[partition] = { rows: rowsRead, bytes: bytesRead, done: true };
    this.pass();
  }

  /** The partition starts again. */
  reset(partition: number): void {
    this.partitions[partition] = { rows: 0, bytes: 0, done: false };
  }

  private pass(): void {
    this.toldAt = performance.now();
    const partitions = this.partitions.map((partition) => ({ ...partition }));
    const rows = partitions.reduce((sum, partition) => sum + partition.rows, 0);
    const bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0);
    this.tell?.({ rows, bytes, partitions });
  }
}
