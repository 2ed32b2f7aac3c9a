import { Decimal, Field, Float64, Schema, Utf8 } from 'apache-arrow';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { RowDecoder } from './decode.ts';
import type { ResultReader } from './result-reader.ts';

/** What the test needs of a connection. */
interface Tested {
  readonly address: string;
  queryInto(sql: string, reader: ResultReader): Promise<void>;
}

/** One row with a fixed type, text, and a decimal; its values are known. */
const SELF_TEST_SQL = `select 2024.5e0 as number, convert(x'E6B187E9809A' using utf8mb4) as name, cast(-1.5 as decimal(38, 1)) as amount`;

const schema = new Schema([
  new Field('number', new Float64(), true),
  new Field('name', new Utf8(), true),
  new Field('amount', new Decimal(1, 38, 128), true),
]);

/** Reads a row that is known through the take-over. Throws DRIVER_UNSUITABLE where that does not give it. */
export async function assertRowsCanBeTaken(connection: Tested): Promise<void> {
  const columns = [
    { name: 'number', mapping: { codec: 'double', cast: 'none' } },
    { name: 'name', mapping: { codec: 'text', cast: 'none' } },
    { name: 'amount', mapping: { codec: 'decimal', cast: 'none', precision: 38, scale: 1 } },
  ] as const;
  const decoder = new RowDecoder(schema, [...columns], { batchRowsMax: 2, batchBytesMax: 1024 }, 'the self-test');
  const unsuitable = (cause?: unknown) =>
    new HuitongError('DRIVER_UNSUITABLE', 'the rows of MySQL cannot be taken over from this release of mysql2', {
      at: connection.address,
      cause,
    });
  try {
    await connection.queryInto(SELF_TEST_SQL, decoder);
  } catch (cause) {
    throw isHuitongError(cause, 'SCHEMA_DRIFT') ? unsuitable(cause) : cause;
  }
  const { batch } = decoder.batch();
  const row: unknown = batch.numRows === 1 ? batch.get(0)?.toJSON() : undefined;
  const { number, name, amount } = (row ?? {}) as Record<string, unknown>;
  if (number !== 2024.5 || name !== '汇通' || String(amount) !== '-15') throw unsuitable();
}
