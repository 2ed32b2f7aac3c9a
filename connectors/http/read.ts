import { atPointer } from '../../columnar/exact-json.ts';
import { HuitongError } from '../../lib/errors.ts';
import { arrowSchemaOf } from '../columns.ts';
import type { ConnectorContext, ReadPlan, ReadRequest, SourceBatch } from '../connector.ts';
import type { WholeTable } from '../define.ts';
import { type Cell, rowBatches } from '../row-batches.ts';
import { HttpApi } from './api.ts';
import { type HttpConfig, type HttpTable, tableOf } from './config.ts';
import { pagesOf } from './paging.ts';
import type { HttpColumnMapping } from './plan.ts';
import { cellOf, types } from './types.ts';

/** Throws what the web client throws, JSON_INVALID, CELL_TOO_LARGE, and RECONCILIATION_MISMATCH (see `rowsOf`). */
export async function* read(
  config: HttpConfig,
  request: ReadRequest<WholeTable>,
  context: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  const { plan, partition } = request;
  const table = tableOf(config, partition.table);
  const api = new HttpApi(config, context);
  try {
    yield* rowBatches(arrowSchemaOf(types, plan), rowsOf(api, table, plan), request, table.name, context.signal);
  } finally {
    api.close();
  }
}

/**
 * A total that stays the same from the first page to the last, and another number of records: pages overlap or leave
 * records out although nobody wrote, and no later run would be better.
 */
async function* rowsOf(api: HttpApi, table: HttpTable, plan: ReadPlan): AsyncGenerator<Cell[]> {
  const columns = plan.columns.map((column) => column.mapping as HttpColumnMapping);
  const totals = new Set<number | undefined>();
  let rows = 0;
  for await (const { records, total } of pagesOf(api, table, plan.description.query as Record<string, string>)) {
    totals.add(total);
    rows += records.length;
    for (const record of records) yield columns.map((column) => cellOf(column, atPointer(record, column.pointer)));
  }
  const [total] = totals;
  if (totals.size !== 1 || total === undefined || total === rows) return;
  throw new HuitongError('RECONCILIATION_MISMATCH', `the source announces ${total} records, its pages have ${rows}`, {
    at: table.name,
    hint: 'Ask the API’s owner for a stable order of pages; check paging in the definition.',
  });
}
