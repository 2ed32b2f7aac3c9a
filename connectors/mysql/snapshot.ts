import type {
  ConnectorContext,
  ControlTotals,
  CursorPosition,
  ReadPlan,
  Snapshot,
  TableRequest,
} from '../connector.ts';
import { SnapshotConnection } from '../snapshot-connection.ts';
import type { MysqlConfig } from './config.ts';
import { type Connection, openConnection } from './connection.ts';
import { cursorBound } from './cursor.ts';
import { errorNumber } from './errors.ts';
import {
  type MysqlMapping,
  type MysqlPartition,
  mappingOfColumn,
  planTable,
  resolveTable,
  selectStatement,
} from './plan.ts';
import { columnNamed, findColumns, findRelation, quoteName, quoteTable } from './relation.ts';

/** The largest that a sum can be. */
const SUM_PRECISION = 65;

/**
 * One read-only transaction that plans and sums. Another connection cannot join it: whoever reads begins one of its
 * own, so that a version is one state, and the totals here may be of another moment.
 */
export class MysqlSnapshot extends SnapshotConnection<Connection> implements Snapshot {
  readonly guarantee = 'transaction';
  private opened = new Date();

  get openedAt(): Date {
    return this.opened;
  }

  plan(request: TableRequest): Promise<ReadPlan<MysqlPartition>> {
    return this.inOrder(() => planTable(this.connection, request));
  }

  /** Sums of integer and decimal columns, each with its column's number of decimals. */
  controlTotals(request: TableRequest): Promise<ControlTotals> {
    return this.inOrder(async () => {
      const { relation, columns, where } = await resolveTable(this.connection, request);
      const sums = columns.flatMap((column) => {
        const expression = sumExpression(quoteName(column.name), mappingOfColumn(column));
        return expression === undefined ? [] : [{ name: column.name, expression }];
      });
      const list = ['cast(count(*) as char) as n', ...sums.map(({ expression }, i) => `${expression} as s${i}`)];
      const [row] = await this.connection.query(selectStatement(list, relation, where), [], quoteTable(relation));
      return {
        rows: Number(row?.n),
        sums: Object.fromEntries(sums.map(({ name }, i) => [name, String(row?.[`s${i}`])])),
      };
    });
  }

  /** See `CursorReading`. */
  cursorBound(
    request: TableRequest,
    cursor: { column: string; lagSeconds: number },
  ): Promise<CursorPosition | undefined> {
    return this.inOrder(async () => {
      const relation = await findRelation(this.connection, request.table);
      const columns = (await findColumns(this.connection, relation.schema, relation.name)).get(relation.name) ?? [];
      const column = columnNamed(columns, cursor.column, quoteTable(relation));
      return cursorBound(this.connection, relation, column, cursor.lagSeconds, async () => {
        await beginReading(this.connection);
        this.opened = new Date();
      });
    });
  }
}

/** Throws what `openConnection` throws. */
export async function openSnapshot(config: MysqlConfig, context: ConnectorContext): Promise<MysqlSnapshot> {
  const connection = await openConnection(config, context);
  try {
    await beginReading(connection);
    return new MysqlSnapshot(connection);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** TiDB: "READ ONLY has only noop implementation". */
const NOT_SUPPORTED = new Set([1235, 1064]);

/** What every reading connection does first; a transaction that is open ends. */
export async function beginReading(connection: Connection): Promise<void> {
  try {
    await connection.query('start transaction with consistent snapshot, read only');
  } catch (cause) {
    const number = errorNumber(cause);
    if (number === undefined || !NOT_SUPPORTED.has(number)) throw cause;
    await connection.query('start transaction with consistent snapshot');
  }
}

/** SUM of integers and decimals is exact. */
function sumExpression(column: string, mapping: MysqlMapping): string | undefined {
  const { codec, cast, precision, scale = 0 } = mapping;
  const sum = (expression: string) =>
    `cast(cast(coalesce(sum(${expression}), 0) as decimal(${SUM_PRECISION}, ${scale})) as char)`;
  switch (codec) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'year':
      return sum(column);
    case 'bits':
      return sum(`${column} + 0`);
    case 'decimal':
      return sum(cast === 'none' ? column : `cast(${column} as decimal(${precision}, ${scale}))`);
    default:
      return undefined;
  }
}
