/** While the audit log must not be written, the exchange is read-only: metadata is shown, and nothing is changed. */
import type { FastifyInstance } from 'fastify';
import type { AppDependencies } from './dependencies.ts';

const reading = ['GET', 'HEAD', 'OPTIONS'];

/** @throws from every other route AUDIT_REGRESSION, AUDIT_CORRUPT, before a body is read */
export function installReadOnly(app: FastifyInstance, { audit }: AppDependencies): void {
  app.addHook('onRequest', async ({ method }) => {
    const refusal = audit.refusal();
    if (refusal !== undefined && !reading.includes(method)) throw refusal;
  });
}
