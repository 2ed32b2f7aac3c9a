/** `/v1/cases`: corrections, low ratings, what became of copies, reviews of entries; `/v1/duties`: what is owed, until when. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { listSchedules } from '../../catalog/publishing.ts';
import { recordDenial } from '../../exchange/access/access.ts';
import { requireMended } from '../../exchange/duties/corrections.ts';
import { type ListDuties, listDuties } from '../../exchange/duties/duties.ts';
import { getCase, type ListCases, listCases, requireCase } from '../../exchange/duties/list.ts';
import { casePartiesOf } from '../../exchange/duties/parties.ts';
import { syncSchedules } from '../../exchange/publication/schedules.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { caseKindNames, caseStateNames } from '../../lib/pure/case-states.ts';
import { type CaseAction, officerCaseActions } from '../../lib/pure/case-transitions.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { principalOf } from '../authentication.ts';
import { sendCaseAct, tend } from '../case-workflow.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';
import { viewerOf } from '../viewer.ts';

const tags = ['事项 Cases'];
const params = { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } } as const;

type OneCase = { Params: { id: string } };

interface ActBody {
  action: CaseAction;
  reason?: string;
  version?: number;
  digest?: string;
}

const actBody = {
  type: 'object',
  additionalProperties: false,
  required: ['action'],
  properties: {
    action: {
      enum: officerCaseActions,
      description:
        'What may be done in which state, by whom: docs/reference/corrections.md; of entries: catalog-entries.md.',
    },
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: 2000,
      description: '理由、答复或处置说明 Why; answer; statement.',
    },
    version: {
      type: 'integer',
      minimum: 1,
      maximum: 2_147_483_647,
      description: '更正所在版本 In which the row is mended.',
    },
    digest: {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: '审核内容摘要 To publish an entry: the digest of the review that was seen (GET /v1/entries/{id}).',
    },
  },
} as const;

export function caseRoutes(app: FastifyInstance, { access, temporal, publication }: AppDependencies): void {
  const { catalog } = publication;

  /** What follows from an entry’s new standing, which is in force already: the next apply, and the next pass, do it too. */
  const settle = async (request: FastifyRequest): Promise<void> => {
    try {
      await syncSchedules(temporal, await listSchedules(catalog));
      await tend(access, temporal);
    } catch (err: unknown) {
      request.log.warn({ err }, 'schedules and requests could not follow an entry yet');
    }
  };

  app.get<{ Querystring: ListDuties }>(
    '/duties',
    {
      config: { action: 'duty.read' },
      schema: {
        summary: '待办事项 What is owed until when, over requests and cases, the most urgent first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            of: { enum: ['request', ...caseKindNames] },
            department: {
              type: 'string',
              description: '办理部门 Whose; others than one’s own where the role sees all.',
            },
            dataset: { type: 'string' },
            overdue: { type: 'boolean', description: '已逾期 Whether the deadline is past.' },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('duty') },
      },
    },
    (request) => listDuties(catalog, principalOf(request), request.query),
  );

  app.get<{ Querystring: ListCases }>(
    '/cases',
    {
      config: { action: 'case.read' },
      schema: {
        summary: '事项列表 Corrections, low ratings, confirmations about copies, reviews of entries; newest first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            kind: { enum: caseKindNames },
            state: { enum: caseStateNames },
            dataset: { type: 'string' },
            cause: {
              type: 'string',
              maxLength: 400,
              description: 'As in the case: recall/<dataset>/<version> and so on.',
            },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('case') },
      },
    },
    (request) => listCases(catalog, viewerOf(access, request), request.query),
  );

  app.get<OneCase>(
    '/cases/:id',
    {
      config: { action: 'case.read' },
      schema: {
        summary: '一件事项 One case, its history, and what the caller may do now',
        tags,
        params,
        response: { 200: { $ref: 'case#' } },
      },
    },
    (request) => getCase(catalog, viewerOf(access, request), request.params.id),
  );

  app.post<OneCase & { Body: ActBody }>(
    '/cases/:id/actions',
    {
      config: { action: 'case.act' },
      schema: {
        summary: '办理事项 Act on a case',
        description: 'Answered when the step is in the catalog and its leaf is with the audit log’s outbox.',
        tags,
        params,
        body: actBody,
        response: { 200: { $ref: 'case#' } },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { body } = request;
      const viewer = viewerOf(access, request);
      const { principal, actor, person } = viewer;
      const parties = casePartiesOf(principal, await requireCase(catalog, principal, id));
      const fixing = body.action === 'fix' && parties.includes('provider');
      const seen = fixing ? { shown: await requireMended(access, principal, { ...body, case: id }) } : {};
      const who = { id: uuidv7(), parties, person, actor, department: principal.department };
      try {
        await sendCaseAct(temporal, id, { ...body, ...seen, ...who });
      } catch (e: unknown) {
        if (isHuitongError(e, 'FORBIDDEN') || isHuitongError(e, 'CASE_RULE')) {
          await recordDenial(access, principal, { action: `case.${body.action}`, object: `case/${id}`, rule: e.code });
        }
        throw e;
      }
      if (body.action === 'publish' || body.action === 'revoke') await settle(request);
      return getCase(catalog, viewer, id);
    },
  );
}
