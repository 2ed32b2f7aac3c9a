/**
 * Who calls, and whether the route is for them. Each route declares its `action`; a route that declares none cannot be
 * registered, so that none is open by forgetting. Rights on one object are asked for in the handler (`permitted`).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Action, forbidden, mayEver, type Principal, requireRight } from '../exchange/access/rights.ts';
import { authenticate } from '../exchange/access/tokens.ts';
import { HuitongError, isHuitongError } from '../lib/errors.ts';
import type { AppDependencies } from './dependencies.ts';

/** `anyone`: no token is needed. `session`: a generation's own token, judged by the handler. */
export type RouteAction = Action | 'anyone' | 'session';

declare module 'fastify' {
  interface FastifyContextConfig {
    action?: RouteAction;
  }
  interface FastifyRequest {
    principal: Principal | null;
  }
}

export function installAuthentication(app: FastifyInstance, { publication }: AppDependencies): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', ({ config, url, method }) => {
    if (url.startsWith('/v1') && config?.action === undefined) {
      throw new HuitongError('INTERNAL', 'a route without an action', { at: `${method} ${url}` });
    }
  });
  app.addHook('onRequest', async (request) => {
    const action = request.routeOptions.config.action;
    if (action === undefined || action === 'anyone' || action === 'session') return;
    const token = bearerOf(request);
    if (token === undefined)
      throw new HuitongError('UNAUTHENTICATED', '请求未附令牌 · the request carries no bearer token');
    request.principal = await authenticate(publication.catalog, token, request.ip);
    if (!mayEver(request.principal, action)) throw forbidden(action);
  });
}

/** RFC 6750 section 2.1. Undefined where the request carries none. */
export function bearerOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  return /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Of a route whose action needs a token. */
export function principalOf(request: Pick<FastifyRequest, 'principal'>): Principal {
  if (request.principal === null)
    throw new HuitongError('UNAUTHENTICATED', '请求未附令牌 · the request carries no bearer token');
  return request.principal;
}

/**
 * The object that `find` gives, where the caller may do this to it. What is absent and what is another department's get
 * one answer.
 * @param at as the caller named it
 */
export async function permitted<T extends { department: string }>(
  request: Pick<FastifyRequest, 'principal'>,
  action: Action,
  at: string,
  find: () => Promise<T>,
): Promise<T> {
  try {
    const found = await find();
    requireRight(principalOf(request), action, found.department);
    return found;
  } catch (e: unknown) {
    if (!isHuitongError(e, 'NOT_FOUND')) throw e;
    throw new HuitongError('NOT_FOUND', '没有您可办理的该对象 · there is no such object that this token may act on', {
      at,
    });
  }
}

/** As the audit log and runs name who acts. */
export function actorOf(request: Pick<FastifyRequest, 'principal'>): string {
  return `token:${principalOf(request).tokenId}`;
}
