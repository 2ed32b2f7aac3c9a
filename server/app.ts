/**
 * Builds the HTTP application; `runtime/server.ts` listens. Routes mirror URLs: `routes/datasets.ts` is `/v1/datasets`.
 * Handlers are thin: schema, service, reply. Who may call a route is its `action`, judged in `authentication.ts`.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { limits } from '../lib/limits.ts';
import { apiSchemas } from '../schemas/api/index.ts';
import { installAuthentication } from './authentication.ts';
import type { AppDependencies } from './dependencies.ts';
import { installIdempotency } from './idempotency.ts';
import { installProblems } from './problems.ts';
import { auditRoutes } from './routes/audit.ts';
import { datasetRoutes } from './routes/datasets.ts';
import { departmentRoutes } from './routes/departments.ts';
import { districtRoutes } from './routes/district.ts';
import { healthRoutes } from './routes/health.ts';
import { runRoutes } from './routes/runs.ts';
import { sourceRoutes } from './routes/sources.ts';
import { stagingRoutes } from './routes/staging.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { versionRoutes } from './routes/versions.ts';

export async function buildApp(deps: AppDependencies): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.logger,
    genReqId: () => uuidv7(),
    requestIdHeader: false,
    bodyLimit: limits.requestBytesMax,
    // Long downloads and uploads are governed by their own idle time-outs.
    requestTimeout: 0,
    routerOptions: { maxParamLength: 400 },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', useDefaults: true, allErrors: true } },
  });
  installProblems(app);
  for (const schema of apiSchemas) app.addSchema(withoutDialect(schema));
  await installDocumentation(app);
  installAuthentication(app, deps);
  installIdempotency(app, deps);
  const routes = [
    healthRoutes,
    districtRoutes,
    departmentRoutes,
    sourceRoutes,
    datasetRoutes,
    versionRoutes,
    runRoutes,
    tokenRoutes,
    auditRoutes,
    stagingRoutes,
  ];
  await app.register(
    async (v1) => {
      for (const register of routes) register(v1, deps);
    },
    { prefix: '/v1' },
  );
  return app;
}

/** Fastify's validator knows no dialect by URL; our resource schemas use nothing that differs between 07 and 2020-12. */
function withoutDialect<T extends { $schema: string }>({ $schema: _, ...schema }: T): Omit<T, '$schema'> {
  return schema;
}

/** OpenAPI 3.1 from the routes' own schemas: `/docs` for a person, `/docs/json` for a program. */
async function installDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Huitong 汇通',
        version: '1',
        description:
          '区级数据共享交换平台接口。The governed exchange between the departments of a district. 错误一律为 RFC 9457 problem 文档。',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list', deepLinking: true } });
}
