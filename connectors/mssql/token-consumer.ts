import type { RowConsumer } from './takeover.ts';
import { Window } from './window.ts';
import { Incomplete, readColumns, tokenEnd, tokens, type WireColumn } from './wire-types.ts';

/** Rows are decoded when so much has arrived: a loop a column pays for more than a few rows. */
const GATHER_BYTES = 128 * 1024;

/** Walks the tokens of a response: columns and rows stay here, all others go to the driver, in their order. */
export abstract class TokenConsumer implements RowConsumer {
  full = false;
  protected readonly window = new Window();

  /** A packet's payload. Tokens that are neither columns nor rows are handed to `forward`. */
  take(packet: Buffer, forward: (token: Buffer) => void): void {
    this.window.append(packet);
    if (this.window.length >= GATHER_BYTES) this.decode(forward);
  }

  /** Decodes what has arrived until it is full, or more is needed. */
  decode(forward: (token: Buffer) => void): void {
    let goesOn = true;
    while (goesOn && !this.full && this.window.length > 0) goesOn = this.step(forward);
  }

  /** Bytes that belong to no complete row or token. */
  get left(): number {
    return this.window.length;
  }

  protected abstract prepare(columns: WireColumn[]): void;

  /** Takes the rows at the window's start; false where more must arrive first. */
  protected abstract takeRows(): boolean;

  /** One token, or as many rows as there are; false where more must arrive first. */
  protected step(forward: (token: Buffer) => void): boolean {
    const { window } = this;
    const token = window.bytes[window.start];
    if (token === tokens.row || token === tokens.nbcRow) return this.takeRows();
    if (token === tokens.columns) return this.takeColumns();
    const end = tokenEnd(window.bytes, window.start, window.end);
    if (end === undefined) return false;
    forward(Buffer.from(window.bytes.subarray(window.start, end)));
    window.start = end;
    return true;
  }

  private takeColumns(): boolean {
    const { window } = this;
    try {
      const { columns, next } = readColumns(window.bytes, window.start, window.end);
      window.start = next;
      this.prepare(columns);
      return true;
    } catch (cause) {
      if (cause instanceof Incomplete) return false;
      throw cause;
    }
  }
}

/** Of a query without rows: its columns. */
export class ColumnCollector extends TokenConsumer {
  columns: WireColumn[] = [];

  protected prepare(columns: WireColumn[]): void {
    this.columns = columns;
  }

  protected takeRows(): boolean {
    throw new Error('a query without rows has some');
  }
}
