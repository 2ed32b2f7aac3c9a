/** `connection` of a source of kind `http`: where the API is, how to prove who asks, and what its tables are. */
import { HuitongError } from '../../lib/errors.ts';
import { configChecker } from '../config.ts';
import type { TableName } from '../connector.ts';
import { configSchema } from './schema.ts';
import type { HttpType } from './types.ts';

export interface HttpConfig {
  /** What tables' paths are appended to. */
  url: string;
  headers?: Record<string, string>;
  authentication?: Authentication;
  /** PEM of the authority that signed the server's certificate. */
  ca?: string;
  requestsPerSecond?: number;
  connectTimeoutMs?: number;
  responseTimeoutMs?: number;
  responseBytesMax?: number;
  tables: HttpTable[];
}

export type Authentication =
  | { kind: 'basic'; user: string; password: string }
  | { kind: 'bearer'; token: string }
  | { kind: 'apiKey'; in: 'header' | 'query'; name: string; key: string }
  | { kind: 'oauth2'; authorizationServer: string; clientId: string; clientSecret: string; scope?: string };

export interface HttpTable {
  name: string;
  comment?: string;
  path: string;
  method?: 'GET' | 'POST';
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: unknown;
  /** Pointer to the array of records; '' where the document itself is that array. */
  records: string;
  paging?: Paging;
  /** Pointer to the number of all records. */
  total?: string;
  /** Columns that tell records apart, as the API's owner says. */
  unique?: string[];
  incremental?: Incremental;
  columns: HttpColumn[];
}

export type Paging =
  | { kind: 'none' }
  | { kind: 'page'; parameter: string; first?: number; sizeParameter?: string; size?: number; more?: string }
  | { kind: 'offset'; parameter: string; sizeParameter?: string; size?: number; more?: string }
  | { kind: 'cursor'; pointer: string; parameter: string; sizeParameter?: string; size?: number }
  | { kind: 'link'; sizeParameter?: string; size?: number }
  | { kind: 'nextUrl'; pointer: string; sizeParameter?: string; size?: number };

/** The query parameters that bound a column, and how a time is written in them. */
export interface Incremental {
  column: string;
  after: string;
  upTo?: string;
  format?: 'rfc3339' | 'epoch-seconds' | 'epoch-milliseconds';
}

export interface HttpColumn extends Partial<HttpType> {
  name: string;
  /** Into the record; absent: the member of the column's name. */
  pointer?: string;
  comment?: string;
}

const assertSchema: (config: HttpConfig) => void = configChecker(configSchema, 'an HTTP source');

/** Throws CONFIG_INVALID: what the schema says, and what it cannot say. */
export function assertConfig(config: HttpConfig): void {
  assertSchema(config);
  const invalid = (message: string, pointer: string) => new HuitongError('CONFIG_INVALID', message, { pointer });
  for (const [url, pointer] of [
    [config.url, '/url'],
    ...(config.authentication?.kind === 'oauth2'
      ? [[config.authentication.authorizationServer, '/authentication/authorizationServer'] as const]
      : []),
  ] as const) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw invalid('not an http(s) URL', pointer);
    if (parsed.username !== '' || parsed.password !== '') throw invalid('credentials in a URL', pointer);
  }
  config.tables.forEach((table, t) => {
    const names = table.columns.map(({ name }) => name);
    if (new Set(names).size < names.length) throw invalid('two columns of one name', `/tables/${t}/columns`);
    const missing = [...(table.unique ?? []), ...(table.incremental ? [table.incremental.column] : [])].find(
      (name) => !names.includes(name),
    );
    if (missing !== undefined) throw invalid(`the table has no column ${missing}`, `/tables/${t}`);
  });
  if (new Set(config.tables.map(({ name }) => name)).size < config.tables.length) {
    throw invalid('two tables of one name', '/tables');
  }
}

/** Throws TABLE_NOT_FOUND. */
export function tableOf(config: HttpConfig, { schema, name }: TableName): HttpTable {
  const table = schema === undefined ? config.tables.find((one) => one.name === name) : undefined;
  if (table !== undefined) return table;
  throw new HuitongError('TABLE_NOT_FOUND', `the source's definition describes no table ${JSON.stringify(name)}`, {
    at: name,
    hint: 'Add it to `tables` of the source’s connection.',
  });
}

export function columnPointer({ name, pointer }: HttpColumn): string {
  return pointer ?? `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
