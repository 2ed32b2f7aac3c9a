import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { ConnectorContext, ControlTotals, Snapshot, TableName, TableRequest } from '../connector.ts';
import type { DeltaSharingConfig } from './config.ts';
import { nameOf, type SharedFile, type SharedTable, SharingServer, type TableMetadata } from './sharing.ts';

/** A table at one version, which never changes. */
export interface PinnedTable {
  table: SharedTable;
  version: number;
  metadata: TableMetadata;
  files: SharedFile[];
}

/** Pins each table's current version when it is first asked for. */
export class DeltaSharingSnapshot implements Snapshot {
  readonly guarantee = 'snapshot';
  readonly openedAt = new Date();
  readonly server: SharingServer;
  private readonly signal: AbortSignal;
  private readonly pinned = new Map<string, Promise<PinnedTable>>();

  constructor(server: SharingServer, signal: AbortSignal) {
    this.server = server;
    this.signal = signal;
  }

  /** Throws TABLE_NOT_FOUND, and TYPE_UNMAPPED for a table that only a reader of Delta's own format can read. */
  pin(name: TableName): Promise<PinnedTable> {
    const table = sharedTable(name);
    const known = this.pinned.get(nameOf(table)) ?? pinTable(this.server, table);
    this.pinned.set(nameOf(table), known);
    return known;
  }

  /** Rows by the files' statistics; undefined where a file has none. */
  async controlTotals({ table }: TableRequest): Promise<ControlTotals | undefined> {
    const counts = (await this.pin(table)).files.map(({ stats }) => stats?.numRecords);
    if (!counts.every((count) => typeof count === 'number')) return undefined;
    return { rows: counts.reduce((sum, count) => sum + count, 0), sums: {} };
  }

  async assertAlive(): Promise<void> {
    if (this.signal.aborted) throw new HuitongError('CANCELLED', 'the source was closed by its owner');
  }

  async close(): Promise<void> {
    this.server.close();
  }
}

/** `share.schema` and the table's name, as `discover` shows them: neither a share nor a schema has a point in it. */
export function sharedTable({ schema = '', name }: TableName): SharedTable {
  const [share, within, ...rest] = schema.split('.');
  if (share && within && rest.length === 0) return { share, schema: within, name };
  throw new HuitongError('TABLE_NOT_FOUND', 'a shared table is named by share, schema and name', {
    at: name,
    hint: 'Write table: { schema: "share.schema", name: table }.',
  });
}

/** Asks for the shares, so that a wrong token is told before anything is planned. */
export async function openSnapshot(
  config: DeltaSharingConfig,
  context: ConnectorContext,
): Promise<DeltaSharingSnapshot> {
  const server = new SharingServer(config, context);
  try {
    await server.shares().next();
    return new DeltaSharingSnapshot(server, context.signal);
  } catch (cause) {
    server.close();
    throw isHuitongError(cause, 'TABLE_NOT_FOUND')
      ? new HuitongError('SOURCE_FAILED', 'no Delta Sharing server answers at this endpoint', { at: cause.at, cause })
      : cause;
  }
}

async function pinTable(server: SharingServer, table: SharedTable): Promise<PinnedTable> {
  const version = await server.version(table);
  const metadata = await server.metadata(table);
  return { table, version, metadata, files: await server.query(table, version) };
}
