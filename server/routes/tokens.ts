/** `/v1/tokens`: made, listed, revoked. A token's secret is in one answer only. */
import type { FastifyInstance } from 'fastify';
import { getDepartment } from '../../catalog/departments.ts';
import { listTokens, type MintToken, mintToken, revokeToken } from '../../exchange/access/tokens.ts';
import { pageOf } from '../../schemas/api/index.ts';
import tokenSchema from '../../schemas/api/token.json' with { type: 'json' };
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';

const tags = ['令牌 Tokens'];

interface ListQuery {
  department?: string;
  limit?: number;
  cursor?: string;
}

export function tokenRoutes(app: FastifyInstance, { publication: { catalog } }: AppDependencies): void {
  app.post<{ Body: MintToken }>(
    '/tokens',
    {
      config: { action: 'token.manage', replayable: false },
      schema: {
        summary: '签发令牌 Make a token; its secret is shown once',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['department', 'subject', 'roles'],
          properties: {
            department: { type: 'string' },
            subject: { type: 'string', minLength: 1, maxLength: 200, description: 'The person or system.' },
            roles: { ...tokenSchema.properties.roles, minItems: 1 },
            label: { type: 'string', maxLength: 200 },
            expiresAt: { type: 'string', format: 'date-time' },
          },
        },
        response: { 201: { $ref: 'token-created#' } },
      },
    },
    async (request, reply) => {
      await getDepartment(catalog, request.body.department);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send(await mintToken(catalog, request.body));
    },
  );

  app.get<{ Querystring: ListQuery }>(
    '/tokens',
    {
      config: { action: 'token.manage' },
      schema: {
        summary: '令牌列表 Tokens, newest first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            department: { type: 'string' },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('token') },
      },
    },
    async (request) => {
      return listTokens(catalog, request.query);
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/tokens/:id',
    {
      config: { action: 'token.manage' },
      schema: {
        summary: '吊销令牌 Revoke a token at once',
        tags,
        params: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
        response: { 204: { type: 'null' } },
      },
    },
    async (request, reply) => {
      await revokeToken(catalog, request.params.id);
      return reply.code(204).send();
    },
  );
}
