/** `/v1/sources/{code}/uploads`: files that a department hands over for a source; and how its worker fetches them. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { getSource } from '../../catalog/sources.ts';
import {
  addUpload,
  currentUploads,
  listUploads,
  readUpload,
  removeUpload,
} from '../../exchange/publication/uploads.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { pageOf } from '../../schemas/api/index.ts';
import { bytesOf, objectOf } from '../answers.ts';
import { actorOf, permitted } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { pageQuery } from '../page-query.ts';

const tags = ['数据源 Sources'];
const staging = ['暂存 Staging'];
const code = { type: 'string' } as const;
const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const params = { type: 'object', required: ['code'], properties: { code } } as const;
const workerParams = { type: 'object', required: ['source'], properties: { source: code } } as const;
const pinned = objectOf({ name: { type: 'string' }, digest, sizeBytes: { type: 'integer' } });

interface SourceParams {
  code: string;
}

export function uploadRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { publication } = deps;
  const { catalog } = publication;

  // Files are streams of bytes of any length; they are never held whole.
  app.register(async (files) => {
    files.removeAllContentTypeParsers();
    files.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    files.post<{ Params: SourceParams; Querystring: { name: string; digest?: string }; Body: Readable | undefined }>(
      '/sources/:code/uploads',
      {
        config: { action: 'source.upload', replayable: false },
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: {
          summary: '上传文件 Upload a file for a source',
          description: 'The body is the file. It replaces the file of the same name; the same content changes nothing.',
          tags,
          params,
          querystring: {
            type: 'object',
            required: ['name'],
            additionalProperties: false,
            properties: {
              name: { type: 'string', minLength: 1, maxLength: limits.uploadNameBytesMax },
              digest: { ...digest, description: 'SHA-256 of the file, where the sender knows it; it is compared.' },
            },
          },
          response: { 201: { $ref: 'upload#' } },
        },
      },
      async (request, reply) => {
        const { code: source } = request.params;
        await permitted(request, 'source.upload', source, () => getSource(catalog, source));
        const { name, digest: expected } = request.query;
        assertAnnouncedSize(request.headers['content-length'], name);
        const bytes = request.body ?? Readable.from([]);
        return reply
          .code(201)
          .send(await addUpload(publication, { source, name, bytes, expected, actor: actorOf(request) }));
      },
    );
  });

  app.get<{ Params: SourceParams; Querystring: { current?: boolean; limit?: number; cursor?: string } }>(
    '/sources/:code/uploads',
    {
      config: { action: 'source.upload' },
      schema: {
        summary: '上传文件列表 Uploaded files, newest first',
        tags,
        params,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            current: { type: 'boolean', description: 'Only those that runs would read now.' },
            ...pageQuery,
          },
        },
        response: { 200: pageOf('upload') },
      },
    },
    async (request) => {
      const { code: source } = request.params;
      await permitted(request, 'source.upload', source, () => getSource(catalog, source));
      return listUploads(publication, { source, ...request.query });
    },
  );

  app.delete<{ Params: SourceParams & { id: string } }>(
    '/sources/:code/uploads/:id',
    {
      config: { action: 'source.upload' },
      schema: {
        summary: '移除上传文件 Remove an uploaded file',
        description: 'Later runs do not see it; a run that has begun still reads it.',
        tags,
        params: {
          type: 'object',
          required: ['code', 'id'],
          properties: { code, id: { type: 'string', format: 'uuid' } },
        },
        response: { 204: { type: 'null' } },
      },
    },
    async (request, reply) => {
      const { code: source, id } = request.params;
      await permitted(request, 'source.upload', source, () => getSource(catalog, source));
      await removeUpload(publication, { source, id, actor: actorOf(request) });
      return reply.code(204).send();
    },
  );

  app.get<{ Params: { source: string } }>(
    '/staging/uploads/:source',
    {
      config: { action: 'run.stage' },
      schema: {
        summary: '数据源的上传文件 The files that a source has now',
        tags: staging,
        params: workerParams,
        response: { 200: objectOf({ items: { type: 'array', items: pinned } }) },
      },
    },
    async (request) => {
      const { source } = request.params;
      await permitted(request, 'run.stage', source, () => getSource(catalog, source));
      return { items: await currentUploads(catalog, source) };
    },
  );

  app.get<{ Params: { source: string; digest: string } }>(
    '/staging/uploads/:source/:digest',
    {
      config: { action: 'run.stage' },
      schema: {
        summary: '取回上传文件 One of them, or one that a run has pinned',
        tags: staging,
        params: { type: 'object', required: ['source', 'digest'], properties: { source: code, digest } },
        response: { 200: bytesOf('Its bytes.', 'application/octet-stream') },
      },
    },
    async (request, reply) => {
      const { source } = request.params;
      await permitted(request, 'run.stage', source, () => getSource(catalog, source));
      const bytes = await readUpload(publication, request.params);
      return reply.type('application/octet-stream').send(bytes);
    },
  );
}

/** A file that is too large is refused before it is sent, where its sender says how large it is. */
function assertAnnouncedSize(length: string | undefined, at: string): void {
  if (length === undefined || Number(length) <= limits.sourceUploadBytesMax) return;
  throw new HuitongError(
    'OBJECT_TOO_LARGE',
    `文件至多 ${limits.sourceUploadBytesMax} 字节 · a file has at most ${limits.sourceUploadBytesMax} bytes`,
    { at },
  );
}
