/** `/v1/sources`: the registry, and what only a department's own worker can tell of its source. */
import type { FastifyInstance } from 'fastify';
import { getSource, listSources, sourceDefinition } from '../../catalog/sources.ts';
import type { CheckReport, SourceTable } from '../../connectors/connector.ts';
import { limits } from '../../lib/limits.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { exchangeQueue, sourceQueue } from '../../workflows/messages.ts';
import { documentOf, objectOf } from '../answers.ts';
import { permitted } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { executeWorkflow } from '../temporal.ts';

const tags = ['数据源 Sources'];
const params = { type: 'object', required: ['code'], properties: { code: { type: 'string' } } } as const;

const checkStep = objectOf(
  { name: { type: 'string' }, ok: { type: 'boolean' }, code: { type: 'string' }, message: { type: 'string' } },
  ['code'],
);
const checkReport = objectOf(
  { ok: { type: 'boolean' }, steps: { type: 'array', items: checkStep }, server: { type: 'string' } },
  ['server'],
);

interface SourceParams {
  code: string;
}

export function sourceRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { catalog } = deps.publication;

  app.get<{ Querystring: { department?: string } }>(
    '/sources',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '数据源列表 All sources',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { department: { type: 'string' } },
        },
        response: { 200: pageOf('source') },
      },
    },
    async (request) => ({ items: await listSources(catalog, request.query) }),
  );

  app.get<{ Params: SourceParams }>(
    '/sources/:code',
    {
      config: { action: 'catalog.read' },
      schema: { summary: '一个数据源 One source', tags, params, response: { 200: { $ref: 'source#' } } },
    },
    (request) => getSource(catalog, request.params.code),
  );

  app.post<{ Params: SourceParams }>(
    '/sources/:code/check',
    {
      config: { action: 'source.check' },
      schema: {
        summary: '检查连接 Try the connection, step by step',
        tags,
        params,
        response: { 200: checkReport },
      },
    },
    async (request): Promise<CheckReport> => {
      const { code } = request.params;
      const source = await permitted(request, 'source.check', code, () => sourceDefinition(catalog, code));
      return askWorker(deps, 'checkSource', source, request.id);
    },
  );

  app.post<{ Params: SourceParams }>(
    '/sources/:code/discover',
    {
      config: { action: 'source.discover' },
      schema: {
        summary: '发现表和列 Tables, columns and keys of the source',
        tags,
        params,
        response: { 200: objectOf({ tables: { type: 'array', items: documentOf('A table with its columns.') } }) },
      },
    },
    async (request): Promise<{ tables: SourceTable[] }> => {
      const { code } = request.params;
      const source = await permitted(request, 'source.discover', code, () => sourceDefinition(catalog, code));
      return { tables: await askWorker(deps, 'discoverSource', source, request.id) };
    },
  );
}

type SourceDefinition = Awaited<ReturnType<typeof sourceDefinition>>;

function askWorker<T>(deps: AppDependencies, type: string, source: SourceDefinition, requestId: string): Promise<T> {
  const { code, kind, connection, department } = source;
  return executeWorkflow<T>(
    deps.temporal,
    {
      type,
      workflowId: `${type}/${code}/${requestId}`,
      taskQueue: exchangeQueue,
      argument: { source: { code, kind, connection }, queue: sourceQueue(department) },
    },
    limits.askWorkerTimeoutMs,
  );
}
