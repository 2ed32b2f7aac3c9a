import type { FastifyInstance } from 'fastify';
import { getDepartment, listDepartments } from '../../catalog/departments.ts';
import { pageOf } from '../../schemas/api/index.ts';
import type { AppDependencies } from '../dependencies.ts';

const tags = ['目录 Catalog'];

/** `/v1/departments`: the registry, open to every department. */
export function departmentRoutes(app: FastifyInstance, { publication: { catalog } }: AppDependencies): void {
  app.get(
    '/departments',
    {
      config: { action: 'catalog.read' },
      schema: { summary: '部门列表 All departments', tags, response: { 200: pageOf('department') } },
    },
    async () => ({ items: await listDepartments(catalog) }),
  );

  app.get<{ Params: { code: string } }>(
    '/departments/:code',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '一个部门 One department',
        tags,
        params: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
        response: { 200: { $ref: 'department#' } },
      },
    },
    (request) => getDepartment(catalog, request.params.code),
  );
}
