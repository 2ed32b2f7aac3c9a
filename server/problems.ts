/** RFC 9457 problem details: the one form in which an error leaves the API. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isCatalogLoss } from '../catalog/database.ts';
import { errorCodes } from '../lib/error-codes.ts';
import { HuitongError, type Problem, toHuitongError } from '../lib/errors.ts';
import { inLanguage, type Language } from '../lib/language.ts';
import { requestInvalid } from './findings.ts';
import { parseWeights } from './weights.ts';

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

/** Chinese unless the caller prefers English (RFC 9110 section 12.5.4). */
export function languageOf(request: Pick<FastifyRequest, 'headers'>): Language {
  const wanted = parseWeights(request.headers['accept-language'] ?? '');
  const best = wanted
    .map(({ value, weight }) => ({ language: value.split('-')[0], weight }))
    .filter(({ language, weight }) => (language === 'zh' || language === 'en') && weight > 0)
    .reduce<{ language?: string; weight: number }>((a, b) => (b.weight > a.weight ? b : a), { weight: 0 });
  return best.language === 'en' ? 'en' : 'zh';
}

/** An INTERNAL error shows no message: it may be a library's, with a value or a path in it. */
export function problemOf(error: HuitongError, language: Language, instance: string): ProblemDocument {
  const entry = errorCodes[error.code];
  return {
    type: `urn:huitong:error:${error.code}`,
    title: entry.title[language],
    status: entry.status,
    code: error.code,
    ...(error.code === 'INTERNAL' ? {} : { detail: inLanguage(error.message, language) }),
    hint: error.hint === entry.hint.en ? entry.hint[language] : inLanguage(error.hint, language),
    ...(error.at === undefined ? {} : { at: error.at }),
    ...(error.pointer === undefined ? {} : { pointer: error.pointer }),
    instance,
    ...(error.problems === undefined
      ? {}
      : { errors: error.problems.map((one) => ({ ...one, message: inLanguage(one.message, language) })) }),
  };
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: HuitongError): FastifyReply {
  const language = languageOf(request);
  const problem = problemOf(error, language, request.id);
  // They were of the answer that there is not.
  for (const name of ['etag', 'accept-ranges', 'content-length', 'x-huitong-version']) reply.removeHeader(name);
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
    if (ours.status >= 500) request.log.error({ failure: outline(error), code: ours.code }, 'request failed');
    else request.log.info({ code: ours.code }, 'request refused');
    return sendProblem(request, reply, ours);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      request,
      reply,
      new HuitongError('NOT_FOUND', '没有此地址 · there is no such address', { at: request.method }),
    ),
  );
}

/** What the log keeps of an error: never its further members, where PostgreSQL puts the row that it refused. */
function outline(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, stack, cause } = error;
  const code = 'code' in error ? { code: String(error.code) } : {};
  return { type: name, ...code, stack, ...(cause === undefined ? {} : { cause: outline(cause) }) };
}

function fromFastify(error: FastifyError): HuitongError | undefined {
  if (error instanceof HuitongError) return error;
  if (isCatalogLoss(error)) {
    return new HuitongError('CATALOG_UNREACHABLE', '目录数据库暂不可用 · the catalog does not answer now', {
      cause: error,
    });
  }
  if (error.validation) return requestInvalid(error.validation, error.validationContext ?? 'request');
  if (error.statusCode === 413) return new HuitongError('OBJECT_TOO_LARGE', error.message, { cause: error });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new HuitongError('REQUEST_INVALID', error.message, { at: error.code });
  }
  return undefined;
}
