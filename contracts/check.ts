/**
 * A check is a question about rows. Phase one marks failing rows over whole batches; phase two explains the rows that
 * were marked, one at a time. Masks hold one byte a row, 1 where the row fails, and checks only ever add ones.
 */
import type { Data } from 'apache-arrow';

/** One batch under check: its columns in the schema's order. */
export interface CheckedBatch {
  columns: readonly Data[];
}

export type Report = (pointer: string, code: string) => void;

export interface Check {
  mark(batch: CheckedBatch, from: number, to: number, mask: Uint8Array): void;
  explain(batch: CheckedBatch, row: number, report: Report): void;
}

/** Over the rows from…to of one column, whatever its validity bitmap says: nulls are the caller's business. */
export type Kernel = (column: Data, from: number, to: number, mask: Uint8Array) => void;

/** One keyword on one column. */
export interface CellTest {
  code: string;
  /** Null where no value can fail. */
  kernel: Kernel | null;
  nullFails: boolean;
  /** Marked by a kernel that does several keywords in one pass; this one's own only explains. */
  merged?: boolean;
}

export const failAll: Kernel = (_column, from, to, mask) => {
  mask.fill(1, from, to);
};

export const never: Check = { mark() {}, explain() {} };

/** Scratch masks, reused; cleared over the range that is asked for. */
const pool: Uint8Array[] = [];

function withScratch(from: number, to: number, use: (scratch: Uint8Array) => void): void {
  let scratch = pool.pop();
  if (scratch === undefined || scratch.length < to) {
    scratch = new Uint8Array(Math.max(to, 65_536));
  }
  scratch.fill(0, from, to);
  use(scratch);
  pool.push(scratch);
}

/** For one row at a time; nothing that is asked through it asks through it again. */
let probe = new Uint8Array(65_536);

function failsRow(row: number, mark: (mask: Uint8Array) => void): boolean {
  if (row >= probe.length) {
    probe = new Uint8Array(2 * row);
  }
  probe[row] = 0;
  mark(probe);
  return probe[row] === 1;
}

/** Fails every row, whatever it holds. */
export function always(pointer: string, code: string): Check {
  return {
    mark: (_batch, from, to, mask) => {
      mask.fill(1, from, to);
    },
    explain: (_batch, _row, report) => report(pointer, code),
  };
}

/** The tests of one column: kernels run over the buffers, then nulls get their own verdict. */
export function cells(column: number, pointer: string, tests: CellTest[], mergedKernels: Kernel[] = []): Check {
  const own = tests.flatMap((test) => (test.kernel === null || test.merged ? [] : [test.kernel]));
  const kernels = [...mergedKernels, ...own];
  const nullVerdict = tests.some((test) => test.nullFails) ? 1 : 0;
  if (kernels.length === 0 && nullVerdict === 0) {
    return never;
  }
  return {
    mark(batch, from, to, mask) {
      const data = batch.columns[column]!;
      if (data.nullCount === 0) {
        for (const kernel of kernels) {
          kernel(data, from, to, mask);
        }
        return;
      }
      withScratch(from, to, (scratch) => {
        for (const kernel of kernels) {
          kernel(data, from, to, scratch);
        }
        mergeNulls(data, nullVerdict, from, to, scratch, mask);
      });
    },
    explain(batch, row, report) {
      const data = batch.columns[column]!;
      const valid = data.getValid(row);
      for (const test of tests) {
        if (valid ? test.kernel !== null && cellFails(test.kernel, data, row) : test.nullFails) {
          report(pointer, test.code);
        }
      }
    },
  };
}

function cellFails(kernel: Kernel, data: Data, row: number): boolean {
  return failsRow(row, (mask) => kernel(data, row, row + 1, mask));
}

function mergeNulls(
  data: Data,
  nullVerdict: number,
  from: number,
  to: number,
  values: Uint8Array,
  mask: Uint8Array,
): void {
  const bitmap = data.nullBitmap;
  const offset = data.offset;
  for (let row = from; row < to; row++) {
    const bit = offset + row;
    const valid = (bitmap[bit >> 3]! >> (bit & 7)) & 1;
    mask[row] = mask[row]! | (valid === 1 ? values[row]! : nullVerdict);
  }
}

/** Every one of them must hold. */
export function all(checks: Check[]): Check {
  const real = checks.filter((check) => check !== never);
  if (real.length <= 1) {
    return real[0] ?? never;
  }
  return {
    mark(batch, from, to, mask) {
      for (const check of real) {
        check.mark(batch, from, to, mask);
      }
    },
    explain(batch, row, report) {
      for (const check of real) {
        check.explain(batch, row, report);
      }
    },
  };
}

/** A composite reports itself, not what its branches say: that a row is none of several things has no one reason. */
function composite(pointer: string, code: string, mark: Check['mark']): Check {
  const check: Check = {
    mark,
    explain(batch, row, report) {
      if (failsRow(row, (rowMask) => mark(batch, row, row + 1, rowMask))) {
        report(pointer, code);
      }
    },
  };
  return check;
}

/** Passes where the number of branches that pass is at least one (`anyOf`) or exactly one (`oneOf`). */
export function countBranches(branches: Check[], mode: 'any' | 'one', pointer: string): Check {
  return composite(pointer, mode === 'any' ? 'ANY_OF' : 'ONE_OF', (batch, from, to, mask) => {
    withScratch(from, to, (passes) => {
      for (const branch of branches) {
        withScratch(from, to, (failed) => {
          branch.mark(batch, from, to, failed);
          for (let row = from; row < to; row++) {
            // Saturates at 2: a contract may have more branches than a byte can count.
            passes[row] = Math.min(2, passes[row]! + (failed[row]! ^ 1));
          }
        });
      }
      for (let row = from; row < to; row++) {
        const ok = mode === 'any' ? passes[row]! > 0 : passes[row] === 1;
        mask[row] = mask[row]! | (ok ? 0 : 1);
      }
    });
  });
}

export function not(inner: Check, pointer: string): Check {
  return composite(pointer, 'NOT', (batch, from, to, mask) => {
    withScratch(from, to, (failed) => {
      inner.mark(batch, from, to, failed);
      for (let row = from; row < to; row++) {
        mask[row] = mask[row]! | (failed[row]! ^ 1);
      }
    });
  });
}

/** `if`/`then`/`else`: explained by the branch that applied. */
export function when(condition: Check, consequence: Check, alternative: Check): Check {
  const apply = (branch: Check, onFail: 0 | 1, failed: Uint8Array, range: Range, mask: Uint8Array) => {
    if (branch === never) {
      return;
    }
    const { batch, from, to } = range;
    withScratch(from, to, (own) => {
      branch.mark(batch, from, to, own);
      for (let row = from; row < to; row++) {
        mask[row] = mask[row]! | (own[row]! & (failed[row]! ^ onFail ^ 1));
      }
    });
  };
  return {
    mark(batch, from, to, mask) {
      withScratch(from, to, (failed) => {
        condition.mark(batch, from, to, failed);
        apply(consequence, 0, failed, { batch, from, to }, mask);
        apply(alternative, 1, failed, { batch, from, to }, mask);
      });
    },
    explain(batch, row, report) {
      const failed = failsRow(row, (mask) => condition.mark(batch, row, row + 1, mask));
      (failed ? alternative : consequence).explain(batch, row, report);
    },
  };
}

interface Range {
  batch: CheckedBatch;
  from: number;
  to: number;
}
