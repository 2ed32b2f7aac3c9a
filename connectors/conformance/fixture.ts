/** What a connector's author prepares so that the conformance kit (`kit.ts`) can test it. */
import type { UnrepresentableCell } from '../../columnar/batch.ts';
import type { ErrorCode } from '../../lib/error-codes.ts';
import type { CheckStep, TableRequest } from '../connector.ts';

export interface Fixture<Config> {
  config: Config;
  /** The password in `config` or any other secret: it must be seen in no report and no error. */
  canary: string;
  /** Connections that must fail, each with the step of `check` that says so and its code. */
  failures: { name: string; config: Config; step: CheckStep['name']; code: ErrorCode }[];
  /** Some thousand rows with a unique integer column, in several partitions where the kind has them. */
  large: { request: TableRequest; rows: number; idColumn: string; partitions: number };
  /** Inserts, updates and deletes in `large` until told to stop; `stop` resolves when it has. */
  disturb(): { stop(): Promise<number> };
  /** A table without rows. */
  empty: { request: TableRequest; columns: string[] };
  /** Table and columns with capitals, blanks, quotes and Chinese in their names; one row. */
  names: { request: TableRequest; columns: string[] };
  /** As many columns as the kind allows; one row, every cell an integer equal to its column's index. */
  wide: { request: TableRequest; columns: number };
  /** One cell of exactly `cellBytesMax`, and a table with a larger one. */
  bigCell: { fits: TableRequest; tooLarge: TableRequest; column: string };
  /** Every type with null, empty, smallest, largest and special values. */
  torture: Torture;
  /** A table with columns that have no mapping. */
  unmapped: { request: TableRequest; columns: string[] };
  missing: { request: TableRequest; code: ErrorCode }[];
  /** A table or view whose reading takes minutes. */
  slow: TableRequest;
  /** How many statements the source is working on for us. */
  busyStatements(): Promise<number>;
}

export interface Torture {
  request: TableRequest;
  /** The source's own text of every cell: by column, in the order of the rows. */
  expected: Record<string, (string | null)[]>;
  /** Where Arrow must hold null and the connector must say why. */
  unrepresentable: { column: string; row: number; code: UnrepresentableCell['code'] }[];
}
