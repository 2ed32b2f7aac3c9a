/** RFC 9457 problem details: the one form in which an error leaves the API. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorCodes } from '../lib/error-codes.ts';
import { HuitongError, type Problem, toHuitongError } from '../lib/errors.ts';

export type Language = 'zh' | 'en';

export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  hint: string;
  at?: string;
  pointer?: string;
  /** The request's id, to be given to an operator. */
  instance: string;
  errors?: Problem[];
}

/** Chinese unless the caller prefers English (RFC 9110, section 12.5.4, the first of the two that is named). */
export function languageOf(request: FastifyRequest): Language {
  const wanted = request.headers['accept-language']?.toLowerCase() ?? '';
  const positions = (['zh', 'en'] as const).map((language) => {
    const found = wanted.search(new RegExp(`(^|[,\\s])${language}`));
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  });
  return positions[1] < positions[0] ? 'en' : 'zh';
}

/** An INTERNAL error shows no message: it may be a library's, with a value or a path in it. */
export function problemOf(error: HuitongError, language: Language, instance: string): ProblemDocument {
  const entry = errorCodes[error.code];
  return {
    type: `urn:huitong:error:${error.code}`,
    title: entry.title[language],
    status: entry.status,
    code: error.code,
    ...(error.code === 'INTERNAL' ? {} : { detail: error.message }),
    hint: error.hint === entry.hint.en ? entry.hint[language] : error.hint,
    ...(error.at === undefined ? {} : { at: error.at }),
    ...(error.pointer === undefined ? {} : { pointer: error.pointer }),
    instance,
    ...(error.problems === undefined ? {} : { errors: error.problems }),
  };
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: HuitongError): FastifyReply {
  const language = languageOf(request);
  const problem = problemOf(error, language, request.id);
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
  if (error.status === 503) reply.header('retry-after', '5');
  return reply
    .code(problem.status)
    .header('content-language', language)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}

/** Makes every failure of a handler, of validation and of routing a problem. */
export function installProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const ours = fromFastify(error) ?? toHuitongError(error, request.routeOptions.url);
    if (ours.status >= 500) request.log.error({ err: error, code: ours.code }, 'request failed');
    else request.log.info({ code: ours.code }, 'request refused');
    return sendProblem(request, reply, ours);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, new HuitongError('NOT_FOUND', 'there is no such address', { at: request.method })),
  );
}

function fromFastify(error: FastifyError): HuitongError | undefined {
  if (error instanceof HuitongError) return error;
  if (error.validation) {
    const problems = error.validation.map((finding) => ({
      code: 'REQUEST_INVALID' as const,
      message: `${error.validationContext}: ${finding.message ?? 'is invalid'}`,
      pointer: finding.instancePath,
    }));
    return new HuitongError('REQUEST_INVALID', problems[0].message, { pointer: problems[0].pointer, problems });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new HuitongError('REQUEST_INVALID', error.message, { at: error.code });
  }
  return undefined;
}
