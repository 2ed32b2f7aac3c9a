import { HuitongError } from '../../lib/errors.ts';
import type { ConnectorContext, ControlTotals, Snapshot, TableRequest } from '../connector.ts';
import { HttpApi } from './api.ts';
import { type HttpConfig, tableOf } from './config.ts';
import { pagesOf } from './paging.ts';

/** An API promises no one state: pages shift while others write. What holds is that it answered when it was opened. */
export class HttpSource implements Snapshot {
  readonly guarantee = 'none';
  readonly openedAt = new Date();
  readonly config: HttpConfig;
  private readonly api: HttpApi;
  private readonly signal: AbortSignal;

  constructor(config: HttpConfig, api: HttpApi, signal: AbortSignal) {
    this.config = config;
    this.api = api;
    this.signal = signal;
  }

  /** The total that the API announces; undefined where it announces none. */
  async controlTotals({ table: name }: TableRequest): Promise<ControlTotals | undefined> {
    const table = tableOf(this.config, name);
    if (table.total === undefined) return undefined;
    for await (const { total } of pagesOf(this.api, table))
      return total === undefined ? undefined : { rows: total, sums: {} };
    return undefined;
  }

  async assertAlive(): Promise<void> {
    if (this.signal.aborted) throw new HuitongError('CANCELLED', 'the source was closed by its owner');
  }

  async close(): Promise<void> {
    this.api.close();
  }
}

/** Asks for the first page of the first table, so that what cannot be reached or entered is said before reading. */
export async function openSnapshot(config: HttpConfig, context: ConnectorContext): Promise<HttpSource> {
  const api = new HttpApi(config, context);
  try {
    await firstPage(api, config);
    return new HttpSource(config, api, context.signal);
  } catch (cause) {
    api.close();
    throw cause;
  }
}

/** How many records the first table's first page has, and what serves it. */
export async function firstPage(api: HttpApi, config: HttpConfig): Promise<{ table: string; records: number }> {
  const table = config.tables[0];
  if (table === undefined) throw new HuitongError('CONFIG_INVALID', 'no tables', { pointer: '/tables' });
  for await (const { records } of pagesOf(api, table)) return { table: table.name, records: records.length };
  return { table: table.name, records: 0 };
}
