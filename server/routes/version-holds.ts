/** `/v1/datasets/{code}/versions/{version}/hold`: a version that must not expire before a time. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { actorOf } from '../../exchange/access/access.ts';
import { holdVersion, releaseVersion } from '../../exchange/publication/version-holds.ts';
import { resolveVersion } from '../../exchange/publication/versions.ts';
import { objectOf } from '../answers.ts';
import { permitted, principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

const tags = ['数据 Data'];
const params = {
  type: 'object',
  required: ['code', 'version'],
  properties: { code: { type: 'string' }, version: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } },
} as const;
const body = objectOf({
  until: { type: 'string', format: 'date-time', description: '保留至 Not expired before.' },
  reason: { type: 'string', minLength: 1, maxLength: 2000, description: '理由 Shown to the owner’s department.' },
});

interface VersionParams {
  code: string;
  version: number;
}

export function versionHoldRoutes(app: FastifyInstance, { publication, access }: AppDependencies): void {
  /** Of a dataset of the caller's department. */
  const heldVersion = async (request: FastifyRequest<{ Params: VersionParams }>) => {
    const { code, version } = request.params;
    await permitted(request, 'version.hold', code, () => getDataset(publication.catalog, code));
    await resolveVersion(publication, code, version);
    return { dataset: code, version, by: actorOf(access, principalOf(request)) };
  };

  app.post<{ Params: VersionParams; Body: { until: string; reason: string } }>(
    '/datasets/:code/versions/:version/hold',
    {
      config: { action: 'version.hold' },
      schema: {
        summary: '保留版本 Keep a version from expiring before a time; a second time says until when anew',
        tags,
        params,
        body,
        response: { 204: { type: 'null' } },
      },
    },
    async (request, reply) => {
      const { until, reason } = request.body;
      await holdVersion(publication, { ...(await heldVersion(request)), until: new Date(until), reason });
      return reply.code(204).send();
    },
  );

  app.delete<{ Params: VersionParams }>(
    '/datasets/:code/versions/:version/hold',
    {
      config: { action: 'version.hold' },
      schema: {
        summary: '解除保留 Let its retention decide again',
        tags,
        params,
        response: { 204: { type: 'null' } },
      },
    },
    async (request, reply) => {
      await releaseVersion(publication, await heldVersion(request));
      return reply.code(204).send();
    },
  );
}
