import {
  arrowSchemaOf,
  type Cell,
  type ConnectorContext,
  type ReadPlan,
  type ReadRequest,
  rowBatches,
  type SourceBatch,
  type WholeTable,
} from '../../index.ts';
import type { ExampleConfig } from './config.ts';
import type { PlacedMapping } from './plan.ts';
import { linesOf } from './relation.ts';
import { types } from './types.ts';

/** What stands for null; an empty cell is an empty text. */
const NULL = '\\N';

/** Throws CELL_TOO_LARGE, CANCELLED, and what opening the table throws. */
export function read(
  config: ExampleConfig,
  { plan, ...request }: ReadRequest<WholeTable>,
  { signal }: ConnectorContext,
): AsyncGenerator<SourceBatch> {
  return rowBatches(arrowSchemaOf(types, plan), rowsOf(config, plan), request, plan.table.name, signal);
}

async function* rowsOf(config: ExampleConfig, plan: ReadPlan): AsyncGenerator<Cell[]> {
  const places = plan.columns.map((column) => (column.mapping as PlacedMapping).place);
  let isDeclaration = true;
  for await (const line of linesOf(config, plan.table.name)) {
    const cells = line.split('\t');
    if (!isDeclaration) yield places.map((place) => cellOf(cells[place]));
    isDeclaration = false;
  }
}

/** A line that is too short has nulls at its end. */
function cellOf(text: string | undefined): Cell {
  return text === undefined || text === NULL ? null : text;
}
