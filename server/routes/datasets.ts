/** `/v1/datasets`: the catalog, open to every department; the data itself is in `versions.ts`. */
import type { FastifyInstance } from 'fastify';
import { getContract, listContracts } from '../../catalog/contracts.ts';
import { getDataset, type ListDatasets, listDatasets } from '../../catalog/datasets.ts';
import { getDepartment } from '../../catalog/departments.ts';
import { averageRating } from '../../exchange/duties/ratings.ts';
import { listLineage } from '../../exchange/publication/lineage.ts';
import { recalledAmong } from '../../exchange/publication/recalls.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { objectOf } from '../answers.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';
import { toRecalled } from '../resources.ts';

const tags = ['目录 Catalog'];
const datasetParams = { type: 'object', required: ['code'], properties: { code: { type: 'string' } } } as const;

interface DatasetParams {
  code: string;
}

export function datasetRoutes(app: FastifyInstance, { publication }: AppDependencies): void {
  const { catalog } = publication;

  app.get<{ Querystring: Omit<ListDatasets, 'search'> & { q?: string } }>(
    '/datasets',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '检索数据集 Search datasets',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            q: {
              type: 'string',
              maxLength: 200,
              description:
                '检索词 Words, all of which must occur: in titles, abstract, keywords, items, department, in Chinese or English.',
            },
            department: { type: 'string' },
            sharingClass: { enum: ['unconditional', 'conditional', 'not-shared'] },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('dataset-summary') },
      },
    },
    async (request) => {
      const { q, ...rest } = request.query;
      return listDatasets(catalog, { ...rest, search: q });
    },
  );

  app.get<{ Params: DatasetParams }>(
    '/datasets/:code',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '一个数据集 One dataset',
        tags,
        params: datasetParams,
        response: { 200: { $ref: 'dataset#' } },
      },
    },
    async (request) => {
      const { code } = request.params;
      const dataset = await getDataset(catalog, code);
      const { currentVersion: current } = dataset;
      const recalled = current === null ? undefined : (await recalledAmong(catalog, code, [current])).get(current);
      const { name, creditCode } = await getDepartment(catalog, dataset.department);
      return {
        ...dataset,
        provider: { name, ...(creditCode === undefined ? {} : { creditCode }) },
        recalled: toRecalled(recalled),
        rating: await averageRating(catalog, code),
      };
    },
  );

  app.get<{ Params: DatasetParams }>(
    '/datasets/:code/contracts',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '数据契约的各版本 Contracts of a dataset, newest first',
        tags,
        params: datasetParams,
        response: { 200: pageOf('contract') },
      },
    },
    async (request) => ({ items: await listContracts(catalog, request.params.code) }),
  );

  app.get<{ Params: DatasetParams & { version: string } }>(
    '/datasets/:code/contracts/:version',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '一个数据契约 One contract',
        tags,
        params: {
          type: 'object',
          required: ['code', 'version'],
          properties: { code: { type: 'string' }, version: { type: 'string' } },
        },
        response: { 200: { $ref: 'contract#' } },
      },
    },
    (request) => getContract(catalog, request.params.code, request.params.version),
  );

  app.get<{ Params: DatasetParams }>(
    '/datasets/:code/lineage',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '数据血缘 From which source column each item comes',
        tags,
        params: datasetParams,
        response: { 200: objectOf({ edges: { type: 'array', items: lineageEdge } }) },
      },
    },
    async (request) => {
      await getDataset(catalog, request.params.code);
      return { edges: await listLineage(publication, request.params.code) };
    },
  );
}

const lineageEdge = objectOf({
  item: { type: 'string' },
  source: { type: 'string' },
  sourceTable: { type: 'string' },
  sourceColumn: { type: 'string' },
  sinceVersion: { type: 'integer' },
  untilVersion: { type: ['integer', 'null'], description: 'The first version without this edge; null while it holds.' },
});
