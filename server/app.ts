/**
 * Builds the HTTP application; `runtime/server.ts` listens. Routes mirror URLs: `routes/datasets.ts` is `/v1/datasets`.
 * Handlers are thin: schema, service, reply. Who may call a route is its `action`, judged in `authentication.ts`.
 */
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { limits } from '../lib/limits.ts';
import { apiSchemas } from '../schemas/api/index.ts';
import { installAuthentication } from './authentication.ts';
import type { AppDependencies } from './dependencies.ts';
import { installDocumentation } from './documentation.ts';
import { installIdempotency } from './idempotency.ts';
import { installJsonBody } from './json-body.ts';
import { installProblems } from './problems.ts';
import { installReadOnly } from './read-only.ts';
import { auditRoutes } from './routes/audit.ts';
import { caseRoutes } from './routes/cases.ts';
import { changesRoutes } from './routes/changes.ts';
import { correctionRoutes } from './routes/corrections.ts';
import { datasetRoutes } from './routes/datasets.ts';
import { departmentRoutes } from './routes/departments.ts';
import { differenceRoutes } from './routes/differences.ts';
import { districtRoutes } from './routes/district.ts';
import { entryRoutes } from './routes/entries.ts';
import { grantRoutes } from './routes/grants.ts';
import { healthRoutes } from './routes/health.ts';
import { inferenceRoutes } from './routes/inference.ts';
import { lookupRoutes } from './routes/lookups.ts';
import { meteringRoutes } from './routes/metering.ts';
import { peopleRoutes } from './routes/people.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { requestRoutes } from './routes/requests.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { sourceRoutes } from './routes/sources.ts';
import { stagingRoutes } from './routes/staging.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { versionHoldRoutes } from './routes/version-holds.ts';
import { versionRoutes } from './routes/versions.ts';
import { installValidation } from './validation.ts';

export async function buildApp(deps: AppDependencies): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.logger.child({}, { serializers: { req: requestOutline } }),
    genReqId: () => uuidv7(),
    requestIdHeader: false,
    bodyLimit: limits.requestBytesMax,
    // A download or upload may take hours; what must not is a peer that neither sends nor takes a byte.
    requestTimeout: 0,
    connectionTimeout: limits.connectionIdleMs,
    // Else anybody could say to be at an address that a token or grant is bound to.
    trustProxy: deps.trustedProxies ?? false,
    routerOptions: { maxParamLength: 400 },
    // HEAD would run the whole of GET: it is a route of its own where it costs nothing and writes no leaf.
    exposeHeadRoutes: false,
  });
  installProblems(app);
  installJsonBody(app);
  installValidation(app);
  for (const schema of apiSchemas) app.addSchema(withoutDialect(schema));
  await installDocumentation(app);
  installReadOnly(app, deps);
  installAuthentication(app, deps);
  installIdempotency(app, deps);
  const routes = [
    healthRoutes,
    districtRoutes,
    departmentRoutes,
    sourceRoutes,
    uploadRoutes,
    inferenceRoutes,
    datasetRoutes,
    versionRoutes,
    versionHoldRoutes,
    differenceRoutes,
    changesRoutes,
    runRoutes,
    scheduleRoutes,
    signInRoutes,
    peopleRoutes,
    tokenRoutes,
    grantRoutes,
    requestRoutes,
    entryRoutes,
    caseRoutes,
    correctionRoutes,
    lookupRoutes,
    meteringRoutes,
    auditRoutes,
    receiptRoutes,
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

/** For the log: what a query says is left out, since clients put into addresses what belongs into no log. */
function requestOutline({ method, url, host, ip }: FastifyRequest) {
  const [path, query] = url.split('?', 2);
  return { method, path, ...(query === undefined ? {} : { query: '…' }), host, remoteAddress: ip };
}

/** Fastify's serializer knows no dialect by URL; our resource schemas use nothing that differs between 07 and 2020-12. */
function withoutDialect<T extends { $schema: string }>({ $schema: _, ...schema }: T): Omit<T, '$schema'> {
  return schema;
}
