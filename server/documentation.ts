/** OpenAPI 3.1 from the routes' own schemas: `/docs` for a person, `/docs/json` for a program. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { rolesOf } from '../exchange/access/rights.ts';
import type { RouteAction } from './authentication.ts';

const problemResponse = {
  description: '问题文档 A problem (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: 'problem#' } } },
};

export async function installDocumentation(app: FastifyInstance): Promise<void> {
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
    refResolver: { buildLocalReference: (schema, _base, _fragment, i) => String(schema.$id ?? `schema-${i}`) },
    transform: ({ schema, url, route }) => {
      // The pages of the documentation itself are routes too, without a schema.
      const documented = route.config?.action ? describe(schema, route.config.action) : { ...schema, hide: true };
      return { schema: documented, url };
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list', deepLinking: true } });
}

/** Who may call it, and that every error is a problem: true of every route, so said of every one here. */
function describe(schema: FastifySchema, action: RouteAction): FastifySchema {
  const description = [schema.description, whoMay(action)].filter(Boolean).join('\n\n');
  return { ...schema, description, response: { ...(schema.response ?? {}), default: problemResponse } };
}

function whoMay(action: RouteAction): string {
  if (action === 'anyone') return 'No token is needed.';
  if (action === 'session') return 'With the token of the open generation.';
  return `Roles: ${rolesOf(action)
    .map(({ role, reach }) => (reach === 'own' ? `${role} (of the owning department)` : role))
    .join(', ')}.`;
}
