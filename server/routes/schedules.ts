/** `/v1/schedules`: when datasets publish by themselves, and which of them somebody has paused. */
import type { FastifyInstance } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { listScheduleStates, setSchedulePaused } from '../../exchange/publication/schedules.ts';
import { objectOf } from '../answers.ts';
import { permitted } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { callTemporal } from '../temporal.ts';

const tags = ['发布 Publication'];
const params = { type: 'object', required: ['code'], properties: { code: { type: 'string' } } } as const;
const schedule = objectOf(
  {
    dataset: { type: 'string' },
    paused: { type: 'boolean' },
    note: { type: 'string', description: 'What was said when it was paused or resumed.' },
    nextAt: { type: 'string', format: 'date-time', description: 'Absent while it is paused.' },
  },
  ['note', 'nextAt'],
);

export function scheduleRoutes(app: FastifyInstance, { publication, temporal }: AppDependencies): void {
  app.get(
    '/schedules',
    {
      config: { action: 'catalog.read' },
      schema: {
        summary: '定时发布 Schedules',
        tags,
        response: { 200: objectOf({ items: { type: 'array', items: schedule } }) },
      },
    },
    async () => ({ items: await callTemporal(() => listScheduleStates(temporal)) }),
  );

  for (const step of ['pause', 'resume'] as const) {
    app.post<{ Params: { code: string }; Body: { reason?: string } | null }>(
      `/datasets/:code/schedule/${step}`,
      {
        config: { action: 'dataset.publish' },
        schema: {
          summary: step === 'pause' ? '暂停定时发布 Pause a schedule' : '恢复定时发布 Resume a schedule',
          tags,
          params,
          body: {
            type: ['object', 'null'],
            additionalProperties: false,
            properties: { reason: { type: 'string', maxLength: 500 } },
          },
          response: { 200: schedule },
        },
      },
      async (request) => {
        const { code: dataset } = request.params;
        await permitted(request, 'dataset.publish', dataset, () => getDataset(publication.catalog, dataset));
        const asked = { dataset, paused: step === 'pause', note: request.body?.reason };
        return callTemporal(() => setSchedulePaused(temporal, asked));
      },
    );
  }
}
