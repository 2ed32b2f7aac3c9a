/** JSON Schema of an HTTP source's `connection`; docs/reference/http-sources.md explains it with examples. */
import { typeNames } from './types.ts';

const text = { type: 'string', minLength: 1 };
const secret = { ...text, description: 'A reference, such as env:API_TOKEN.' };
const pointer = { type: 'string', pattern: '^(/([^/~]|~[01])*)*$', description: 'RFC 6901 pointer.' };
const texts = { type: 'object', additionalProperties: { type: 'string' } };
const pageSize = { sizeParameter: text, size: { type: 'integer', minimum: 1, maximum: 100_000 } };

/** An object with these properties and no others. */
function closed(properties: Record<string, unknown>, required: string[]): Record<string, unknown> {
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    required,
    dependentRequired: Object.hasOwn(properties, 'size') ? { size: ['sizeParameter'], sizeParameter: ['size'] } : {},
  };
}

/** One of several shapes, told apart by `kind`: `if`/`then` gives better messages than `oneOf`. */
function byKind(
  shapes: Record<string, [properties: Record<string, unknown>, required: string[]]>,
): Record<string, unknown> {
  return {
    type: 'object',
    required: ['kind'],
    properties: { kind: { enum: Object.keys(shapes) } },
    allOf: Object.entries(shapes).map(([kind, [properties, required]]) => ({
      if: { properties: { kind: { const: kind } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: closed({ kind: { const: kind }, ...properties }, ['kind', ...required]),
    })),
  };
}

const authentication = byKind({
  basic: [{ user: text, password: secret }, ['user', 'password']],
  bearer: [{ token: secret }, ['token']],
  apiKey: [{ in: { enum: ['header', 'query'] }, name: text, key: secret }, ['in', 'name', 'key']],
  oauth2: [
    { authorizationServer: text, clientId: text, clientSecret: secret, scope: text },
    ['authorizationServer', 'clientId', 'clientSecret'],
  ],
});

const paging = byKind({
  none: [{}, []],
  page: [
    { parameter: text, first: { type: 'integer', minimum: 0, default: 1 }, more: pointer, ...pageSize },
    ['parameter'],
  ],
  offset: [{ parameter: text, more: pointer, ...pageSize }, ['parameter']],
  cursor: [{ pointer, parameter: text, ...pageSize }, ['pointer', 'parameter']],
  link: [pageSize, []],
  nextUrl: [{ pointer, ...pageSize }, ['pointer']],
});

const column = {
  ...closed(
    {
      name: { ...text, maxLength: 256 },
      pointer: { ...pointer, description: 'Into the record. Default: the member of the column’s name.' },
      type: { enum: typeNames, description: 'Absent: the column is refused at planning, and named.' },
      precision: { type: 'integer', minimum: 1, maximum: 38 },
      scale: { type: 'integer', minimum: 0, maximum: 38 },
      comment: text,
    },
    ['name'],
  ),
  if: { properties: { type: { const: 'decimal' } }, required: ['type'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['precision', 'scale'] },
  else: { properties: { precision: false, scale: false } },
};

const incremental = closed(
  {
    column: text,
    after: { ...text, description: 'Query parameter: records younger than this.' },
    upTo: { ...text, description: 'Query parameter: records not younger than this.' },
    format: { enum: ['rfc3339', 'epoch-seconds', 'epoch-milliseconds'], default: 'rfc3339' },
  },
  ['column', 'after'],
);

const table = closed(
  {
    name: { ...text, maxLength: 256 },
    comment: text,
    path: { ...text, pattern: '^/', description: 'Appended to the source’s URL.' },
    method: { enum: ['GET', 'POST'], default: 'GET' },
    query: texts,
    headers: texts,
    body: { description: 'Sent as JSON with POST.' },
    records: { ...pointer, description: 'To the array of records; empty where the document is that array.' },
    paging,
    total: { ...pointer, description: 'To the number of all records, which is then checked.' },
    unique: {
      type: 'array',
      items: text,
      minItems: 1,
      uniqueItems: true,
      description: 'Columns that tell records apart.',
    },
    incremental,
    columns: { type: 'array', minItems: 1, maxItems: 1600, items: column },
  },
  ['name', 'path', 'records', 'columns'],
);

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'HTTP JSON API',
  ...closed(
    {
      url: { ...text, description: 'https://host/base: what paths of tables are appended to.' },
      headers: texts,
      authentication,
      ca: { ...text, description: 'PEM of the authority that signed the server certificate.' },
      requestsPerSecond: { type: 'number', exclusiveMinimum: 0, maximum: 1000 },
      connectTimeoutMs: { type: 'integer', minimum: 100, maximum: 600_000, default: 10_000 },
      responseTimeoutMs: { type: 'integer', minimum: 100, maximum: 3_600_000, default: 60_000 },
      responseBytesMax: { type: 'integer', minimum: 1024, maximum: 1_073_741_824, default: 67_108_864 },
      tables: { type: 'array', minItems: 1, maxItems: 1000, items: table },
    },
    ['url', 'tables'],
  ),
};
