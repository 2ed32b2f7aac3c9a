/** `/v1/requests`: ask for another department's data, decide what others ask for, and see how far it is. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { recordDenial } from '../../exchange/access/access.ts';
import { createRequest } from '../../exchange/access/requests/create.ts';
import {
  getRequest,
  type ListRequests,
  listRequests,
  requestParties,
  requestsWithDuty,
} from '../../exchange/access/requests/list.ts';
import { previewRequest } from '../../exchange/access/requests/preview.ts';
import { keyedHash } from '../../exchange/audit/leaf.ts';
import { casesWithDuty } from '../../exchange/duties/list.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { requestStateNames } from '../../lib/pure/request-states.ts';
import { officerActions, type RequestAction } from '../../lib/pure/request-transitions.ts';
import { pageOf } from '../../schemas/api/index.ts';
import type { RequestDecision, RequestTerms, Words } from '../../schemas/generated/api.ts';
import { actorOf, principalOf } from '../authentication.ts';
import { announceToCases } from '../case-workflow.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';
import { announcePolicy, sendAct } from '../request-workflow.ts';

const tags = ['申请 Requests'];
const params = { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } } as const;

interface RequestParams {
  id: string;
}

interface ActBody {
  action: RequestAction;
  reason?: string;
  basis?: Words;
  decision?: RequestDecision;
  terms?: RequestTerms;
}

const actBody = {
  type: 'object',
  additionalProperties: false,
  required: ['action'],
  properties: {
    action: {
      enum: officerActions,
      description: 'What may be done in which state, by whom: docs/reference/requests.md.',
    },
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: 2000,
      description: '理由、补正要求或答复 Why; or the question, or the answer to it.',
    },
    basis: { $ref: 'words#', description: '不予共享的依据 The law or decision that a refusal cites.' },
    decision: { $ref: 'request-decision#', description: '同意的内容 What is given; {} for all as it was asked.' },
    terms: { $ref: 'request-terms#', description: '修改后的申请 The draft as it is to be.' },
  },
} as const;

export function requestRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { access, temporal, publication } = deps;
  const { catalog } = publication;
  const viewerOf = (request: Pick<FastifyRequest, 'principal'>) => {
    const principal = principalOf(request);
    return { principal, actor: actorOf(request), person: keyedHash(access.subjectKey, principal.subject) };
  };

  app.post<{ Body: RequestTerms }>(
    '/requests',
    {
      config: { action: 'request.create' },
      schema: {
        summary: '起草申请 Draft a request for another department’s data',
        tags,
        body: { $ref: 'request-terms#' },
        response: { 201: { $ref: 'request#' } },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      const { department } = viewer.principal;
      const id = await createRequest(publication, { ...viewer, terms: request.body, department });
      return reply.code(201).send(await getRequest(catalog, viewer, id));
    },
  );

  app.get<{ Querystring: ListRequests }>(
    '/requests',
    {
      config: { action: 'request.read' },
      schema: {
        summary: '申请列表 Requests, newest first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            view: {
              enum: ['made', 'received', 'due'],
              description: 'made: 本部门提出; received: 本部门收到; due: 待本部门办理, it is this department’s turn.',
            },
            state: { enum: requestStateNames },
            dataset: { type: 'string' },
            overdue: { type: 'boolean', description: '已逾期 Whether the deadline of the open duty is past.' },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('request') },
      },
    },
    (request) => listRequests(catalog, viewerOf(request), request.query),
  );

  app.get<{ Params: RequestParams }>(
    '/requests/:id',
    {
      config: { action: 'request.read' },
      schema: {
        summary: '一份申请 One request, its history, and what the caller may do now',
        tags,
        params,
        response: { 200: { $ref: 'request#' } },
      },
    },
    (request) => getRequest(catalog, viewerOf(request), request.params.id),
  );

  const preview = async (request: FastifyRequest<{ Params: RequestParams }>, decision?: RequestDecision) =>
    previewRequest(access, { viewer: viewerOf(request), request: request.params.id, decision });

  app.get<{ Params: RequestParams }>(
    '/requests/:id/preview',
    {
      config: { action: 'request.preview' },
      schema: {
        summary: '预览 What the requester would see: as decided, or else all as it was asked',
        tags,
        params,
        response: { 200: { $ref: 'request-preview#' } },
      },
    },
    (request) => preview(request),
  );

  app.post<{ Params: RequestParams; Body: RequestDecision }>(
    '/requests/:id/preview',
    {
      config: { action: 'request.preview' },
      schema: {
        summary: '预览一项决定 What the requester would see under this decision; nothing is decided',
        tags,
        params,
        body: { $ref: 'request-decision#' },
        response: { 200: { $ref: 'request-preview#' } },
      },
    },
    (request) => preview(request, request.body),
  );

  app.post<{ Params: RequestParams; Body: ActBody }>(
    '/requests/:id/actions',
    {
      config: { action: 'request.act' },
      schema: {
        summary: '办理申请 Act on a request',
        description: 'Answered when the step is in the catalog and its leaf is with the audit log’s outbox.',
        tags,
        params,
        body: actBody,
        response: { 200: { $ref: 'request#' } },
      },
    },
    async (request) => {
      const { id } = request.params;
      const viewer = viewerOf(request);
      const { principal, actor, person } = viewer;
      const parties = await requestParties(catalog, principal, id);
      const who = { id: uuidv7(), parties, person, actor, department: principal.department };
      try {
        await sendAct(temporal, id, { ...request.body, ...who });
      } catch (e: unknown) {
        if (isHuitongError(e, 'FORBIDDEN') || isHuitongError(e, 'REQUEST_RULE')) {
          const denial = { action: `request.${request.body.action}`, object: `request/${id}`, rule: e.code };
          await recordDenial(access, principal, denial);
        }
        throw e;
      }
      return getRequest(catalog, viewer, id);
    },
  );

  app.post(
    '/requests/recompute',
    {
      config: { action: 'request.recompute' },
      schema: {
        summary: '重算期限 Have every open deadline counted again: the calendar of working days has changed',
        description: 'A new policy profile does so by itself when it is applied.',
        tags,
        response: {
          202: {
            type: 'object',
            additionalProperties: false,
            required: ['requests', 'cases'],
            properties: {
              requests: { type: 'integer', description: 'How many were told.' },
              cases: { type: 'integer', description: 'And how many cases.' },
            },
          },
        },
      },
    },
    async (_request, reply) => {
      const requests = await requestsWithDuty(catalog);
      await announcePolicy(temporal, requests);
      const cases = await casesWithDuty(catalog);
      await announceToCases(temporal, cases);
      return reply.code(202).send({ requests: requests.length, cases: cases.length });
    },
  );
}
