/** `/v1/district`: the one door through which definitions change, for the command line and the console alike. */
import type { FastifyInstance } from 'fastify';
import { applyDistrict } from '../../catalog/district/apply.ts';
import { parseDistrictOrThrow } from '../../catalog/district/parse.ts';
import { type DistrictPlan, planDistrict, toApiPlan } from '../../catalog/district/plan.ts';
import { listSchedules } from '../../catalog/publishing.ts';
import { actorOf as leafActorOf } from '../../exchange/access/access.ts';
import { requestsWithDuty } from '../../exchange/access/requests/list.ts';
import { casesWithDuty } from '../../exchange/duties/list.ts';
import { addLeaf } from '../../exchange/publication/outbox.ts';
import { syncSchedules } from '../../exchange/publication/schedules.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { actorOf, principalOf } from '../authentication.ts';
import { announceToCases } from '../case-workflow.ts';
import type { AppDependencies } from '../dependencies.ts';
import { announcePolicy } from '../request-workflow.ts';
import { callTemporal } from '../temporal.ts';

const tags = ['目录 Catalog'];
const files = {
  type: 'object',
  description: 'The text of every definition, by its path within the district’s folder.',
  maxProperties: limits.districtFilesMax,
  additionalProperties: { type: 'string' },
} as const;

interface DistrictBody {
  files: Record<string, string>;
}

export function districtRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { access } = deps;
  const { catalog } = deps.publication;

  app.post<{ Body: DistrictBody }>(
    '/district/plan',
    {
      config: { action: 'district.plan' },
      bodyLimit: limits.districtBytesMax,
      schema: {
        summary: '比较定义与目录 What applying these definitions would change',
        tags,
        body: { type: 'object', additionalProperties: false, required: ['files'], properties: { files } },
        response: { 200: { $ref: 'plan#' } },
      },
    },
    async (request) => toApiPlan(await planDistrict(catalog, parseDistrictOrThrow(request.body.files))),
  );

  app.post<{ Body: DistrictBody & { planDigest: string } }>(
    '/district/apply',
    {
      config: { action: 'district.apply' },
      bodyLimit: limits.districtBytesMax,
      schema: {
        summary: '应用定义 Make the catalog match these definitions',
        tags,
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['files', 'planDigest'],
          properties: {
            files,
            planDigest: { type: 'string', description: 'Of the plan that was seen and agreed to.' },
          },
        },
        response: { 200: { $ref: 'plan#' } },
      },
    },
    async (request) => {
      const plan = await planDistrict(catalog, parseDistrictOrThrow(request.body.files));
      if (plan.digest !== request.body.planDigest) {
        throw new HuitongError(
          'PLAN_STALE',
          '生成计划之后目录或文件已有变化 · the catalog or the files have changed since the plan was made',
        );
      }
      await applyDistrict(catalog, plan, actorOf(request), (transaction) =>
        addLeaf(transaction, {
          ...leafActorOf(access, principalOf(request)),
          ...{ action: 'district.apply', object: `district/${plan.target.definition.code}`, decision: 'allow' },
          // No review of the exchange's: that of the folder's files is theirs who apply it (decision 0236).
          ...{ rule: 'administrator', detail: { planDigest: plan.digest, ...countsOf(plan) } },
        }),
      );
      // Also where nothing changed: what an apply before this one could not reach Temporal for is made good.
      const schedules = await listSchedules(catalog);
      await callTemporal(() => syncSchedules(deps.temporal, schedules));
      // Deadlines follow the policy of today; where it is the same, counting again changes nothing.
      await announcePolicy(deps.temporal, await requestsWithDuty(catalog));
      await announceToCases(deps.temporal, await casesWithDuty(catalog));
      return toApiPlan(plan);
    },
  );
}

function countsOf({ added, changed, removed, kept }: DistrictPlan) {
  return { added: added.length, changed: changed.length, removed: removed.length, kept: kept.length };
}
