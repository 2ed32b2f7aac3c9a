/**
 * The client's side of the Delta Sharing protocol (PROTOCOL.md of delta-io/delta-sharing), responses in parquet format:
 * with `responseformat=parquet` a server that would need deletion vectors or column mapping has to refuse.
 */
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { ConnectorContext } from '../connector.ts';
import { type WebAnswer, WebClient } from '../web-client.ts';
import { accessOf, type DeltaSharingConfig } from './config.ts';
import type { DeltaField } from './types.ts';

export interface SharedTable {
  share: string;
  schema: string;
  name: string;
}

export interface TableMetadata {
  fields: DeltaField[];
  partitionColumns: string[];
  /** Absent: `parquet` by the protocol. */
  description?: string;
}

export interface SharedFile {
  url: string;
  id: string;
  partitionValues: Record<string, string | null>;
  size: number;
  stats?: { numRecords?: number };
}

const FILE_BYTES_MAX = 256 * 1024 * 1024;
const PAGE_ITEMS = '500';
const CAPABILITIES = 'responseformat=parquet';

/** Close it when done. Every call throws what `WebClient.request` throws; what is not shared is TABLE_NOT_FOUND. */
export class SharingServer {
  readonly endpoint: URL;
  private readonly token: string;
  private readonly fileBytesMax: number;
  private readonly client: WebClient;

  /** Throws CONFIG_INVALID, SOURCE_AUTH. */
  constructor(config: DeltaSharingConfig, context: ConnectorContext) {
    const { endpoint, token } = accessOf(config);
    this.endpoint = endpoint;
    this.token = token;
    this.fileBytesMax = config.fileBytesMax ?? FILE_BYTES_MAX;
    const { ca, connectTimeoutMs, responseTimeoutMs } = config;
    this.client = new WebClient({ context, ca, connectTimeoutMs, responseTimeoutMs });
  }

  close(): void {
    this.client.close();
  }

  async *shares(): AsyncGenerator<string> {
    for await (const { name } of this.items<{ name: string }>(['shares'])) yield name;
  }

  tables(share: string): AsyncGenerator<SharedTable> {
    return this.items<SharedTable>(['shares', share, 'all-tables']);
  }

  async version(table: SharedTable): Promise<number> {
    const answer = await this.client.request(this.request([...pathOf(table), 'version']));
    answer.body.destroy();
    return versionOf(answer, table);
  }

  async metadata(table: SharedTable): Promise<TableMetadata> {
    const { bytes } = await this.client.bytes(this.request([...pathOf(table), 'metadata']), limits.documentBytesMax);
    return readMetadata(linesOf(bytes, table), table);
  }

  /**
   * Every file of one version, with URLs that authorise themselves for a while. A server that shares no history refuses
   * to be asked for a version: the current one is asked for first, and must be it.
   */
  async query(table: SharedTable, version: number): Promise<SharedFile[]> {
    const current = await this.queried(table, {});
    const { lines } = current.version === version ? current : await this.asOf(table, version);
    readMetadata(lines, table);
    return lines.flatMap((line) => ('file' in line ? [readFile(line.file, table)] : []));
  }

  private async asOf(table: SharedTable, version: number) {
    const lost = (cause?: unknown) =>
      new HuitongError('SNAPSHOT_LOST', `the server no longer gives version ${version}`, { at: nameOf(table), cause });
    const answered = await this.queried(table, { version }).catch((cause: unknown) => {
      throw isHuitongError(cause, 'SOURCE_FAILED') ? lost(cause) : cause;
    });
    if (answered.version !== version) throw lost();
    return answered;
  }

  private async queried(table: SharedTable, body: { version?: number }) {
    const request = this.request([...pathOf(table), 'query']);
    const headers = { ...request.headers, 'content-type': 'application/json' };
    const { bytes, answer } = await this.client.bytes(
      { ...request, method: 'POST', headers, body: JSON.stringify(body) },
      limits.documentBytesMax,
    );
    return { version: versionOf(answer, table), lines: linesOf(bytes, table) };
  }

  /** One data file, whole. No credentials go with it: its URL has its own. */
  async file({ url, size }: SharedFile): Promise<Buffer> {
    const bytesMax = this.fileBytesMax;
    if (!URL.canParse(url)) throw new HuitongError('SOURCE_FAILED', 'a file of the table has no URL');
    if (size > bytesMax) {
      throw new HuitongError('OBJECT_TOO_LARGE', `a file of ${size} bytes; fileBytesMax is ${bytesMax}`, {
        at: new URL(url).origin,
      });
    }
    const { bytes } = await this.client.bytes(
      { url: new URL(url), headers: { 'accept-encoding': 'identity' } },
      bytesMax,
    );
    if (bytes.byteLength === size) return bytes;
    throw new HuitongError(
      'SOURCE_FAILED',
      `a file has ${bytes.byteLength} bytes, and not the ${size} that were announced`,
    );
  }

  private async *items<T>(path: string[]): AsyncGenerator<T> {
    let pageToken: string | undefined;
    do {
      const query: Record<string, string> = { maxResults: PAGE_ITEMS, ...(pageToken ? { pageToken } : {}) };
      const { bytes } = await this.client.bytes(this.request(path, query), limits.documentBytesMax);
      const page = parsed(bytes.toString(), path.join('/')) as { items?: T[]; nextPageToken?: string };
      yield* page.items ?? [];
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  private request(path: string[], query: Record<string, string> = {}) {
    const url = new URL(`${this.endpoint.href.replace(/\/$/, '')}/${path.map(encodeURIComponent).join('/')}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const headers: Record<string, string> = { 'delta-sharing-capabilities': CAPABILITIES };
    return { url, headers, credentials: { authorization: `Bearer ${this.token}` } };
  }
}

export function nameOf({ share, schema, name }: SharedTable): string {
  return `${share}.${schema}.${name}`;
}

function versionOf({ headers }: WebAnswer, table: SharedTable): number {
  const version = headers['delta-table-version'];
  if (typeof version === 'string' && /^\d{1,15}$/.test(version)) return Number(version);
  throw invalid('the server names no delta-table-version', table);
}

function pathOf({ share, schema, name }: SharedTable): string[] {
  return ['shares', share, 'schemas', schema, 'tables', name];
}

type Line = Record<string, unknown>;

/** Newline-delimited JSON, one action a line. */
function linesOf(bytes: Buffer, table: SharedTable): Line[] {
  const lines = bytes
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => parsed(line, nameOf(table)) as Line);
}

function readMetadata(lines: Line[], table: SharedTable): TableMetadata {
  const at = nameOf(table);
  const protocol = lines.find((line) => 'protocol' in line)?.protocol as {
    minReaderVersion?: number;
    deltaProtocol?: unknown;
  };
  if (protocol?.deltaProtocol !== undefined || (protocol?.minReaderVersion ?? 1) > 1) {
    throw new HuitongError(
      'TYPE_UNMAPPED',
      'the table needs a reader of Delta’s own format (deletion vectors, column mapping)',
      {
        at,
        hint: 'Ask the provider to share it in parquet format: without deletion vectors and column mapping.',
      },
    );
  }
  const metadata = lines.find((line) => 'metaData' in line)?.metaData as {
    schemaString?: string;
    partitionColumns?: string[];
    description?: string;
  };
  if (typeof metadata?.schemaString !== 'string') throw invalid('the server gives no metaData', table);
  const { fields } = parsed(metadata.schemaString, at) as { fields?: DeltaField[] };
  if (!Array.isArray(fields)) throw invalid('the schema has no fields', table);
  const { partitionColumns = [], description } = metadata;
  return { fields, partitionColumns, ...(description === undefined ? {} : { description }) };
}

function readFile(line: unknown, table: SharedTable): SharedFile {
  const file = line as SharedFile & { stats?: string; deletionVectorFileId?: string; deltaSingleAction?: unknown };
  if (file.deletionVectorFileId !== undefined || file.deltaSingleAction !== undefined) {
    throw new HuitongError('TYPE_UNMAPPED', 'a file of the table has a deletion vector', {
      at: nameOf(table),
      hint: 'Ask the provider to rewrite the table without deletion vectors (REORG TABLE … APPLY (PURGE)).',
    });
  }
  if (typeof file.url !== 'string' || !Number.isSafeInteger(file.size))
    throw invalid('a file has no URL or size', table);
  const { url, id, size, partitionValues = {} } = file;
  const stats = typeof file.stats === 'string' ? (parsed(file.stats, nameOf(table)) as SharedFile['stats']) : undefined;
  return { url, id, size, partitionValues, ...(stats === undefined ? {} : { stats }) };
}

/** Names, counts and URLs: no value of the data passes here. */
function parsed(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HuitongError('SOURCE_FAILED', 'the server answered with what is not JSON', { at, cause });
  }
}

function invalid(message: string, table: SharedTable): HuitongError {
  return new HuitongError('SOURCE_FAILED', message, { at: nameOf(table) });
}
