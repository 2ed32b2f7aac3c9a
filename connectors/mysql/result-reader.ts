import { HEADER_BYTES, markers, readDefinition, type WireColumn } from './packets.ts';
import { Window } from './window.ts';

/**
 * Walks the packets of one result: how many columns, their definitions, an end of those, rows, and an end; or an error,
 * at any place. What ends it is left for the driver.
 */
export abstract class ResultReader {
  full = false;
  protected readonly window = new Window();
  /** The packet that ended the result, header included. */
  last: Buffer | undefined;
  private state: 'count' | 'definitions' | 'definitionsEnd' | 'rows' = 'count';
  private columnCount = 0;
  private readonly definitions: WireColumn[] = [];

  take(chunk: Buffer): void {
    this.window.append(chunk);
    this.decode();
  }

  /** Decodes what has arrived until it is full, or has ended, or more is needed. */
  decode(): void {
    let goesOn = true;
    while (goesOn && !this.full && this.last === undefined) goesOn = this.step();
  }

  protected abstract prepare(columns: WireColumn[]): void;

  /** Takes the rows at the window's start; false where more must arrive first. */
  protected abstract takeRows(): boolean;

  /** Whether a row is under way that only `takeRows` understands. */
  protected abstract readonly isWithinRow: boolean;

  private step(): boolean {
    const { window } = this;
    if (this.state === 'rows' && (this.isWithinRow || this.isRow())) return this.takeRows();
    const packet = this.wholePacket();
    if (packet === undefined) return false;
    const marker = packet[HEADER_BYTES];
    window.start += packet.length;
    if (marker === markers.error || (this.state === 'rows' && marker === markers.end)) {
      this.last = Buffer.from(packet);
      return false;
    }
    this.takeDescription(packet);
    return true;
  }

  private takeDescription(packet: Buffer): void {
    switch (this.state) {
      case 'count':
        // Below 251 in one byte, else in two behind a mark; no table has more.
        this.columnCount =
          packet.length > HEADER_BYTES + 1 ? packet.readUInt16LE(HEADER_BYTES + 1) : packet.readUInt8(HEADER_BYTES);
        if (this.columnCount === 0) throw new Error('a statement that should give rows gave none');
        this.state = 'definitions';
        return;
      case 'definitions':
        this.definitions.push(readDefinition(packet, packet.length));
        if (this.definitions.length === this.columnCount) this.state = 'definitionsEnd';
        return;
      case 'definitionsEnd':
        if (packet[HEADER_BYTES] !== markers.end) throw new Error('the definitions of columns have no end');
        this.state = 'rows';
        this.prepare(this.definitions);
        return;
      case 'rows':
        throw new Error('a packet among rows is none of theirs');
    }
  }

  private isRow(): boolean {
    const { window } = this;
    return window.length > HEADER_BYTES && window.bytes[window.start + HEADER_BYTES] === markers.row;
  }

  private wholePacket(): Buffer | undefined {
    const { window } = this;
    if (window.length < HEADER_BYTES) return undefined;
    const end = window.start + HEADER_BYTES + window.bytes.readUIntLE(window.start, 3);
    return end <= window.end ? window.bytes.subarray(window.start, end) : undefined;
  }
}
