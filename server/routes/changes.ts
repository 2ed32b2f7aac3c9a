/** `/v1/datasets/{code}/changes`: what has changed since a version that the caller has. */
import type { FastifyInstance } from 'fastify';
import { openChanges } from '../../exchange/access/diff/changes.ts';
import { bytesOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { negotiate } from '../negotiation.ts';

const types = [
  ['application/vnd.apache.arrow.stream', 'arrow'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'json-lines'],
  ['application/jsonl', 'json-lines'],
] as const;
const version = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const;

interface ChangesQuery {
  since: number;
  until?: number;
  grant?: string;
}

export function changesRoutes(app: FastifyInstance, { access }: AppDependencies): void {
  app.get<{ Params: { code: string }; Querystring: ChangesQuery }>(
    '/datasets/:code/changes',
    {
      config: { action: 'dataset.read' },
      schema: {
        summary: '增量读取 What has changed since a version that one has',
        description: [
          'Rows behind a column _change: insert, delete, update_preimage followed by its update_postimage. Net, as the',
          'grant shows them, by the contract’s key, which must be given. x-huitong-version names the version that the',
          'caller has after them: the next `since`. No rows where nothing changed. CHANGES_UNAVAILABLE: read in bulk.',
          'Answered only when the access is in the audit log.',
        ].join(' '),
        tags: ['数据 Data'],
        params: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
        querystring: {
          type: 'object',
          additionalProperties: false,
          required: ['since'],
          properties: {
            since: version,
            until: { ...version, description: 'Absent: the current version.' },
            grant: { type: 'string', description: 'Read under this grant of one’s own; name the same each time.' },
          },
        },
        response: { 200: bytesOf('The changed rows.', ...types.map(([type]) => type)) },
      },
    },
    async (request, reply) => {
      const { since, until = 'current', grant } = request.query;
      const { type, format } = negotiate(request.headers.accept, types);
      const opened = await openChanges(access, {
        principal: principalOf(request),
        dataset: request.params.code,
        address: request.ip,
        since,
        until,
        grant,
        format,
      });
      // JSON lines have two names; the caller gets back the one that it used.
      reply.type(format === 'json-lines' ? type : opened.contentType);
      reply.headers({
        'x-huitong-session': opened.id,
        'x-huitong-audit-index': String(opened.opened.index),
        'x-huitong-version': String(opened.version.number),
        'x-huitong-grant': opened.grant.id,
        'cache-control': 'private, no-store',
        vary: 'accept, authorization',
      });
      return reply.send(opened.stream);
    },
  );
}
