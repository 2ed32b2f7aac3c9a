/** `/v1/metering` and `/v1/subjects`: what the audit log says of use, and of one person's record. */
import type { FastifyInstance } from 'fastify';
import { type MeteringDimension, meter, meteringDimensions } from '../../exchange/duties/metering.ts';
import { subjectAccess } from '../../exchange/duties/subjects.ts';
import { objectOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

interface MeteringQuerystring {
  by?: string;
  from?: string;
  to?: string;
  dataset?: string;
  department?: string;
}

const dimension = `(${meteringDimensions.join('|')})`;

export function meteringRoutes(app: FastifyInstance, { access, publication }: AppDependencies): void {
  app.get<{ Querystring: MeteringQuerystring }>(
    '/metering',
    {
      config: { action: 'metering.read' },
      schema: {
        summary: '用量 Reads, rows, bytes, look-ups and refusals, counted from the audit log',
        description: 'Of one’s own department and of its datasets; of everybody for the auditor.',
        tags: ['用量 Metering'],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            by: {
              type: 'string',
              pattern: `^${dimension}(,${dimension})*$`,
              description: `What sums are told apart by, separated by commas: ${meteringDimensions.join(', ')}. Default dataset.`,
            },
            from: { type: 'string', format: 'date', description: 'First day, Asia/Shanghai.' },
            to: { type: 'string', format: 'date', description: 'Last day.' },
            dataset: { type: 'string' },
            department: { type: 'string', description: '用数部门 Who has used it.' },
          },
        },
        response: { 200: objectOf({ items: { type: 'array', items: { $ref: 'metering#' } } }) },
      },
    },
    async (request) => {
      const { by, ...rest } = request.query;
      const asked = by === undefined ? rest : { ...rest, by: by.split(',') as MeteringDimension[] };
      return { items: await meter(publication.catalog, principalOf(request), asked) };
    },
  );

  app.post<{ Body: { id: string } }>(
    '/subjects/access',
    {
      // An answer is never kept: asking again is another look.
      config: { action: 'subject.read', replayable: false },
      schema: {
        summary: '个人信息查阅记录 Who looked at one person’s record, when and for what',
        description: 'For the citizens’ portal and the auditor. The ID is in no URL and no log; the look is logged.',
        tags: ['个人信息 Personal data'],
        body: objectOf({
          id: { type: 'string', minLength: 1, maxLength: 256, description: '证件号码 As it is a key of datasets.' },
        }),
        response: { 200: { $ref: 'subject-access#' } },
      },
    },
    (request, reply) => {
      reply.header('cache-control', 'no-store');
      return subjectAccess(access, { principal: principalOf(request), id: request.body.id });
    },
  );
}
