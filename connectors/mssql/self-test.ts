import { Decimal, Field, Int32, Schema, Utf8 } from 'apache-arrow';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { RowDecoder } from './decode.ts';
import type { RowConsumer } from './takeover.ts';

/** What the test needs of a connection. */
interface Tested {
  readonly address: string;
  queryInto(sql: string, consumer: RowConsumer): Promise<void>;
}

/** One row with a fixed type, a counted one and text; its values are known. */
const SELF_TEST_SQL = `select 20241123 as number, cast(N'汇通' as nvarchar(4)) as name, cast(-1.5 as decimal(38, 1)) as amount`;

const schema = new Schema([
  new Field('number', new Int32(), true),
  new Field('name', new Utf8(), true),
  new Field('amount', new Decimal(1, 38, 128), true),
]);
/** Reads a row that is known through the take-over. Throws DRIVER_UNSUITABLE where that does not give it. */
export async function assertRowsCanBeTaken(connection: Tested): Promise<void> {
  const columns = [
    { name: 'number', mapping: { codec: 'int', cast: 'none' }, wire: 0, typeInfo: '' },
    { name: 'name', mapping: { codec: 'nchar', cast: 'none' }, wire: 1, typeInfo: '' },
    { name: 'amount', mapping: { codec: 'decimal', cast: 'none', scale: 1 }, wire: 2, typeInfo: '' },
  ] as const;
  const decoder = new RowDecoder(schema, [...columns], { batchRowsMax: 2, batchBytesMax: 1024 }, 'the self-test');
  const unsuitable = (cause?: unknown) =>
    new HuitongError('DRIVER_UNSUITABLE', 'the rows of SQL Server cannot be taken over from this release of tedious', {
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
  if (number !== 20_241_123 || name !== '汇通' || String(amount) !== '-15') throw unsuitable();
}
