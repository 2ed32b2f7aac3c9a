/** `/v1/entries`: catalog entries that departments propose, and their revocation. Reviews are acts on cases (`cases.ts`). */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { departmentOf } from '../../catalog/district/district.ts';
import { datasetOfFiles } from '../../catalog/district/entry.ts';
import { fileRevocation, proposeEntry } from '../../exchange/duties/entries/file.ts';
import { entryImpact, getEntryReview } from '../../exchange/duties/entries/show.ts';
import { getCase } from '../../exchange/duties/list.ts';
import { objectOf } from '../answers.ts';
import { permitted } from '../authentication.ts';
import { startCase } from '../case-workflow.ts';
import type { AppDependencies } from '../dependencies.ts';
import { viewerOf } from '../viewer.ts';

const tags = ['目录 Catalog'];
const reason = {
  type: 'string',
  minLength: 1,
  maxLength: 2000,
  description: '理由 Why: the reviewer reads it.',
} as const;
const datasetParams = { type: 'object', required: ['code'], properties: { code: { type: 'string' } } } as const;
const files = {
  type: 'object',
  minProperties: 1,
  maxProperties: 2,
  additionalProperties: { type: 'string' },
  description:
    'datasets/<department>/<name>.yaml and, where it is new or changed, its contract’s file; by path, as text.',
} as const;

interface ProposalBody {
  files: Record<string, string>;
  reason?: string;
}

export function entryRoutes(app: FastifyInstance, { access, publication, temporal }: AppDependencies): void {
  const { catalog } = publication;
  const opened = async (request: FastifyRequest, id: string) => {
    await startCase(temporal, id);
    return getCase(catalog, viewerOf(access, request), id);
  };

  app.post<{ Body: ProposalBody }>(
    '/entries',
    {
      config: { action: 'entry.propose' },
      schema: {
        summary: '提出目录条目 Propose a new or changed entry of one’s own department',
        description: 'Checked as an apply would; nothing of it is in force before it is reviewed and published.',
        tags,
        body: objectOf({ files, reason }, ['reason']),
        response: { 201: { $ref: 'case#' } },
      },
    },
    async (request, reply) => {
      const dataset = datasetOfFiles(request.body.files);
      await permitted(request, 'entry.propose', dataset, async () => ({ department: departmentOf(dataset) }));
      const id = await proposeEntry(catalog, { ...request.body, viewer: viewerOf(access, request) });
      return reply.code(201).send(await opened(request, id));
    },
  );

  app.get<{ Params: { id: string } }>(
    '/entries/:id',
    {
      config: { action: 'entry.read' },
      schema: {
        summary: '审核内容 What publishing the entry would change; its digest is what a publication names',
        tags,
        params: { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } },
        response: { 200: { $ref: 'entry-review#' } },
      },
    },
    (request) => getEntryReview(catalog, viewerOf(access, request), request.params.id),
  );

  app.get<{ Params: { code: string } }>(
    '/datasets/:code/impact',
    {
      config: { action: 'entry.read' },
      schema: {
        summary: '撤销影响 What revoking the entry would end',
        tags,
        params: datasetParams,
        response: { 200: { $ref: 'entry-impact#' } },
      },
    },
    async (request) => {
      const { code } = request.params;
      await permitted(request, 'entry.read', code, () => getDataset(catalog, code));
      return entryImpact(catalog, code);
    },
  );

  app.post<{ Params: { code: string }; Body: { reason: string } }>(
    '/datasets/:code/revoke',
    {
      config: { action: 'entry.revoke' },
      schema: {
        summary: '申请撤销条目 Propose to revoke the entry; it stays in force until that is reviewed',
        tags,
        params: datasetParams,
        body: objectOf({ reason }),
        response: { 201: { $ref: 'case#' } },
      },
    },
    async (request, reply) => {
      const { code } = request.params;
      await permitted(request, 'entry.revoke', code, () => getDataset(catalog, code));
      const viewer = viewerOf(access, request);
      const id = await fileRevocation(catalog, { viewer, dataset: code, reason: request.body.reason });
      return reply.code(201).send(await opened(request, id));
    },
  );
}
