import { inspect } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configChecker, urlParts } from '../../connectors/config.ts';
import { connectorKinds, connectorOf } from '../../connectors/registry.ts';

describe('the configuration schema of every kind', () => {
  test.each(connectorKinds())('%s', (kind) => {
    const { configSchema } = connectorOf(kind);
    const ajv = new Ajv2020({ strict: false });
    expect(ajv.validateSchema(configSchema), ajv.errorsText()).toBe(true);
    expect(configSchema).toMatchObject({ type: 'object', additionalProperties: false, title: expect.any(String) });
    const check = configChecker(configSchema, kind);
    expect(() => check({ colour: 'canary-of-config' })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        problems: expect.arrayContaining([expect.objectContaining({ message: 'unknown setting colour' })]),
      }),
    );
  });
});

const parse = (text: string) => urlParts(text, ['postgres', 'postgresql'], 'a PostgreSQL source');

test('a URL comes apart, decoded', () => {
  expect(parse('postgres://j%C3%BC:p%40ss%25@[::1]:5433/%E5%81%A5%E5%BA%B7?sslmode=require')).toEqual({
    host: '::1',
    port: 5433,
    database: '健康',
    user: 'jü',
    password: 'p@ss%',
    parameters: { sslmode: 'require' },
  });
  expect(parse('postgresql://u@h/d')).toEqual({ host: 'h', database: 'd', user: 'u', password: '', parameters: {} });
});

test('a bad URL is CONFIG_INVALID, whatever is wrong with it, and its password is in no part of the error', () => {
  const urls = [
    ['postgres://u:canary%@h/d', /has a % that begins no character/],
    ['postgres://u:canary%E5@h/d', /has a % that begins no character/],
    ['postgres://u:canary@[bad/d', /cannot be parsed/],
    ['mysql://u:canary@h/d', /must begin with postgres:\/\//],
    ['postgres://u:canary@h', /must name a user, a host and a database/],
  ] as const;
  for (const [url, message] of urls) {
    const error = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) });
    expect(() => parse(url), url).toThrow(error);
    expect(
      inspect(
        failureOf(() => parse(url)),
        { depth: 9, showHidden: true },
      ),
    ).not.toContain('canary');
  }
});

test('any user and password survive a URL', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(text, text, (user, password) => {
      const url = `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@host/database`;
      expect(parse(url)).toMatchObject({ user, password });
    }),
    { verbose: 1 },
  );
});

function failureOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
