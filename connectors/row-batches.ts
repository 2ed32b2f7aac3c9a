/** Rows whose cells are text or bytes, into batches: for sources that send text, where the network is slower than we are. */
import { DataType, type Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../columnar/batch.ts';
import { type BytesBuilder, builderFor, type ColumnBuilder, finishBatch } from '../columnar/builders/index.ts';
import { type AppendText, appendBytes, type CellProblem, textAppender } from '../columnar/text-cells.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { SourceBatch } from './connector.ts';

/** Text in the form that the column's Arrow type asks for, bytes for a binary column, or why there is no such cell. */
export type Cell = null | string | Uint8Array | { problem: CellProblem };

export interface BatchCut {
  batchRowsMax: number;
  batchBytesMax: number;
}

/**
 * Batches of the rows, cut by rows and by bytes; the first row of a batch is taken whatever its size.
 * @param rows cells in the order of the schema's fields
 * @param at the table, for errors
 * @param signal asked before each batch: rows may all be in memory already
 * @throws HuitongError CELL_TOO_LARGE with the column's name, CANCELLED
 */
export async function* rowBatches(
  schema: Schema,
  rows: AsyncIterable<Cell[]>,
  cut: BatchCut,
  at: string,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const collector = new RowCollector(schema, at);
  for await (const row of rows) {
    if (signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at });
    if (collector.rows >= cut.batchRowsMax || collector.bytesWith(row) > cut.batchBytesMax) {
      if (collector.rows > 0) yield collector.batch();
      collector.reset();
    }
    collector.append(row);
  }
  if (signal.aborted) throw new HuitongError('CANCELLED', 'the read was cancelled', { at });
  if (collector.rows > 0) yield collector.batch();
}

class RowCollector {
  rows = 0;
  private readonly schema: Schema;
  private readonly at: string;
  private readonly builders: ColumnBuilder[];
  private readonly appenders: AppendText[];
  private readonly rowBytesFixed: number;
  private cellBytes = 0;
  private unrepresentable: UnrepresentableCell[] = [];

  constructor(schema: Schema, at: string) {
    this.schema = schema;
    this.at = at;
    this.builders = schema.fields.map((field) => builderFor(field.type));
    this.appenders = this.builders.map((builder) => textAppender(builder.type, builder));
    this.rowBytesFixed = this.builders.reduce((sum, builder) => sum + builder.cellBytesFixed, 0);
  }

  /** What the batch takes once this row is in it; checks the size of each cell. */
  bytesWith(row: Cell[]): number {
    const rows = this.rows + 1;
    const lead = 4 * this.builders.length;
    return (
      lead +
      this.cellBytes +
      this.variableBytes(row) +
      rows * this.rowBytesFixed +
      this.builders.length * ((rows + 7) >> 3)
    );
  }

  append(row: Cell[]): void {
    this.cellBytes += this.variableBytes(row);
    row.forEach((cell, column) => {
      const builder = this.builders[column] as ColumnBuilder;
      const problem = this.appendCell(builder, column, cell);
      if (problem !== undefined) this.unrepresentable.push({ row: this.rows, column, code: problem });
    });
    this.rows++;
  }

  batch(): SourceBatch {
    return { batch: finishBatch(this.schema, this.builders, this.rows), unrepresentable: this.unrepresentable };
  }

  reset(): void {
    for (const builder of this.builders) builder.reset();
    this.rows = 0;
    this.cellBytes = 0;
    this.unrepresentable = [];
  }

  private appendCell(builder: ColumnBuilder, column: number, cell: Cell): CellProblem | undefined {
    if (typeof cell === 'string') return this.appenders[column]?.(cell);
    if (cell instanceof Uint8Array) appendBytes(builder as BytesBuilder, cell);
    else builder.appendNull();
    return cell !== null && 'problem' in cell ? cell.problem : undefined;
  }

  private variableBytes(row: Cell[]): number {
    let sum = 0;
    row.forEach((cell, column) => {
      const type = this.builders[column]?.type;
      if (cell === null || (!DataType.isUtf8(type) && !DataType.isBinary(type))) return;
      const bytes = typeof cell === 'string' ? Buffer.byteLength(cell) : cell instanceof Uint8Array ? cell.length : 0;
      if (bytes > limits.cellBytesMax) {
        const name = this.schema.fields[column]?.name;
        throw new HuitongError(
          'CELL_TOO_LARGE',
          `a cell of column ${name} is larger than ${limits.cellBytesMax} bytes`,
          {
            at: this.at,
          },
        );
      }
      sum += bytes;
    });
    return sum;
  }
}
