/**
 * What a contract is to the rest of the system: a JSON Schema document compiled against an Arrow schema.
 *
 * The document is JSON Schema 2020-12 whose instance is a row's JSON image (docs/reference/json-image.md), with two
 * more members at the top: `version` (semantic version of the contract) and `key` (the columns that identify a row).
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import type { UnrepresentableCell } from '../columnar/batch.ts';

export interface ContractDocument {
  $schema?: string;
  $id?: string;
  version: string;
  title?: string;
  description?: string;
  key: string[];
  type: 'object';
  properties: Record<string, unknown>;
  required?: string[];
  [keyword: string]: unknown;
}

/** Why one row broke the contract. Never the offending value. */
export interface RowError {
  row: number;
  /** RFC 6901 pointer into the row's JSON image; empty for the row as a whole. */
  pointer: string;
  /** Stable: the keyword in capitals (`PATTERN`, `FORMAT_RESIDENT_ID`, `ENUM`, …) or an unrepresentable cell's code. */
  code: string;
}

export interface BatchVerdict {
  failed: number;
  /** One byte a row, 1 where the row fails; null where no row does. */
  mask: Uint8Array | null;
  /** Every error of the failing rows, by row then pointer; computed only when asked for. */
  errors(): RowError[];
}

/** How a keyword is checked; shown when a contract is compiled, so that a slow one is seen. */
export interface KeywordRoute {
  pointer: string;
  route: 'static' | 'columns' | 'rows';
  reason?: string;
}

export interface CompiledContract {
  readonly document: ContractDocument;
  /** A null in one of these fails its row as KEY_NULL. */
  readonly key: string[];
  readonly routes: KeywordRoute[];
  check(batch: RecordBatch, unrepresentable?: UnrepresentableCell[]): BatchVerdict;
}

export type CompileContract = (document: ContractDocument, schema: Schema) => CompiledContract;
