/**
 * What a connector's author prepares so that the conformance kit (`kit.ts`) can test it: a real source, filled. What
 * the source cannot give is said in words, `{ lacks: 'a folder has no passwords' }`: the checks that need it are
 * reported as skipped with that reason, never passed in silence.
 */
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import type { CheckStep, TableRequest } from '../connector.ts';

export interface Lacking {
  /** Why, in one line. */
  lacks: string;
}

export interface Fixture<Config> {
  config: Config;
  /** The password in `config` or any other secret: it must be seen in no report, no plan, no error and no log. */
  canary: string | Lacking;
  /**
   * Connections that must fail, each with the step of `check` that says so and its code. A wrong password
   * (SOURCE_AUTH) and an unknown host (SOURCE_UNREACHABLE) are among them wherever there are passwords and hosts.
   */
  failures: { name: string; config: Config; step: CheckStep['name']; code: ErrorCode }[];
  /**
   * Some thousand rows with a unique integer column, in several partitions where the kind has them. `bare`: the source
   * knows of no keys and can sum nothing, as a file.
   */
  large: { request: TableRequest; rows: number; idColumn: string; partitions: number; bare?: true };
  /** Inserts, updates and deletes in `large` until told to stop; `stop` resolves, with their number, when it has. */
  disturb: (() => { stop(): Promise<number> }) | Lacking;
  /** A table without rows. */
  empty: { request: TableRequest; columns: string[] } | Lacking;
  /** Table and columns with capitals, blanks, quotes and Chinese in their names; one row. */
  names: { request: TableRequest; columns: string[] } | Lacking;
  /** A table whose comment, and whose column's comment, the source keeps. */
  comments: { request: TableRequest; table: string; column: string; of: string } | Lacking;
  /** As many columns as the kind allows, at most 1,600; one row, every cell an integer equal to its column's index. */
  wide: { request: TableRequest; columns: number } | Lacking;
  /** One cell of exactly `cellBytesMax`, and a table with a larger one. */
  bigCell: { fits: TableRequest; tooLarge: TableRequest; column: string } | Lacking;
  /** Every type with null, empty, smallest, largest and special values. */
  torture: Torture;
  /** A table with columns that have no mapping. */
  unmapped: { request: TableRequest; columns: string[] } | Lacking;
  missing: { request: TableRequest; code: ErrorCode }[];
  /** A table that can be read until `revoke`, and from `restore` on. */
  revoked: { request: TableRequest; revoke(): Promise<void>; restore(): Promise<void> } | Lacking;
  /** A table or view whose reading takes minutes. */
  slow: TableRequest | Lacking;
  /** How many statements the source is working on for us. */
  busyStatements: (() => Promise<number>) | Lacking;
  /**
   * A table with a column that rows arrive in the order of. `lagSeconds`: for a source that does not tell what is still
   * open, which refuses a cursor without a lag; all rows are older than that. Default 0.
   */
  cursor: { request: TableRequest; column: string; rows: number; lagSeconds?: number } | Lacking;
}

export interface Torture {
  request: TableRequest;
  /** The source's own text of every cell: by column, in the order of the rows. */
  expected: Record<string, (string | null)[]>;
  /** Where Arrow must hold null and the connector must say why. */
  unrepresentable: { column: string; row: number; code: UnrepresentableCell['code'] }[];
}

export interface Prepared<Config> {
  fixture: Fixture<Config>;
  close(): Promise<void>;
}

export function isLacking(value: unknown): value is Lacking {
  return typeof value === 'object' && value !== null && 'lacks' in value;
}
