/**
 * Messages of the log into batches of changes. The server is asked for its log by COPY, so a message comes as a cell of
 * a row; the rows that it tells are put together as COPY would have sent the table, and decoded by the same code as the
 * table itself: a change and a full read of the same row are the same bytes.
 *
 * pgoutput sends every cell in binary or every cell as text. Columns that are read as text need the second form, the
 * others the first: where a table has both, the log is asked for in both, and told twice side by side. Descriptions of
 * the table come when the server thinks fit, at different places in the two, and are no part of the pairing.
 */
import type { Schema } from 'apache-arrow';
import type { ByteSource } from '../../columnar/builders/index.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type ChangeBatch, changeOperations } from '../connector.ts';
import type { Subject } from './capture-subject.ts';
import { LENGTH_BYTES, NULL_LENGTH } from './cells.ts';
import { CopyRows } from './copy-rows.ts';
import { type BatchLimits, CopyDecoder, type DecodedColumn } from './decode.ts';
import {
  kindOf,
  type LoggedRelation,
  type LogMessage,
  messages,
  NULL_CELL,
  readBegin,
  readCommit,
  readRelation,
  readRow,
  readTruncate,
  type TupleCells,
  UNCHANGED_CELL,
} from './pgoutput.ts';
import { quoteTable } from './relation.ts';
import { COPY_DATA, type CopyConsumer, HEADER_BYTES } from './wire.ts';

export interface ChangeDecoderOptions {
  /** Of the plan, every field nullable. */
  schema: Schema;
  /** The plan's. */
  columns: DecodedColumn[];
  subject: Subject;
  key: string[];
  /** Transactions that committed before it were told before. */
  after: bigint;
  limits: BatchLimits;
}

/** A row of the table: the two forms of its message, of which the second is there where columns are read as text. */
interface LoggedRow {
  binary: LogMessage;
  text?: LogMessage;
}

/** Where a planned column's cells are found. */
interface Place {
  /** Among the logged columns. */
  column: number;
  asText: boolean;
  /** A cast to text says true and false; the log t and f. */
  isBool: boolean;
}

const FEED_BYTES = 64 * 1024;
/** A message has at most a row before and a row after. */
const MESSAGE_BYTES_MAX = 8 * limits.cellBytesMax;
const TRUE = 0x74;
/** Signature, flags and length of the header's extension, then the first row. */
const FILE_HEADER_BYTES = 19;
const TRAILER = -1;

export class ChangeDecoder implements CopyConsumer {
  full = false;
  /** Messages that the server told. */
  told = 0;
  /** Where the last transaction ended. */
  committed: bigint | undefined;
  private readonly options: ChangeDecoderOptions;
  private readonly at: string;
  private readonly decoder: CopyDecoder;
  private readonly rows = new CopyRows();
  private readonly relations = new Map<number, LoggedRelation>();
  private readonly binaries: LogMessage[] = [];
  private readonly texts: LogMessage[] = [];
  private operations: number[] = [];
  private places: Place[] | undefined;
  private keyPlaces: Place[] = [];
  private skipping = false;
  private headerSeen = false;

  constructor(options: ChangeDecoderOptions) {
    this.options = options;
    this.at = quoteTable(options.subject.relation);
    this.decoder = new CopyDecoder(options.schema, options.columns, options.limits, this.at);
  }

  /** Whether columns are read as text: the log is asked for in both forms. */
  static needsText(columns: DecodedColumn[]): boolean {
    return columns.some(({ mapping }) => mapping.cast !== 'none');
  }

  /**
   * Whether every message has come in both of its forms. A form that describes the table more often reaches the limit of
   * messages earlier, and ends whole transactions before the other.
   */
  get isPaired(): boolean {
    return this.binaries.length === 0;
  }

  take(source: ByteSource, start: number, end: number): number {
    const { bytes, view } = source;
    let at = start;
    while (!this.full && end - at >= HEADER_BYTES && bytes[at] === COPY_DATA) {
      const next = at + 1 + view.getInt32(at + 1);
      if (next > end) break;
      this.takeRow(source, at + HEADER_BYTES, next);
      if (this.rows.waitingBytes > FEED_BYTES) this.feed();
      at = next;
    }
    // What waits for its other form must outlive the bytes it lies in.
    own(this.binaries);
    own(this.texts);
    return at;
  }

  inspect(_view: DataView, _at: number, _available: number, payloadBytes: number): void {
    if (payloadBytes <= MESSAGE_BYTES_MAX) return;
    throw new HuitongError('CELL_TOO_LARGE', `a change is larger than ${MESSAGE_BYTES_MAX} bytes`, { at: this.at });
  }

  /** Rows that wait go into the batch. False where the batch is full before all of them are in it. */
  feed(): boolean {
    const { decoder, rows } = this;
    while (rows.waitingBytes > 0 && !decoder.full) rows.start = decoder.take(rows, rows.start, rows.end);
    this.full = decoder.full;
    return rows.waitingBytes === 0;
  }

  /** The changes so far: views of memory that `reset` gives up. */
  batch(): ChangeBatch {
    return { ...this.decoder.batch(), operations: Uint8Array.from(this.operations.slice(0, this.decoder.rows)) };
  }

  reset(): void {
    this.operations = this.operations.slice(this.decoder.rows);
    this.decoder.reset();
    this.feed();
  }

  /** A row of the answer: one cell, or two that belong together. */
  private takeRow({ bytes, view }: ByteSource, start: number, end: number): void {
    const at = this.headerSeen ? start : start + FILE_HEADER_BYTES;
    this.headerSeen = true;
    if (at >= end || view.getInt16(at) === TRAILER) return;
    const forms = [this.binaries, this.texts];
    let next = at + 2;
    for (let form = 0; form < view.getInt16(at); form++) {
      const length = view.getInt32(next);
      next += LENGTH_BYTES;
      if (length === NULL_LENGTH) continue;
      const message = { source: { bytes, view }, at: next, end: next + length };
      if (form === 0) this.told++;
      if (!this.takeDescription(message, form === 0)) forms[form]?.push(message);
      next += length;
    }
    this.pair(view.getInt16(at) === 2);
  }

  private pair(both: boolean): void {
    const { binaries, texts } = this;
    while (binaries.length > 0 && (!both || texts.length > 0)) {
      const binary = binaries.shift()!;
      const text = texts.shift();
      if (text !== undefined && kindOf(text) !== kindOf(binary)) {
        throw new HuitongError('SOURCE_FAILED', 'the two forms of the log do not tell the same', { at: this.at });
      }
      this.takeMessage({ binary, ...(text && { text }) });
    }
  }

  /** Descriptions of tables and types, and origins, which come whenever the server likes. */
  private takeDescription(message: LogMessage, keep: boolean): boolean {
    const kind = kindOf(message);
    if (kind === messages.relation && keep) {
      const relation = readRelation(message);
      this.relations.set(relation.id, relation);
      this.places = undefined;
    }
    return kind === messages.relation || kind === messages.type || kind === messages.origin;
  }

  private takeMessage(row: LoggedRow): void {
    switch (kindOf(row.binary)) {
      case messages.begin:
        this.skipping = readBegin(row.binary) < this.options.after;
        return;
      case messages.commit:
        this.committed = readCommit(row.binary);
        return;
      case messages.truncate:
        if (!this.skipping && readTruncate(row.binary).includes(this.options.subject.relation.oid)) this.putTruncate();
        return;
      case messages.insert:
      case messages.update:
      case messages.delete:
        if (!this.skipping) this.takeChange(row);
        return;
      default:
        throw new HuitongError('SOURCE_FAILED', 'the log has a message that is not of its protocol', { at: this.at });
    }
  }

  private takeChange({ binary, text }: LoggedRow): void {
    const { relation, before, after } = readRow(binary);
    const textual = text && readRow(text);
    const places = this.placesOf(relation);
    const told = { source: binary.source, before, after };
    const asText = { source: text?.source ?? binary.source, before: textual?.before, after: textual?.after };
    const put = (operation: number, wanted: 'before' | 'after', among: Place[]) => {
      this.rows.beginRow(places.length);
      for (const place of places) {
        const form = place.asText ? asText : told;
        const cells = among.includes(place) ? form[wanted] : undefined;
        this.putCell(form.source, cells, wanted === 'after' ? form.before : undefined, place);
      }
      this.rows.endRow();
      this.operations.push(operation);
    };
    const moved =
      after === undefined ||
      (before !== undefined && this.keyPlaces.some((place) => !sameCell(told.source, before, after, place)));
    if (moved) put(changeOperations.delete, 'before', this.keyPlaces);
    if (after === undefined) return;
    const isUpdate = !moved && kindOf(binary) === messages.update;
    put(isUpdate ? changeOperations.update : changeOperations.insert, 'after', places);
  }

  private putCell(
    source: ByteSource,
    cells: TupleCells | undefined,
    before: TupleCells | undefined,
    place: Place,
  ): void {
    let at = cells?.[place.column] ?? NULL_CELL;
    if (at === UNCHANGED_CELL) at = before?.[place.column] ?? UNCHANGED_CELL;
    if (at === UNCHANGED_CELL) {
      throw new HuitongError('CAPTURE_LOST', 'the log left out a large value that an update did not touch', {
        at: this.at,
        hint: `Publish with --full; ${this.at} needs \`replica identity full\`.`,
      });
    }
    if (at === NULL_CELL) this.rows.appendNull();
    else if (place.isBool) this.rows.appendText(source.view.getUint8(at + LENGTH_BYTES) === TRUE ? 'true' : 'false');
    else this.rows.appendCell(source, at);
  }

  private putTruncate(): void {
    this.rows.beginRow(this.options.columns.length);
    for (const _ of this.options.columns) this.rows.appendNull();
    this.rows.endRow();
    this.operations.push(changeOperations.truncate);
  }

  /** Throws SCHEMA_DRIFT where the log is of a table that is not the planned one any more. */
  private placesOf(id: number): Place[] {
    if (this.places !== undefined) return this.places;
    const { columns, key, subject } = this.options;
    const logged = this.relations.get(id);
    const drift = (what: string) =>
      new HuitongError('SCHEMA_DRIFT', `the table was changed while its changes were captured: ${what}`, {
        at: this.at,
      });
    if (logged?.id !== subject.relation.oid) throw drift('it is another one');
    if (logged.identity !== subject.identity) throw drift('its replica identity');
    this.places = columns.map(({ mapping }, i): Place => {
      const expected = subject.columns[i]!;
      const column = logged.columns.findIndex(({ name }) => name === expected.name);
      const found = logged.columns[column];
      if (found?.type !== expected.type || found.modifier !== expected.modifier) throw drift(`column ${expected.name}`);
      const asText = mapping.cast !== 'none';
      return { column, asText, isBool: asText && subject.bools.has(expected.name) };
    });
    this.keyPlaces = this.places.filter((_, i) => key.includes(columns[i]!.name));
    return this.places;
  }
}

/** Whether an update left the cell as it was; a large value that is not in the log is as it was. */
function sameCell({ bytes, view }: ByteSource, before: TupleCells, after: TupleCells, { column }: Place): boolean {
  const [was, is] = [before[column] ?? NULL_CELL, after[column] ?? NULL_CELL];
  if (is === UNCHANGED_CELL || was === is) return true;
  if (was < 0 || is < 0) return false;
  const [wasBytes, isBytes] = [was, is].map((at) => bytes.subarray(at, at + LENGTH_BYTES + view.getInt32(at)));
  return Buffer.compare(wasBytes as Uint8Array, isBytes as Uint8Array) === 0;
}

function own(waiting: LogMessage[]): void {
  for (const [i, { source, at, end }] of waiting.entries()) {
    const bytes = Buffer.from(source.bytes.subarray(at, end));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    waiting[i] = { source: { bytes, view }, at: 0, end: bytes.length };
  }
}
