/** A source of kind `files`: where its files are, and how those of each table are read. */
import { HuitongError } from '../../lib/errors.ts';
import { configChecker } from '../config.ts';

export type Format = 'csv' | 'json-lines' | 'xlsx' | 'parquet' | 'arrow';
export type Encoding = 'utf-8' | 'gb18030' | 'gbk' | 'utf-16le' | 'utf-16be';

/** `connection` of a source's definition, secrets resolved. One of `folder`, `s3` and `upload`. */
export interface FilesConfig {
  /** An absolute path below one of the worker's `sourceFolders`. */
  folder?: string;
  s3?: S3Place;
  /** Files are uploaded to the exchange; whoever opens the source puts them into a folder first (`uploads.ts`). */
  upload?: true;
  /** By table. A file that no table speaks of is a table too, under its own name and with what is usual. */
  tables?: Record<string, TableOptions>;
}

export interface S3Place {
  bucket: string;
  prefix?: string;
  region?: string;
  endpoint?: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface TableOptions {
  /** A path below the place, or a pattern with `*` (within a folder), `**` (through folders) and `?`. */
  files?: string;
  /** Default: by the file name's ending. */
  format?: Format;
  /** Default: what the byte order mark says, else UTF-8. Never guessed. */
  encoding?: Encoding;
  delimiter?: string;
  /** One character, or empty: quotes mean nothing, and lines are records. */
  quote?: string;
  /** Whether the first record names the columns. Default true. */
  header?: boolean;
  /** Names of the columns, where there is no header. */
  columns?: string[];
  /** Unquoted cells that mean null. Default: the empty cell. */
  nulls?: string[];
  /** By column: its type, as docs/reference/files.md lists them. Default: text. */
  types?: Record<string, string>;
  /** Of dates and times that are not as ISO 8601 writes them, for instance `YYYY/M/D` or `YYYY年M月D日 HH:mm`. */
  dateFormats?: string[];
  trueTexts?: string[];
  falseTexts?: string[];
  /** A name for one more column: the line (or row of the sheet) that a row begins at. */
  lineColumn?: string;
  /** A worksheet's name; default: the first that is not hidden. */
  sheet?: string;
  /** The sheet's row with the column names, counted from 1. Default 1. */
  headerRow?: number;
  /** Cells that are read, for instance `B3:H200`; default: all. Its first row names the columns. */
  range?: string;
}

const text = { type: 'string', minLength: 1 };
const texts = { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 100 } };

const tableSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    files: { ...text, description: 'Path below the place, or a pattern with *, ** and ?. Default: the table’s name.' },
    format: { enum: ['csv', 'json-lines', 'xlsx', 'parquet', 'arrow'], description: 'Default: by the ending.' },
    encoding: { enum: ['utf-8', 'gb18030', 'gbk', 'utf-16le', 'utf-16be'], description: 'Default: mark, or UTF-8.' },
    delimiter: { type: 'string', pattern: '^[\\x01-\\x09\\x0B\\x0C\\x0E-\\x7F]$', default: ',' },
    quote: { type: 'string', pattern: '^[\\x01-\\x09\\x0B\\x0C\\x0E-\\x7F]?$', default: '"' },
    header: { type: 'boolean', default: true },
    columns: { type: 'array', minItems: 1, maxItems: 1600, uniqueItems: true, items: text },
    nulls: { ...texts, default: [''] },
    types: { type: 'object', additionalProperties: text },
    dateFormats: { ...texts, items: text },
    trueTexts: { ...texts, items: text },
    falseTexts: { ...texts, items: text },
    lineColumn: text,
    sheet: text,
    headerRow: { type: 'integer', minimum: 1, maximum: 1048576, default: 1 },
    range: { type: 'string', pattern: '^[A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7}$' },
  },
};

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Files',
  type: 'object',
  additionalProperties: false,
  properties: {
    folder: { type: 'string', pattern: '^/', description: 'Absolute path below one of the worker’s sourceFolders.' },
    s3: {
      type: 'object',
      additionalProperties: false,
      required: ['bucket', 'accessKeyId', 'secretAccessKey'],
      properties: {
        bucket: text,
        prefix: text,
        region: { ...text, default: 'us-east-1' },
        endpoint: { type: 'string', pattern: '^https?://', description: 'Of a service that is not Amazon’s.' },
        accessKeyId: { ...text, description: 'A reference, such as env:FILES_KEY.' },
        secretAccessKey: { ...text, description: 'A reference, such as env:FILES_SECRET.' },
      },
    },
    upload: { const: true, description: 'Files are uploaded to the exchange: `source upload`.' },
    tables: { type: 'object', maxProperties: 10_000, additionalProperties: tableSchema },
  },
  oneOf: [{ required: ['folder'] }, { required: ['s3'] }, { required: ['upload'] }],
};

/** Throws CONFIG_INVALID with a pointer to each mistake. */
export const checkConfig = configChecker<FilesConfig>(configSchema, 'a source of files');

const endings: Record<string, Format> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  jsonl: 'json-lines',
  ndjson: 'json-lines',
  xlsx: 'xlsx',
  parquet: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  feather: 'arrow',
};

/** Undefined where nothing tells it. */
export function formatOf(path: string, options: TableOptions): Format | undefined {
  return options.format ?? endings[endingOf(path)];
}

export function endingOf(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
}

/** What is told of a table; one that is not named in the configuration is a file of that name. */
export function tableOptions(config: FilesConfig, name: string): TableOptions & { files: string } {
  const options = config.tables !== undefined && Object.hasOwn(config.tables, name) ? config.tables[name] : undefined;
  const { files = name, ...rest } = options ?? {};
  if (options === undefined && /[*?]/.test(name)) {
    throw new HuitongError('TABLE_NOT_FOUND', 'a pattern is given under `tables`, not as a table’s name', { at: name });
  }
  return { files, ...rest };
}
