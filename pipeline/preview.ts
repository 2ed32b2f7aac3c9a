/**
 * A dataset as publishing would make it, tried on the first rows: which break the contract and why, what they look
 * like, how small and how fast they are. Nothing is staged, and no version is made.
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import { keyAt, keyColumns } from '../columnar/keys.ts';
import { PartWriter } from '../columnar/write.ts';
import type { SnapshotGuarantee, SourceBatch, TableRequest } from '../connectors/connector.ts';
import { compileContract } from '../contracts/compile.ts';
import type { BatchVerdict, CompiledContract, ContractDocument } from '../contracts/contract.ts';
import { cellImages } from '../contracts/image.ts';
import { groupBy } from '../lib/group-by.ts';
import { limits } from '../lib/limits.ts';
import { type OpenedSource, readSample } from './infer/sample.ts';

export interface PreviewRequest {
  request: TableRequest;
  contract: ContractDocument;
  /** Columns whose cells are shown as `***`. */
  masked: string[];
}

export interface Violation {
  /** The contract's keyword in capitals, or DUPLICATE_KEY. */
  code: string;
  /** Of the cell in its row. */
  pointer: string;
  rows: number;
}

export interface PreviewReport {
  rowsRead: number;
  rowsPublished: number;
  rowsQuarantined: number;
  /** Every row of the table was read. */
  complete: boolean;
  guarantee: SnapshotGuarantee;
  /** Most frequent first. */
  violations: Violation[];
  columns: { name: string; arrowType: string; masked: boolean }[];
  /** The first rows as JSON text, every digit kept, with what is wrong with each. */
  rows: { row: string; errors: { code: string; pointer: string }[] }[];
  /** Decoded, and as a part would store them. */
  bytesDecoded: number;
  bytesStored: number;
  /** From opening the source to the last row. */
  elapsedMs: number;
}

/** @throws CONTRACT_MISMATCH and the like, what the connector throws, UNREPRESENTABLE as publishing would */
export async function previewDataset(
  opened: OpenedSource,
  { request, contract, masked }: PreviewRequest,
): Promise<PreviewReport> {
  const startedAt = performance.now();
  let preview: Preview | undefined;
  const bounds = {
    rowsMax: limits.datasetPreviewRowsMax,
    bytesMax: limits.sampleBytesMax,
    timeMaxMs: limits.sampleTimeMaxMs,
  };
  const size = await readSample(opened, request, bounds, (schema) => {
    const made = new Preview(schema, compileContract(contract, schema), new Set(masked));
    preview = made;
    return (batch) => made.take(batch);
  });
  const { complete, guarantee, bytes: bytesDecoded } = size;
  return { ...preview!.end(), complete, guarantee, bytesDecoded, elapsedMs: Math.round(performance.now() - startedAt) };
}

class Preview {
  private readonly schema: Schema;
  private readonly contract: CompiledContract;
  private readonly masked: Set<string>;
  private readonly writer: PartWriter;
  private readonly keyPlaces: number[];
  private readonly keys = new Set<string>();
  private readonly violations = new Map<string, Violation>();
  private readonly rows: PreviewReport['rows'] = [];
  private read = 0;
  private failed = 0;

  constructor(schema: Schema, contract: CompiledContract, masked: Set<string>) {
    this.schema = schema;
    this.contract = contract;
    this.masked = masked;
    this.writer = new PartWriter(schema);
    this.writer.start();
    this.keyPlaces = keyColumns(schema, contract.key);
  }

  take({ batch, unrepresentable }: SourceBatch): void {
    const verdict = this.contract.check(batch, unrepresentable);
    const errors = groupBy(verdict.failed === 0 ? [] : verdict.errors(), (error) => error.row);
    for (const row of this.duplicates(batch, verdict)) errors.set(row, [{ row, pointer: '', code: 'DUPLICATE_KEY' }]);
    for (const found of errors.values()) for (const { code, pointer } of found) this.count(code, pointer);
    this.failed += errors.size;
    const shown = Math.min(batch.numRows, limits.datasetPreviewShownRows - this.rows.length);
    const text = shown > 0 ? this.texter() : undefined;
    for (let row = 0; row < shown; row++) {
      const own = (errors.get(row) ?? []).map(({ code, pointer }) => ({ code, pointer }));
      this.rows.push({ row: text!(batch, row), errors: own });
    }
    this.read += batch.numRows;
    this.writer.batch(batch);
  }

  /** Rows that pass the contract and have the key of one before them. */
  private *duplicates(batch: RecordBatch, { mask }: BatchVerdict): Generator<number> {
    for (let row = 0; row < batch.numRows; row++) {
      if (mask?.[row] === 1) continue;
      const key = keyAt(batch, this.keyPlaces, row);
      if (this.keys.has(key)) yield row;
      this.keys.add(key);
    }
  }

  private count(code: string, pointer: string): void {
    const name = `${code} ${pointer}`;
    const known = this.violations.get(name) ?? { code, pointer, rows: 0 };
    this.violations.set(name, { ...known, rows: known.rows + 1 });
  }

  private texter(): (batch: RecordBatch, row: number) => string {
    const images = cellImages(this.schema);
    const { masked } = this;
    const members = this.schema.fields.map(({ name }) => ({
      name: JSON.stringify(name),
      hidden: masked.has(name),
    }));
    return (batch, row) => {
      const cells = members.map(({ name, hidden }, i) => {
        const data = batch.data.children[i]!;
        if (!data.getValid(row)) return `${name}:null`;
        return `${name}:${hidden ? '"***"' : images[i]!.text(data, row)}`;
      });
      return `{${cells.join()}}`;
    };
  }

  end(): Omit<PreviewReport, 'complete' | 'guarantee' | 'bytesDecoded' | 'elapsedMs'> {
    this.writer.end();
    return {
      rowsRead: this.read,
      rowsPublished: this.read - this.failed,
      rowsQuarantined: this.failed,
      violations: [...this.violations.values()].sort((a, b) => b.rows - a.rows),
      columns: this.schema.fields.map(({ name, type }) => ({
        name,
        arrowType: String(type),
        masked: this.masked.has(name),
      })),
      rows: this.rows,
      bytesStored: this.writer.sizeBytes,
    };
  }
}
