/** Who looks and who acts, as the services of requests and cases are told. */
import type { FastifyRequest } from 'fastify';
import type { Access } from '../exchange/access/access.ts';
import { keyedHash } from '../exchange/audit/leaf.ts';
import { actorOf, principalOf } from './authentication.ts';

export function viewerOf({ subjectKey }: Access, request: Pick<FastifyRequest, 'principal'>) {
  const principal = principalOf(request);
  return { principal, actor: actorOf(request), person: keyedHash(subjectKey, principal.subject) };
}
