/**
 * `/v1/staging`: all that a department's worker may do. With its own token it opens a generation; with the generation's
 * token it hands over objects, which are hashed as they arrive.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { getSource } from '../../catalog/sources.ts';
import { stageAnswer } from '../../exchange/publication/answers.ts';
import { openGeneration } from '../../exchange/publication/generations.ts';
import { getRun } from '../../exchange/publication/runs.ts';
import { readStaged, stageObject } from '../../exchange/publication/staging.ts';
import type { ByteRange } from '../../exchange/store/store.ts';
import { HuitongError } from '../../lib/errors.ts';
import { bytesOf, documentOf, objectOf } from '../answers.ts';
import { bearerOf, permitted, principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

const tags = ['暂存 Staging'];
const runParams = { type: 'object', required: ['run'], properties: { run: { type: 'string', format: 'uuid' } } };
const stagedObject = objectOf({ digest: { type: 'string' }, sizeBytes: { type: 'integer' } });
const openedGeneration = objectOf({
  assignment: documentOf('schemas/document/assignment.json'),
  generation: { type: 'integer' },
  token: { type: 'string', description: 'For this generation’s objects; send x-huitong-generation with it.' },
});

interface RunParams {
  run: string;
}

export function stagingRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { publication, sessions } = deps;
  // Before anything is looked at, let alone a body.
  const onRequest = async (request: FastifyRequest) => assertSession(request, deps);

  app.post<{ Params: RunParams; Querystring: { attempt: number } }>(
    '/staging/:run/generations',
    {
      config: { action: 'run.stage', replayable: false },
      schema: {
        summary: '开始一次抽取 Open a generation of a run',
        tags,
        params: runParams,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            attempt: {
              type: 'integer',
              minimum: 1,
              maximum: 2_147_483_647,
              default: 1,
              description: 'Which attempt of the extraction asks; one older than the newest is FENCED.',
            },
          },
        },
        response: { 201: openedGeneration },
      },
    },
    async (request, reply) => {
      const { run: id } = request.params;
      const run = await permitted(request, 'run.stage', id, () => getRun(publication, id));
      const opened = await openGeneration(publication, {
        runId: run.id,
        attempt: request.query.attempt,
        // What a department's own worker stages is checked against its contract again.
        trusted: principalOf(request).roles.includes('operator'),
        quarantineKey: deps.quarantineKey,
      });
      reply.header('cache-control', 'no-store');
      return reply.code(201).send({ ...opened, token: sessions.issue(run.id, opened.generation) });
    },
  );

  // Parts are streams of bytes of any length; they are never held whole.
  app.register(async (objects) => {
    objects.removeAllContentTypeParsers();
    objects.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    objects.post<{ Params: { source: string }; Body: Readable }>(
      '/staging/answers/:source',
      {
        config: { action: 'run.stage', replayable: false },
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: {
          summary: '提交密封的答复 Hand over an answer, sealed for who asked',
          tags,
          params: { type: 'object', required: ['source'], properties: { source: { type: 'string' } } },
          response: { 201: stagedObject },
        },
      },
      async (request, reply) => {
        const { source } = request.params;
        await permitted(request, 'run.stage', source, () => getSource(publication.catalog, source));
        return reply.code(201).send(await stageAnswer(publication, request.body ?? Readable.from([])));
      },
    );

    objects.post<{ Params: RunParams; Querystring: { kind: 'part' | 'quarantine' | 'report' }; Body: Readable }>(
      '/staging/:run/objects',
      {
        config: { action: 'session' },
        onRequest,
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: {
          summary: '暂存一个对象 Stage one object',
          tags,
          params: runParams,
          querystring: {
            type: 'object',
            required: ['kind'],
            additionalProperties: false,
            properties: { kind: { enum: ['part', 'quarantine', 'report'] } },
          },
          response: { 201: stagedObject },
        },
      },
      async (request, reply) => {
        const generation = generationOf(request);
        const { kind } = request.query;
        const bytes = request.body ?? Readable.from([]);
        const stored = await stageObject(publication, { runId: request.params.run, generation, kind, bytes });
        return reply.code(201).send(stored);
      },
    );
  });

  app.get<{ Params: RunParams & { digest: string } }>(
    '/staging/:run/objects/:digest',
    {
      config: { action: 'session' },
      onRequest,
      schema: {
        summary:
          '读回本次暂存或所基于版本的对象 Read back an object of this generation, or of the version it builds on',
        tags,
        params: {
          type: 'object',
          required: ['run', 'digest'],
          properties: { ...runParams.properties, digest: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
        },
        headers: {
          type: 'object',
          properties: { range: { type: 'string', pattern: '^bytes=[0-9]{1,15}-[0-9]{1,15}$' } },
        },
        response: {
          200: bytesOf('Its bytes.', 'application/octet-stream'),
          206: bytesOf('The bytes of the range.', 'application/octet-stream'),
        },
      },
    },
    async (request, reply) => {
      const generation = generationOf(request);
      const { run: runId, digest } = request.params;
      const range = rangeOf(request.headers.range);
      const bytes = await readStaged(publication, { runId, generation, digest, range });
      return reply
        .code(range === undefined ? 200 : 206)
        .type('application/octet-stream')
        .send(bytes);
    },
  );
}

/** `bytes=first-last`, as the schema has it. */
function rangeOf(header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [first, last] = header.slice('bytes='.length).split('-').map(Number) as [number, number];
  if (last < first) throw new HuitongError('REQUEST_INVALID', 'the range ends before it begins');
  return { offset: first, length: last - first + 1 };
}

/** Throws UNAUTHENTICATED unless the request's token is of the run and generation that it names. */
function assertSession(request: FastifyRequest, { sessions }: AppDependencies): void {
  const { run } = request.params as RunParams;
  const token = bearerOf(request);
  if (!token || !sessions.verify(token, run, generationOf(request))) {
    throw new HuitongError('UNAUTHENTICATED', 'the session token is not of this run and generation');
  }
}

/** NaN where the header is absent or no number: no token is of such a generation. */
function generationOf(request: FastifyRequest): number {
  return Number(request.headers['x-huitong-generation'] ?? Number.NaN);
}
