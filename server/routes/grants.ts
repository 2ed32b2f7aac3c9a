/** `/v1/grants`: who may read what, and its end. Normally a request makes the grant. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { actorOf as leafActorOf } from '../../exchange/access/access.ts';
import {
  createGrant,
  type ExplicitGrant,
  type GrantState,
  getGrant,
  listGrants,
  resumeGrant,
  revokeGrant,
  suspendGrant,
} from '../../exchange/access/explicit-grants.ts';
import { type Action, listingLimit } from '../../exchange/access/rights.ts';
import { impactOf } from '../../exchange/access/usage.ts';
import { HuitongError } from '../../lib/errors.ts';
import { pageOf } from '../../schemas/api/index.ts';
import type { Grant } from '../../schemas/generated/api.ts';
import { documentOf, objectOf } from '../answers.ts';
import { permitted, principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

const tags = ['授权 Grants'];
const params = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } as const;
const body = documentOf('The terms: schemas/document/grant-terms.json. Masks and filters: docs/reference/policies.md.');
const impact = objectOf({
  readingNow: { type: 'integer', description: 'Downloads that go on now; a revocation ends them within 8 MiB.' },
  reads: { type: 'integer', description: 'In the last 30 days.' },
  lookups: { type: 'integer', description: 'Keys, in the last 30 days.' },
  lastUsed: { type: ['string', 'null'], description: 'The last day of any use.' },
  remaining: { type: 'array', items: { type: 'string' }, description: 'Other active grants of the same department.' },
});

interface ListQuery {
  dataset?: string;
  grantee?: string;
  state?: GrantState;
  limit?: number;
  cursor?: string;
}

type OneGrant = { Params: { id: string } };

const changes = [
  { step: 'suspend', change: suspendGrant, summary: '暂停授权 Suspend a grant: no access until it is resumed' },
  { step: 'resume', change: resumeGrant, summary: '恢复授权 Resume a suspended grant' },
  { step: 'revoke', change: revokeGrant, summary: '撤销授权 Revoke a grant, at once and for good' },
] as const;

export function grantRoutes(app: FastifyInstance, { publication, access }: AppDependencies): void {
  const { catalog } = publication;
  const grantOf = (request: FastifyRequest<OneGrant>, action: Action) =>
    permitted(request, action, request.params.id, async () =>
      partyTo(request, await getGrant(catalog, request.params.id)),
    );

  /** Only the provider's side changes a grant, and sees what that would end. */
  const providersGrant = (request: FastifyRequest<OneGrant>) =>
    permitted(request, 'grant.change', request.params.id, async () => {
      const grant = await getGrant(catalog, request.params.id);
      return { ...grant, department: grant.provider };
    });

  app.post<{ Body: Record<string, unknown> }>(
    '/grants',
    {
      config: { action: 'grant.create' },
      schema: {
        summary: '授予 Make a grant of one’s own department’s data',
        tags,
        body,
        response: { 201: { $ref: 'grant#' } },
      },
    },
    async (request, reply) => {
      const dataset = String(request.body.dataset ?? '');
      await permitted(request, 'grant.create', dataset, () => getDataset(catalog, dataset));
      const actor = leafActorOf(access, principalOf(request));
      return reply.code(201).send(toResource(await createGrant(publication, { terms: request.body, actor })));
    },
  );

  app.get<{ Querystring: ListQuery }>(
    '/grants',
    {
      config: { action: 'grant.read' },
      schema: {
        summary: '授权列表 Grants that one’s department gave or was given, newest first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            dataset: { type: 'string' },
            grantee: { type: 'string' },
            state: { enum: ['active', 'suspended', 'revoked', 'expired'] },
            limit: { type: 'integer', minimum: 1, maximum: 1000 },
            cursor: { type: 'string' },
          },
        },
        response: { 200: pageOf('grant') },
      },
    },
    async (request) => {
      const department = listingLimit(principalOf(request), 'grant.read');
      const page = await listGrants(catalog, { ...request.query, department });
      return { ...page, items: page.items.map(toResource) };
    },
  );

  app.get<OneGrant>(
    '/grants/:id',
    {
      config: { action: 'grant.read' },
      schema: { summary: '一项授权 One grant', tags, params, response: { 200: { $ref: 'grant#' } } },
    },
    async (request) => toResource(await grantOf(request, 'grant.read')),
  );

  app.get<OneGrant>(
    '/grants/:id/impact',
    {
      config: { action: 'grant.change' },
      schema: { summary: '撤销影响 What revoking it would end', tags, params, response: { 200: impact } },
    },
    async (request) => {
      const { id } = request.params;
      await providersGrant(request);
      return impactOf(catalog, { id });
    },
  );

  for (const { step, change, summary } of changes) {
    app.post<OneGrant & { Body: { reason?: string } | null }>(
      `/grants/:id/${step}`,
      {
        config: { action: 'grant.change' },
        schema: {
          summary,
          tags,
          params,
          body: {
            type: ['object', 'null'],
            additionalProperties: false,
            properties: { reason: { type: 'string', maxLength: 500, description: 'Both departments read it.' } },
          },
          response: { 200: { $ref: 'grant#' } },
        },
      },
      async (request) => {
        const { id } = request.params;
        assertNoRequest(await providersGrant(request));
        const actor = leafActorOf(access, principalOf(request));
        return toResource(await change(catalog, { id, actor, reason: request.body?.reason }));
      },
    );
  }
}

/** A grant that answers a request is changed through it, or the request would go on as if it were active. */
function assertNoRequest({ request }: ExplicitGrant): void {
  if (request === null) return;
  throw new HuitongError('GRANT_OF_REQUEST', '该授权由申请产生 · the grant answers a request', {
    at: `request/${request}`,
  });
}

/** With the department by which the caller takes part in it: the grantee's where that is the caller's, else the provider's. */
function partyTo(request: FastifyRequest<OneGrant>, grant: ExplicitGrant): ExplicitGrant & { department: string } {
  const { grantee } = grant.terms;
  return { ...grant, department: principalOf(request).department === grantee ? grantee : grant.provider };
}

function toResource(grant: ExplicitGrant): Grant {
  const { id, provider, state, terms, request, reason, createdBy } = grant;
  return {
    id,
    dataset: terms.dataset,
    grantee: terms.grantee,
    provider,
    state,
    terms: { ...terms },
    request,
    reason,
    createdBy,
    createdAt: grant.createdAt.toISOString(),
    changedAt: grant.changedAt.toISOString(),
  };
}
