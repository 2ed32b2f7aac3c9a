import { describedColumn } from '../columns.ts';
import type { ConnectorContext, SourceTable } from '../connector.ts';
import type { HuitongConfig } from './config.ts';
import { FarExchange } from './far.ts';
import { titlesOf } from './plan.ts';
import { beginningOf } from './snapshot.ts';
import { columnsOf, types } from './types.ts';

/**
 * The datasets that our token may read, with the columns that its grants show. The schema is in the data's first bytes,
 * so the far log has an entry for each.
 */
export async function discover(config: HuitongConfig, context: ConnectorContext): Promise<SourceTable[]> {
  const far = new FarExchange(config, context);
  try {
    const tables: SourceTable[] = [];
    for await (const { code, currentVersion } of far.datasets()) {
      if (currentVersion === null || !(await far.mayRead(code))) continue;
      tables.push(await describe(far, code, currentVersion));
    }
    return tables;
  } finally {
    far.close();
  }
}

async function describe(far: FarExchange, code: string, version: number): Promise<SourceTable> {
  const dataset = await far.dataset(code);
  const { schema } = await beginningOf(far, code, version);
  const columns = columnsOf(schema, titlesOf({ dataset })).map((column) => describedColumn(types, column));
  const isWhole = dataset.key.every((name) => columns.some((column) => column.name === name));
  const { account } = await far.version(code, version);
  return {
    name: code,
    kind: 'foreign',
    columns,
    primaryKey: isWhole ? dataset.key : [],
    uniqueKeys: isWhole ? [dataset.key] : [],
    rowsEstimate: account.rowsPublished,
    comment: dataset.title.zh,
  };
}
