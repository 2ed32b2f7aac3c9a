/** What validation found in a request, in the words of who sent it: ajv's own are English only, and name no place. */
import type { FastifySchemaValidationError } from 'fastify';
import { HuitongError, type Problem } from '../lib/errors.ts';
import { inLanguage } from '../lib/language.ts';

type Words = { zh: string; en: string };
type Params = Record<string, unknown>;

/** By keyword of JSON Schema; what is not here is told in ajv's words. */
const wordsOf: Record<string, (params: Params) => Words> = {
  additionalProperties: () => ({ zh: '没有此成员', en: 'is not known here' }),
  enum: ({ allowedValues }) => {
    const values = (allowedValues as unknown[]).join(', ');
    return { zh: `应为其中之一：${values}`, en: `must be one of: ${values}` };
  },
  format: ({ format }) => ({ zh: `格式应为 ${format}`, en: `must have the format ${format}` }),
  maxItems: ({ limit }) => ({ zh: `至多 ${limit} 项`, en: `must have at most ${limit} items` }),
  maxLength: ({ limit }) => ({ zh: `至多 ${limit} 个字符`, en: `must have at most ${limit} characters` }),
  maximum: ({ limit }) => ({ zh: `不得大于 ${limit}`, en: `must not be above ${limit}` }),
  minItems: ({ limit }) => ({ zh: `至少 ${limit} 项`, en: `must have at least ${limit} items` }),
  minLength: ({ limit }) => ({ zh: `至少 ${limit} 个字符`, en: `must have at least ${limit} characters` }),
  minimum: ({ limit }) => ({ zh: `不得小于 ${limit}`, en: `must not be below ${limit}` }),
  pattern: ({ pattern }) => ({ zh: `格式不符，应匹配 ${pattern}`, en: `must match ${pattern}` }),
  required: () => ({ zh: '缺少此成员', en: 'is missing' }),
  type: ({ type }) => ({ zh: `类型应为 ${type}`, en: `must be of the type ${type}` }),
  uniqueItems: () => ({ zh: '不得有重复项', en: 'must not have an item twice' }),
};

/** In both languages. ajv puts the name of a missing or unknown member beside its place; the pointer goes all the way. */
function findingOf({ keyword, message, instancePath, params }: FastifySchemaValidationError): Problem {
  const name = params.additionalProperty ?? params.missingProperty;
  const token = name === undefined ? '' : `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const { zh, en } = wordsOf[keyword]?.(params) ?? { zh: `不符合要求 ${keyword}`, en: message ?? 'is invalid' };
  return { code: 'REQUEST_INVALID', message: `${zh} · ${en}`, pointer: instancePath + token };
}

/**
 * All findings as one error; the first is told with its place.
 * @param part of the request: body, querystring, params, headers
 */
export function requestInvalid(findings: FastifySchemaValidationError[], part: string): HuitongError {
  const problems = findings.map(findingOf);
  const [{ pointer = '', message } = { message: '' }] = problems;
  const place = pointer === '' ? part : pointer;
  const [zh, en] = (['zh', 'en'] as const).map((language) => `${place} ${inLanguage(message, language)}`);
  return new HuitongError('REQUEST_INVALID', `${zh} · ${en}`, { pointer, problems });
}
