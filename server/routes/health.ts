import type { FastifyInstance } from 'fastify';
import type { AppDependencies } from '../dependencies.ts';

/** `/v1/health`: 200 where every service that a request needs answers, else 503 with the names of those that do not. */
export function healthRoutes(app: FastifyInstance, deps: AppDependencies): void {
  app.get(
    '/health',
    {
      config: { action: 'anyone' },
      schema: {
        summary: '健康检查 Liveness and readiness',
        tags: ['运行 Operation'],
        security: [],
        response: {
          '2xx': { $ref: 'health#' },
          503: { $ref: 'health#' },
        },
      },
    },
    async (_request, reply) => {
      const checks = await deps.health();
      const ok = Object.values(checks).every((state) => state === 'ok');
      return reply.code(ok ? 200 : 503).send({ ok, checks });
    },
  );
}
