/** `/v1/audit`: the log, for auditors. What it proves can be verified without the exchange (exchange/audit/verify). */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { exportLog } from '../../exchange/audit/export.ts';
import { toReceipt } from '../../exchange/audit/receipt.ts';
import { limits } from '../../lib/limits.ts';
import { bytesOf, documentOf, objectOf } from '../answers.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';

const tags = ['审计 Audit'];
const size = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const entry = objectOf({ index: size, leaf: documentOf('schemas/document/audit-leaf.json') });

export function auditRoutes(app: FastifyInstance, { audit: { reader, publicKey } }: AppDependencies): void {
  app.get(
    '/audit/head',
    {
      config: { action: 'audit.read' },
      schema: {
        summary: '最新签名树头 The newest signed head',
        tags,
        response: {
          200: objectOf({ size, note: { type: 'string', description: 'A C2SP checkpoint: what is signed.' } }),
        },
      },
    },
    async () => {
      const { size: leaves, note } = await reader.head();
      return { size: leaves, note };
    },
  );

  app.get(
    '/audit/key',
    {
      config: { action: 'anyone' },
      schema: {
        summary: '验证公钥 The public key that verifies heads and receipts (PEM)',
        description: 'Get it once by another way too, and compare: who can forge this answer could forge a head.',
        tags,
        response: { 200: bytesOf('SubjectPublicKeyInfo (RFC 8410).', 'application/x-pem-file') },
      },
    },
    async (_request, reply) =>
      reply.type('application/x-pem-file').send(publicKey.export({ format: 'pem', type: 'spki' })),
  );

  app.get<{ Querystring: { before?: number; limit?: number } }>(
    '/audit/entries',
    {
      config: { action: 'audit.read' },
      schema: {
        summary: '日志条目 Entries, newest first',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            before: { ...size, description: 'Entries with a smaller index.' },
            limit: pageQuery.limit,
          },
        },
        response: {
          200: objectOf(
            {
              items: { type: 'array', items: entry },
              before: { ...size, description: 'Ask with it for the next page.' },
            },
            ['before'],
          ),
        },
      },
    },
    async (request) => {
      const { size: leaves } = await reader.head();
      const end = Math.min(request.query.before ?? leaves, leaves);
      const start = Math.max(0, end - (request.query.limit ?? limits.pageRowsDefault));
      const entries = await reader.entries(start, end);
      const items = entries.reverse().map(({ index, leaf }) => ({ index, leaf: JSON.parse(leaf) }));
      return { items, ...(start > 0 ? { before: start } : {}) };
    },
  );

  app.get<{ Params: { index: number } }>(
    '/audit/proofs/:index',
    {
      config: { action: 'audit.read' },
      schema: {
        summary: '一条日志的回执 The receipt of one entry under the newest head',
        tags,
        params: { type: 'object', required: ['index'], properties: { index: size } },
        response: {
          200: documentOf('Format huitong.receipt/1: exchange/audit/verify/receipt.ts says how it is checked.'),
        },
      },
    },
    async (request) => toReceipt(await reader.prove(request.params.index)),
  );

  app.get<{ Querystring: { older: number; newer: number } }>(
    '/audit/consistency',
    {
      config: { action: 'audit.read' },
      schema: {
        summary: '两个树头的一致性证明 Proof that a newer log begins with an older one',
        tags,
        querystring: {
          type: 'object',
          additionalProperties: false,
          required: ['older', 'newer'],
          properties: { older: size, newer: size },
        },
        response: { 200: objectOf({ proof: { type: 'array', items: { type: 'string', description: 'Base64.' } } }) },
      },
    },
    async (request) => {
      const proof = await reader.consistency(request.query.older, request.query.newer);
      return { proof: proof.map((node) => node.toString('base64')) };
    },
  );

  app.get(
    '/audit/export',
    {
      config: { action: 'audit.read' },
      schema: {
        summary: '导出日志 The whole log, for verification offline',
        tags,
        response: { 200: bytesOf('A line with the head, then one a leaf.', 'application/x-ndjson') },
      },
    },
    async (_request, reply) => {
      const lines = (async function* () {
        for await (const line of exportLog(reader)) yield `${line}\n`;
      })();
      return reply.type('application/x-ndjson').send(Readable.from(lines));
    },
  );
}
