/** Rows a second of one source, over all threads of a run; that no other run reads the source, admission sees to. */

/** Plain data that crosses threads: `paidUntil` is shared, nanoseconds of the process's monotonic clock. */
export interface RowBudgetState {
  rowsPerSecond: number;
  paidUntil: SharedArrayBuffer;
}

export function newRowBudget(rowsPerSecond: number): RowBudgetState {
  return { rowsPerSecond, paidUntil: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT) };
}

/**
 * Each row takes 1/rate of time that no other row has. Rows are paid for after they were read, so a thread may be ahead
 * by its one batch; time in which nobody read is not saved up.
 */
export class RowBudget {
  private readonly rowsPerSecond: number;
  private readonly paidUntil: BigInt64Array;
  private readonly clock: () => bigint;

  /** `clock`: nanoseconds, the same in all threads. */
  constructor({ rowsPerSecond, paidUntil }: RowBudgetState, clock: () => bigint = process.hrtime.bigint) {
    this.rowsPerSecond = rowsPerSecond;
    this.paidUntil = new BigInt64Array(paidUntil);
    this.clock = clock;
  }

  /** Takes note of rows that were read; milliseconds to wait before reading more. */
  pay(rows: number): number {
    const cost = BigInt(Math.ceil((rows * 1e9) / this.rowsPerSecond));
    for (;;) {
      const now = this.clock();
      const before = Atomics.load(this.paidUntil, 0);
      const after = (before > now ? before : now) + cost;
      if (Atomics.compareExchange(this.paidUntil, 0, before, after) === before) return Number(after - now) / 1e6;
    }
  }
}
