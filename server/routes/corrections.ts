/** `/v1/corrections`, `/v1/ratings` and recalls: what readers say of data, and what its provider takes back. */
import type { FastifyInstance } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import type { KeyDocument } from '../../exchange/access/lookup/key.ts';
import { type ClaimedValue, fileCorrection, openClaim } from '../../exchange/duties/corrections.ts';
import { getCase } from '../../exchange/duties/list.ts';
import { giveRating, listRatings } from '../../exchange/duties/ratings.ts';
import { listRecalls, recallVersion } from '../../exchange/duties/recalls.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { objectOf } from '../answers.ts';
import { permitted, principalOf } from '../authentication.ts';
import { startCase, tend } from '../case-workflow.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';
import { viewerOf } from '../viewer.ts';

const tags = ['更正与评价 Corrections and ratings'];
const text = { type: 'string', minLength: 1, maxLength: 2000 } as const;
const value = { type: ['string', 'number', 'boolean', 'null'] } as const;
const idParams = { type: 'object', required: ['id'], properties: { id: { type: 'string', format: 'uuid' } } } as const;
const key = {
  type: 'object',
  minProperties: 1,
  maxProperties: 32,
  additionalProperties: value,
  description: '记录主键 The row, by the contract’s key; long numbers as text.',
} as const;
const version = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const;

interface CorrectionBody {
  dataset: string;
  version: number;
  key: KeyDocument;
  item: string;
  claim: ClaimedValue;
  reason: string;
}

const correctionBody = objectOf({
  dataset: { type: 'string' },
  version: { ...version, description: '有误的版本 The version that is wrong.' },
  key,
  item: { type: 'string' },
  claim: { ...value, description: '应为 What the item should be; sealed for the provider.' },
  reason: { ...text, description: '依据 Why; shown to both departments. Personal data belongs into the claim.' },
});

const openedClaim = objectOf({
  key,
  claim: { ...value },
  published: { type: ['string', 'null'], description: 'The item in that version, as JSON text; null: no such row.' },
});

interface RatingBody {
  dataset: string;
  version: number;
  grant?: string;
  stars: number;
  reasons: string;
}

const ratingBody = objectOf(
  {
    dataset: { type: 'string' },
    version,
    grant: { type: 'string', description: '授权 Absent: what is shared unconditionally.' },
    stars: { type: 'integer', minimum: 1, maximum: 5 },
    reasons: text,
  },
  ['grant'],
);

const listQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { dataset: { type: 'string' }, ...pageQuery },
} as const;

interface ListQuery {
  dataset?: string;
  limit?: number;
  cursor?: string;
}

export function correctionRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { access, temporal, publication } = deps;
  const { catalog } = publication;

  app.post<{ Body: CorrectionBody }>(
    '/corrections',
    {
      config: { action: 'correction.file' },
      schema: {
        summary: '提出更正 Say that one item of one row is wrong',
        description: 'Whether there is such a row is not told: that is what look-ups are for.',
        tags,
        body: correctionBody,
        response: { 201: { $ref: 'case#' } },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(access, request);
      const filed = { ...request.body, viewer, address: request.ip, sealTo: deps.quarantineKey, at: new Date() };
      const id = await fileCorrection(access, filed);
      await startCase(temporal, id);
      return reply.code(201).send(await getCase(catalog, viewer, id));
    },
  );

  app.get<{ Params: { id: string } }>(
    '/corrections/:id/claim',
    {
      config: { action: 'correction.claim' },
      schema: {
        summary: '查看更正内容 What is claimed, opened for the provider’s sharing officer; the look is logged',
        tags,
        params: idParams,
        response: { 200: openedClaim },
      },
    },
    (request, reply) => {
      reply.header('cache-control', 'no-store');
      return openClaim(access, viewerOf(access, request), request.params.id);
    },
  );

  app.post<{ Body: RatingBody }>(
    '/ratings',
    {
      config: { action: 'rating.give' },
      schema: {
        summary: '评价 Rate a version that was read, once for each grant',
        tags,
        body: ratingBody,
        response: { 201: { $ref: 'rating#' } },
      },
    },
    async (request, reply) => {
      const rating = await giveRating(publication, { ...request.body, viewer: viewerOf(access, request) });
      if (rating.case !== null) await startCase(temporal, rating.case);
      return reply.code(201).send(rating);
    },
  );

  app.get<{ Querystring: ListQuery }>(
    '/ratings',
    {
      config: { action: 'rating.read' },
      schema: {
        summary: '评价列表 Ratings that one’s department gave or was given, newest first',
        tags,
        querystring: listQuery,
        response: { 200: pageOf('rating') },
      },
    },
    (request) => listRatings(catalog, principalOf(request), request.query),
  );

  app.post<{ Params: { code: string; version: number }; Body: { reason: string } }>(
    '/datasets/:code/versions/:version/recall',
    {
      config: { action: 'version.recall' },
      schema: {
        summary: '撤回版本 Take a version back: it is served no more, and its readers must say what became of it',
        tags,
        params: { type: 'object', required: ['code', 'version'], properties: { code: { type: 'string' }, version } },
        body: objectOf({ reason: text }),
        response: { 200: { $ref: 'recall#' } },
      },
    },
    async (request) => {
      const { code, version: number } = request.params;
      await permitted(request, 'version.recall', code, () => getDataset(catalog, code));
      const viewer = viewerOf(access, request);
      const recall = await recallVersion(publication, { ...request.body, viewer, dataset: code, version: number });
      // What cannot be started now, the next pass starts: the version is recalled already.
      await tend(access, temporal).catch((err: unknown) => request.log.warn({ err }, 'cases could not be tended'));
      return recall;
    },
  );

  app.get<{ Querystring: ListQuery }>(
    '/recalls',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '撤回的版本 Recalled versions, newest first, and how far their readers are',
        tags,
        querystring: listQuery,
        response: { 200: pageOf('recall') },
      },
    },
    (request) => listRecalls(catalog, request.query),
  );
}
