/** `/v1/datasets/{code}/runs`, `/v1/runs`: publish, follow, cancel. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { exportQuarantine, listQuarantine } from '../../exchange/access/quarantine.ts';
import { listingLimit } from '../../exchange/access/rights.ts';
import type { Reading, Run, RunState } from '../../exchange/publication/publication.ts';
import { beginRun, getRun, hasRunning, listRuns } from '../../exchange/publication/runs.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { exchangeQueue, publishWorkflowId } from '../../workflows/messages.ts';
import { bytesOf, objectOf } from '../answers.ts';
import { actorOf, permitted, principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { negotiate, quarantineTypes } from '../negotiation.ts';
import { pageQuery } from '../page-query.ts';
import { cancelWorkflow, progressOf, type StartedWorkflow, startWorkflow, type WorkflowStart } from '../temporal.ts';

const tags = ['发布 Publication'];
const runParams = { type: 'object', required: ['run'], properties: { run: { type: 'string', format: 'uuid' } } };

interface RunParams {
  run: string;
}

interface PublishBody {
  confirm?: boolean;
  now?: boolean;
  full?: boolean;
  from?: string;
  to?: string;
}

interface ListQuery {
  dataset?: string;
  department?: string;
  state?: RunState;
  limit?: number;
  cursor?: string;
}

export function runRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { publication, temporal } = deps;

  app.post<{ Params: { code: string }; Body: PublishBody | null }>(
    '/datasets/:code/runs',
    {
      config: { action: 'dataset.publish' },
      schema: {
        summary: '发布数据集 Publish a dataset',
        tags,
        params: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
        body: {
          type: ['object', 'null'],
          additionalProperties: false,
          properties: {
            confirm: {
              type: 'boolean',
              description: 'The version may be empty, or may have lost half its rows.',
            },
            now: { type: 'boolean', description: 'Whatever the source’s windows; who asked for it stands in the log.' },
            full: { type: 'boolean', description: 'Read everything again, whatever the mode.' },
            from: { type: 'string', maxLength: 256, description: 'Of a range that is read again: rows behind it.' },
            to: { type: 'string', maxLength: 256, description: 'Of a range that is read again: up to it.' },
          },
        },
        response: { 202: { $ref: 'run#' } },
      },
    },
    async (request, reply) => {
      const { code } = request.params;
      await permitted(request, 'dataset.publish', code, () => getDataset(publication.catalog, code));
      const argument = {
        dataset: code,
        trigger: 'manual' as const,
        actor: actorOf(request),
        confirm: request.body?.confirm ?? false,
        now: request.body?.now ?? false,
        ...readingOf(request.body),
      };
      const workflowId = publishWorkflowId(code);
      const start = { type: 'publishDataset', workflowId, taskQueue: exchangeQueue, argument };
      const started = await startAfterTheLast(deps, start, code);
      // The workflow's first activity does the same; both give one row, and the caller can follow it at once.
      await beginRun(publication, { ...argument, runId: started.runId, workflowId });
      return reply.code(202).send(await getRun(publication, started.runId));
    },
  );

  app.get<{ Querystring: ListQuery }>(
    '/runs',
    {
      config: { action: 'run.read' },
      schema: {
        summary: '运行列表 Runs, newest first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            dataset: { type: 'string' },
            department: { type: 'string' },
            state: { enum: ['running', 'published', 'unchanged', 'rejected', 'failed', 'cancelled'] },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('run') },
      },
    },
    async (request) => {
      const only = listingLimit(principalOf(request), 'run.read');
      const { department = only } = request.query;
      // As for one run: those of another department look as if there were none.
      if (only !== undefined && department !== only) return { items: [] };
      return listRuns(publication, { ...request.query, department });
    },
  );

  app.get<{ Params: RunParams }>(
    '/runs/:run',
    {
      config: { action: 'run.read' },
      schema: { summary: '一次运行 One run', tags, params: runParams, response: { 200: { $ref: 'run#' } } },
    },
    async (request) => {
      const { run: id } = request.params;
      const run = await permitted(request, 'run.read', id, () => getRun(publication, id));
      if (run.state !== 'running') return run;
      return withProgress(run, await progressOf(temporal, { workflowId: run.workflowId, runId: run.id }));
    },
  );

  app.post<{ Params: RunParams; Body: { reason?: string } | null }>(
    '/runs/:run/cancel',
    {
      config: { action: 'run.cancel' },
      schema: {
        summary: '取消运行 Cancel a run',
        tags,
        params: runParams,
        body: {
          type: ['object', 'null'],
          additionalProperties: false,
          properties: { reason: { type: 'string', maxLength: 500, description: 'Kept with the run.' } },
        },
        response: { 202: { $ref: 'run#' } },
      },
    },
    async (request, reply) => {
      const { run: id } = request.params;
      const run = await permitted(request, 'run.cancel', id, () => getRun(publication, id));
      if (run.state !== 'running') {
        throw new HuitongError('RUN_ENDED', `该运行已结束（${run.state}） · the run is ${run.state} already`, {
          at: run.id,
        });
      }
      const note = { actor: actorOf(request), ...(request.body?.reason ? { reason: request.body.reason } : {}) };
      await cancelWorkflow(temporal, { workflowId: run.workflowId, runId: run.id }, note);
      return reply.code(202).send(await getRun(publication, run.id));
    },
  );

  app.get<{ Params: RunParams; Querystring: { limit?: number; cursor?: string } }>(
    '/runs/:run/quarantine',
    {
      config: { action: 'quarantine.read' },
      schema: {
        summary: '隔离区 The rows that broke the contract; for the owning department only',
        description: 'JSON pages; with Accept: text/csv or application/x-ndjson, all rows of the run.',
        tags,
        params: runParams,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { ...pageQuery },
        },
        response: { 200: quarantineAnswer },
      },
    },
    async (request, reply) => {
      const asked = { principal: principalOf(request), runId: request.params.run };
      const { format } = negotiate(request.headers.accept, quarantineTypes);
      reply.header('vary', 'accept, authorization');
      if (format === 'page') return listQuarantine(deps.access, { ...asked, ...request.query });
      const opened = await exportQuarantine(deps.access, { ...asked, format });
      return reply.type(opened.contentType).send(opened.stream);
    },
  );
}

/** The run before is told as ended a moment before its workflow has ended: whoever saw that may publish at once. */
async function startAfterTheLast(
  { publication, temporal }: AppDependencies,
  start: WorkflowStart,
  dataset: string,
): Promise<StartedWorkflow> {
  for (const deadline = Date.now() + limits.runEndWaitMs; ; await delay(limits.runEndPollMs)) {
    try {
      return await startWorkflow(temporal, start);
    } catch (e: unknown) {
      const waits = isHuitongError(e, 'RUN_IN_PROGRESS') && Date.now() < deadline;
      if (!waits || (await hasRunning(publication, dataset))) throw e;
    }
  }
}

function readingOf(body: PublishBody | null): { reading?: Reading } {
  const { confirm: _confirm, now: _now, ...reading } = body ?? {};
  return Object.keys(reading).length === 0 ? {} : { reading };
}

const quarantinedRow = objectOf({
  partition: { type: 'integer' },
  ordinal: { type: 'integer', description: 'Of the row within its partition, as it was read.' },
  key: { type: 'string', description: 'JSON text of the key columns: as text it keeps every digit.' },
  errors: { type: 'array', items: objectOf({ pointer: { type: 'string' }, code: { type: 'string' } }) },
  row: { type: 'string', description: 'JSON text of the row.' },
});
const quarantinePage = objectOf({ items: { type: 'array', items: quarantinedRow }, next: { type: 'string' } }, [
  'next',
]);
const quarantineAnswer = {
  content: {
    'application/json': { schema: quarantinePage },
    ...bytesOf('', 'text/csv', 'application/x-ndjson').content,
  },
};

/** A heartbeat's details are the worker's: only what the schema knows leaves. */
function withProgress(run: Run, progress: unknown): Run & { progress?: object } {
  return typeof progress === 'object' && progress !== null ? { ...run, progress } : run;
}
