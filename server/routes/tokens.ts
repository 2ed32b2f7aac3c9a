/** `/v1/tokens`: made, listed, rotated, revoked. A token's secret is in one answer only. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Catalog } from '../../catalog/database.ts';
import { getDepartment } from '../../catalog/departments.ts';
import { actorOf } from '../../exchange/access/access.ts';
import { mayEver } from '../../exchange/access/rights.ts';
import { listTokens, type MintToken, mintToken, revokeToken, rotateToken } from '../../exchange/access/tokens.ts';
import { addLeaf } from '../../exchange/publication/outbox.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { pageOf } from '../../schemas/api/index.ts';
import tokenSchema from '../../schemas/api/token.json' with { type: 'json' };
import type { Token } from '../../schemas/generated/api.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';

const tags = ['令牌 Tokens'];

interface ListQuery {
  department?: string;
  limit?: number;
  cursor?: string;
}

export function tokenRoutes(app: FastifyInstance, { publication: { catalog }, access }: AppDependencies): void {
  /** A change and its leaf, in one transaction. */
  const recorded = <T>(
    request: FastifyRequest,
    action: string,
    change: (transaction: Catalog) => Promise<{ token: Token; answer: T }>,
  ): Promise<T> =>
    catalog.transaction(async (transaction) => {
      const { token, answer } = await change(transaction);
      const detail = { department: token.department, roles: token.roles.join(' ') };
      const actor = actorOf(access, principalOf(request));
      await addLeaf(transaction, { ...actor, action, object: `token/${token.id}`, decision: 'allow', detail });
      return answer;
    });

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
            addresses: tokenSchema.properties.addresses,
          },
        },
        response: { 201: { $ref: 'token-created#' } },
      },
    },
    async (request, reply) => {
      await getDepartment(catalog, request.body.department);
      const made = await recorded(request, 'token.create', async (transaction) => {
        const created = await mintToken(transaction, request.body);
        return { token: created.token, answer: created };
      });
      return reply.code(201).header('cache-control', 'no-store').send(made);
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
      await recorded(request, 'token.revoke', async (transaction) => {
        const token = await revokeToken(transaction, request.params.id);
        return { token, answer: undefined };
      });
      return reply.code(204).send();
    },
  );

  app.post<{ Params: { id: string }; Body: { overlapSeconds?: number } }>(
    '/tokens/:id/rotate',
    {
      config: { action: 'token.rotate', replayable: false },
      schema: {
        summary: '轮换令牌 A new secret for a system’s token; the former one is accepted for a while more',
        description: 'An administrator rotates any token, everybody else the one that they call with.',
        tags,
        params: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
        body: {
          type: 'object',
          additionalProperties: false,
          properties: {
            overlapSeconds: {
              type: 'integer',
              minimum: 0,
              maximum: limits.tokenOverlapSecondsMax,
              default: limits.tokenOverlapSecondsDefault,
            },
          },
        },
        response: { 200: { $ref: 'token-created#' } },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      if (id !== principal.tokenId && !mayEver(principal, 'token.manage')) {
        throw new HuitongError('NOT_FOUND', '没有该令牌 · there is no such token');
      }
      const { overlapSeconds = limits.tokenOverlapSecondsDefault } = request.body;
      const made = await recorded(request, 'token.rotate', async (transaction) => {
        const created = await rotateToken(transaction, id, overlapSeconds);
        return { token: created.token, answer: created };
      });
      return reply.header('cache-control', 'no-store').send(made);
    },
  );
}
