import type {
  ConnectorContext,
  ControlTotals,
  CursorPosition,
  Snapshot,
  SnapshotGuarantee,
  TableRequest,
} from '../connector.ts';
import type { TablePlan } from '../define.ts';
import { SnapshotConnection } from '../snapshot-connection.ts';
import type { MssqlConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { boundOf, type CursorRequest } from './cursor.ts';
import { type MssqlMapping, mappingOfColumn, planTable, resolveTable, whereOf } from './plan.ts';
import { quoteName, quoteTable } from './relation.ts';

/**
 * One connection that plans and sums. Its guarantee is the database's: `snapshot` for a database snapshot or a
 * database that is read-only, `transaction` where SNAPSHOT isolation is allowed, else `none`.
 */
export class MssqlSnapshot extends SnapshotConnection<Connection> implements Snapshot {
  readonly guarantee: SnapshotGuarantee;
  readonly openedAt = new Date();

  /** Use `openSnapshot`. */
  constructor(connection: Connection, guarantee: SnapshotGuarantee) {
    super(connection);
    this.guarantee = guarantee;
  }

  plan(request: TableRequest): Promise<TablePlan> {
    return this.inOrder(() => planTable(this.connection, request));
  }

  /** Sums of integer, decimal and money columns, each with its column's number of decimals. */
  controlTotals(request: TableRequest): Promise<ControlTotals> {
    return this.inOrder(async () => {
      const { relation, columns } = await resolveTable(this.connection, request);
      const sums = columns.flatMap((column) => {
        const expression = sumExpression(quoteName(column.name), mappingOfColumn(column));
        return expression === undefined ? [] : [{ name: column.name, expression }];
      });
      const list = [
        'cast(count_big(*) as nvarchar(20)) as n',
        ...sums.map(({ expression }, i) => `${expression} as s${i}`),
      ];
      const table = quoteTable(relation);
      const { where } = await whereOf(this.connection, relation, request);
      const condition = where === undefined ? '' : ` where ${where}`;
      const [row] = await this.connection.query(`select ${list.join(', ')} from ${table}${condition}`, [], table);
      return {
        rows: Number(row?.n),
        sums: Object.fromEntries(sums.map(({ name }, i) => [name, String(row?.[`s${i}`])])),
      };
    });
  }

  /** See `boundOf`. */
  cursorBound(request: TableRequest, cursor: CursorRequest): Promise<CursorPosition | undefined> {
    return this.inOrder(async () => {
      const { relation } = await resolveTable(this.connection, request);
      return boundOf(this.connection, relation, cursor);
    });
  }
}

/** Throws what `openConnection` throws. */
export async function openSnapshot(config: MssqlConfig, context: ConnectorContext): Promise<MssqlSnapshot> {
  const connection = await openConnection(config, context);
  try {
    const guarantee = await guaranteeOf(connection);
    await beginReading(connection, guarantee);
    return new MssqlSnapshot(connection, guarantee);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** What this database can promise: see `MssqlSnapshot`. */
export async function guaranteeOf(connection: Connection): Promise<SnapshotGuarantee> {
  const [row] = await connection.query(
    `select cast(d.snapshot_isolation_state as int) as isolation, cast(d.is_read_only as int) as is_read_only
       from sys.databases d where d.database_id = db_id()`,
  );
  if (row?.is_read_only === 1) return 'snapshot';
  return row?.isolation === 1 ? 'transaction' : 'none';
}

/** What every reading connection does first. */
export async function beginReading(connection: Connection, guarantee: SnapshotGuarantee): Promise<void> {
  if (guarantee !== 'transaction') return;
  await connection.query('set transaction isolation level snapshot');
  await connection.query('begin transaction');
}

/** SUM of an int is an int and overflows; of a decimal(38) it is exact, or an error. */
function sumExpression(column: string, mapping: MssqlMapping): string | undefined {
  const { codec, scale = 0 } = mapping;
  switch (codec) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return `cast(coalesce(sum(cast(${column} as decimal(38, 0))), 0) as nvarchar(50))`;
    case 'decimal':
    case 'money':
    case 'smallmoney':
      return `cast(coalesce(sum(cast(${column} as decimal(38, ${scale}))), 0) as nvarchar(50))`;
    default:
      return undefined;
  }
}
