/** `/v1/datasets/{code}/diff`: two versions compared by key, under a grant of both. */
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { openDiff } from '../../exchange/access/diff/diff.ts';
import { bytesOf, objectOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { negotiate } from '../negotiation.ts';

const version = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const;
const count = { type: 'integer', minimum: 0 } as const;
const names = { type: 'array', items: { type: 'string' } } as const;
const summary = objectOf(
  {
    dataset: { type: 'string' },
    from: version,
    to: version,
    key: names,
    added: count,
    removed: count,
    changed: count,
    unchanged: count,
    columns: { type: 'array', items: objectOf({ name: { type: 'string' }, changed: count }) },
    columnsAdded: names,
    columnsRemoved: names,
    columnsRetyped: names,
    partsRead: count,
    partsShared: count,
  },
  ['partsRead', 'partsShared'],
);
const types = [
  ['application/json', 'json'],
  ['application/vnd.apache.arrow.stream', 'arrow'],
] as const;
const { content } = bytesOf('The rows, each with what became of it.', types[1][0]);

interface DiffQuery {
  from: number;
  to?: number;
  grant?: string;
}

export function differenceRoutes(app: FastifyInstance, { access }: AppDependencies): void {
  app.get<{ Params: { code: string }; Querystring: DiffQuery }>(
    '/datasets/:code/diff',
    {
      config: { action: 'dataset.read' },
      schema: {
        summary: '版本差异 What differs between two versions, by key',
        description: [
          'JSON: how many rows were added, removed and changed, and in which columns. Arrow: the rows, behind a column',
          '_change (added, removed, changed-from, changed-to). Only what the grant shows is compared; its key must be.',
          'Answered only when the access is in the audit log.',
        ].join(' '),
        tags: ['数据 Data'],
        params: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
        querystring: {
          type: 'object',
          additionalProperties: false,
          required: ['from'],
          properties: {
            from: version,
            to: { ...version, description: 'Absent: the current version.' },
            grant: { type: 'string', description: 'Read under this grant of one’s own.' },
          },
        },
        response: {
          200: {
            description: 'The difference.',
            content: { 'application/json': { schema: summary }, ...content },
          },
        },
      },
    },
    async (request, reply) => {
      const { from, to = 'current', grant } = request.query;
      const { format } = negotiate(request.headers.accept, types);
      const opened = await openDiff(access, {
        principal: principalOf(request),
        dataset: request.params.code,
        address: request.ip,
        from,
        to,
        grant,
        format,
      });
      reply.headers({
        'x-huitong-session': opened.id,
        'x-huitong-audit-index': String(opened.opened.index),
        'cache-control': 'private, no-store',
        vary: 'accept, authorization',
      });
      if (format === 'arrow') return reply.type(opened.contentType).send(opened.stream);
      // Small, and made whole before it is answered: a failure is a problem, not a broken body.
      const whole = await text(opened.stream);
      return reply.type('application/json').send(JSON.parse(whole));
    },
  );
}
