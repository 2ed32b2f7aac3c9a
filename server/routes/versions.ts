/** `/v1/datasets/{code}/versions`, `/v1/datasets/{code}/data`: versions, and the one way to their data. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { openObject } from '../../exchange/access/objects.ts';
import { type Format, prepareRead } from '../../exchange/access/read.ts';
import { recalledAmong } from '../../exchange/publication/recalls.ts';
import { listVersions, resolveVersion } from '../../exchange/publication/versions.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { bytesOf, documentOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { dataTypes, negotiate } from '../negotiation.ts';
import { pageQuery } from '../page-query.ts';
import { toVersionResource } from '../resources.ts';
import { sendBytes, sendRead } from '../send-read.ts';

const tags = ['数据 Data'];
const version = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const;
const ofDataset = { type: 'object', required: ['code'], properties: { code: { type: 'string' } } } as const;
const ofVersion = {
  type: 'object',
  required: ['code', 'version'],
  properties: { code: { type: 'string' }, version },
} as const;
const dataQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    columns: { type: 'string', minLength: 1, description: 'Names separated by commas, in the order wanted.' },
    format: {
      enum: ['arrow', 'parquet', 'csv', 'csv-bom', 'json-lines'],
      description: 'Instead of Accept, for a browser.',
    },
    grant: { type: 'string', description: 'Read under this grant of one’s own; absent: under the best of them.' },
  },
} as const;
const dataDescription = [
  'Accept: application/vnd.apache.arrow.stream (default), application/vnd.apache.parquet, text/csv,',
  'application/x-ndjson. Arrow and Parquet have a known length and can be read in ranges; every format has an entity',
  'tag.',
  'Answered only when the access is in the audit log.',
].join(' ');

const dataAnswers = {
  200: bytesOf('All of it.', ...dataTypes.map(([type]) => type)),
  206: bytesOf('A range of it.', 'application/vnd.apache.arrow.stream', 'application/vnd.apache.parquet'),
  304: { description: 'The caller has it.', type: 'null' },
};
const storedDescription = 'For offline verification (`huitong version verify`); needs a grant of all columns.';

interface VersionParams {
  code: string;
  version: number;
}

interface DataQuery {
  columns?: string;
  format?: Format;
  grant?: string;
}

export function versionRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { publication, access } = deps;

  app.get<{ Params: { code: string }; Querystring: { limit?: number; cursor?: string } }>(
    '/datasets/:code/versions',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '版本列表 Versions, newest first',
        tags,
        params: ofDataset,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { ...pageQuery },
        },
        response: { 200: pageOf('version') },
      },
    },
    async (request) => {
      const { code } = request.params;
      const dataset = await getDataset(publication.catalog, code);
      const owner = principalOf(request).department === dataset.department;
      const page = await listVersions(publication, { ...request.query, dataset: code });
      const numbers = page.items.map(({ number }) => number);
      const recalled = await recalledAmong(publication.catalog, code, numbers);
      const items = page.items.map((item) =>
        toVersionResource(item, dataset, { recalled: recalled.get(item.number), owner }),
      );
      return { ...page, items };
    },
  );

  app.get<{ Params: VersionParams }>(
    '/datasets/:code/versions/:version',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '一个版本 One version',
        tags,
        params: ofVersion,
        response: { 200: { $ref: 'version#' } },
      },
    },
    async (request) => {
      const { code, version: number } = request.params;
      const dataset = await getDataset(publication.catalog, code);
      const owner = principalOf(request).department === dataset.department;
      const found = await resolveVersion(publication, code, number);
      const recalled = await recalledAmong(publication.catalog, code, [number]);
      return toVersionResource(found, dataset, { recalled: recalled.get(number), owner });
    },
  );

  const read = async (
    request: FastifyRequest<{ Params: { code: string }; Querystring: DataQuery }>,
    reply: FastifyReply,
    which: 'current' | number,
  ) => {
    const { columns, format: named } = request.query;
    const wanted = named === undefined ? negotiate(request.headers.accept, dataTypes) : { format: named };
    const prepared = await prepareRead(access, {
      principal: principalOf(request),
      dataset: request.params.code,
      version: which,
      columns: columns?.split(','),
      grant: request.query.grant,
      address: request.ip,
      format: wanted.format,
    });
    // JSON lines have two names; the caller gets back the one that it used.
    const contentType = wanted.format === 'json-lines' && 'type' in wanted ? wanted.type : prepared.contentType;
    return sendRead(request, reply, { ...prepared, contentType });
  };

  app.route<{ Params: { code: string }; Querystring: DataQuery }>({
    method: ['GET', 'HEAD'],
    url: '/datasets/:code/data',
    config: { action: 'dataset.read' },
    schema: {
      summary: '读取现行版本 The data of the current version',
      description: dataDescription,
      tags,
      params: ofDataset,
      querystring: dataQuery,
      response: dataAnswers,
    },
    handler: (request, reply) => read(request, reply, 'current'),
  });

  app.route<{ Params: VersionParams; Querystring: DataQuery }>({
    method: ['GET', 'HEAD'],
    url: '/datasets/:code/versions/:version/data',
    config: { action: 'dataset.read' },
    schema: {
      summary: '读取某一版本 The data of one version',
      description: dataDescription,
      tags,
      params: ofVersion,
      querystring: dataQuery,
      response: dataAnswers,
    },
    handler: (request, reply) => read(request, reply, request.params.version),
  });

  const sendObject = async (request: FastifyRequest, reply: FastifyReply, params: VersionParams, part?: string) => {
    const principal = principalOf(request);
    const opened = await openObject(access, {
      principal,
      dataset: params.code,
      version: params.version,
      part,
      address: request.ip,
    });
    reply
      .type(part === undefined ? 'application/json' : 'application/vnd.apache.arrow.file')
      .headers({ 'content-length': opened.sizeBytes, etag: `"${opened.digest}"`, 'x-content-sha256': opened.digest });
    return sendBytes(reply, opened.stream);
  };

  app.get<{ Params: VersionParams }>(
    '/datasets/:code/versions/:version/manifest',
    {
      config: { action: 'dataset.read' },
      schema: {
        summary: '版本清单 The manifest of a version, as stored',
        description: storedDescription,
        tags,
        params: ofVersion,
        response: { 200: documentOf('schemas/document/manifest.json') },
      },
    },
    (request, reply) => sendObject(request, reply, request.params),
  );

  app.get<{ Params: VersionParams & { digest: string } }>(
    '/datasets/:code/versions/:version/parts/:digest',
    {
      config: { action: 'dataset.read' },
      schema: {
        summary: '一个分片 One part of a version, as stored',
        description: storedDescription,
        tags,
        params: {
          ...ofVersion,
          required: ['code', 'version', 'digest'],
          properties: { ...ofVersion.properties, digest: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
        },
        response: { 200: bytesOf('An Arrow IPC file; its SHA-256 is its name.', 'application/vnd.apache.arrow.file') },
      },
    },
    (request, reply) => sendObject(request, reply, request.params, request.params.digest),
  );
}
