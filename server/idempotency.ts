/**
 * `Idempotency-Key` on writes (draft-ietf-httpapi-idempotency-key-header): the same key with the same request gives the
 * first answer again, and nothing is done twice. A route with `replayable: false` has answers that are never kept.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog } from '../catalog/database.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { AppDependencies } from './dependencies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    replayable?: boolean;
  }
  interface FastifyRequest {
    idempotencyKey: string | null;
  }
}

const KEY_LENGTH_MAX = 255;

interface IdempotentRow {
  token: string;
  key: string;
  digest: Buffer;
  status: number | null;
  body: string | null;
}

export function installIdempotency(app: FastifyInstance, { publication: { catalog } }: AppDependencies): void {
  app.decorateRequest('idempotencyKey', null);
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || request.method !== 'POST' || !request.principal) return;
    if (request.routeOptions.config.replayable === false) return;
    if (key.length === 0 || key.length > KEY_LENGTH_MAX) {
      throw new HuitongError(
        'REQUEST_INVALID',
        `Idempotency-Key 为 1 至 ${KEY_LENGTH_MAX} 个字符 · an Idempotency-Key has 1 to ${KEY_LENGTH_MAX} characters`,
      );
    }
    const before = await claim(catalog, request.principal.tokenId, key, digestOf(request));
    if (before !== undefined) return replay(reply, before);
    request.idempotencyKey = key;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.idempotencyKey === null || !request.principal) return payload;
    const place = { token: request.principal.tokenId, key: request.idempotencyKey };
    const kept = catalog('idempotent_request').where(place);
    // A failure of ours may pass: the key is free again. Refusals stay as they are.
    if (reply.statusCode >= 500 || typeof payload !== 'string') await kept.delete();
    else await kept.update({ status: reply.statusCode, body: payload });
    return payload;
  });
}

/** Takes the key for this request; the earlier request's row where there is one. */
async function claim(catalog: Catalog, token: string, key: string, digest: Buffer): Promise<IdempotentRow | undefined> {
  await forgetOld(catalog);
  const inserted = await catalog('idempotent_request')
    .insert({ token, key, digest })
    .onConflict(['token', 'key'])
    .ignore()
    .returning('key');
  if (inserted.length > 0) return undefined;
  const row = await catalog<IdempotentRow>('idempotent_request').where({ token, key }).first();
  if (row && !row.digest.equals(digest)) {
    throw new HuitongError(
      'IDEMPOTENCY_MISMATCH',
      '该幂等键已用于另一请求 · the Idempotency-Key was used for another request',
    );
  }
  if (!row || row.status === null) {
    throw new HuitongError(
      'IDEMPOTENCY_IN_PROGRESS',
      '同一幂等键的请求正在处理 · the first request with this Idempotency-Key is at work',
    );
  }
  return row;
}

/** Answers whose time is over, and claims whose server ended before it could answer. */
async function forgetOld(catalog: Catalog): Promise<void> {
  const ago = (ms: number) => catalog.raw(`now() - ? * interval '1 millisecond'`, [ms]);
  await catalog('idempotent_request')
    .where('created_at', '<', ago(limits.idempotencyMs))
    .orWhere((unanswered) =>
      unanswered.whereNull('status').where('created_at', '<', ago(limits.idempotencyAnswerMaxMs)),
    )
    .delete();
}

function replay(reply: FastifyReply, row: IdempotentRow): FastifyReply {
  const status = row.status as number;
  const type = status >= 400 ? 'application/problem+json; charset=utf-8' : 'application/json; charset=utf-8';
  return reply.code(status).header('idempotency-replayed', 'true').type(type).send(row.body);
}

function digestOf(request: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(`${request.method}\n${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest();
}
