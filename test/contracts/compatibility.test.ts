import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareContracts, requiredVersion } from '../../contracts/compatibility.ts';
import { validateContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { createOracle } from '../../contracts/oracle.ts';
import { contract } from './support/batches.ts';

const base = contract({ id: { type: 'integer', minimum: 0 }, name: { type: ['string', 'null'], maxLength: 20 } });
const property = (name: string, schema: unknown): ContractDocument => ({
  ...base,
  properties: { ...base.properties, [name]: schema },
});
const { name: _name, ...withoutName } = base.properties;

describe('compareContracts', () => {
  it.each<[string, ContractDocument, string]>([
    ['nothing', { ...base, version: '9.9.9' }, 'none'],
    ['a description', property('id', { type: 'integer', minimum: 0, description: 'x' }), 'patch'],
    ['the same said otherwise', property('id', { type: ['integer'], minimum: 0 }), 'patch'],
    ['a new column', property('more', { type: 'string' }), 'minor'],
    ['a tighter bound', property('id', { type: 'integer', minimum: 1 }), 'minor'],
    ['no more nulls', property('name', { type: 'string', maxLength: 20 }), 'minor'],
    ['an enum within the bound', property('name', { enum: ['甲', null] }), 'minor'],
    ['a constraint between columns', { ...base, anyOf: [{ properties: { id: { maximum: 3 } } }] }, 'minor'],
    ['a column gone', { ...base, properties: withoutName }, 'major'],
    ['a looser bound', property('id', { type: 'integer', minimum: -1 }), 'major'],
    ['a wider type', property('id', { type: 'number', minimum: 0 }), 'major'],
    ['nulls allowed', property('id', { type: ['integer', 'null'], minimum: 0 }), 'major'],
    ['a limit gone', property('name', { type: ['string', 'null'] }), 'major'],
    ['another key', { ...base, key: ['name'] }, 'major'],
  ])('%s', (_change, next, level) => {
    expect(compareContracts(base, next).level).toBe(level);
  });

  it('says where', () => {
    const next = { ...property('id', { type: 'string' }), key: ['id', 'name'] };
    expect(compareContracts(base, next).findings.map((f) => `${f.pointer} ${f.level}`)).toEqual([
      '/key major',
      '/properties/id major',
    ]);
  });
});

it.each([
  ['none', '1.2.3'],
  ['patch', '1.2.4'],
  ['minor', '1.3.0'],
  ['major', '2.0.0'],
] as const)('a %s change of 1.2.3 needs %s', (level, version) => {
  expect(requiredVersion('1.2.3', level)).toBe(version);
});

const small = fc.integer({ min: -3, max: 3 });
const values = [null, true, -3, -1, 0, 0.5, 1, 2, 3, '', 'a', 'ab', 'abc', '2024-01-01', '2025-06-30'];
const value = fc.constantFrom(...values);
const keyword = fc.oneof(
  fc.record({ type: fc.uniqueArray(fc.constantFrom('integer', 'number', 'string', 'null'), { minLength: 1 }) }),
  fc.record({ minimum: small }),
  fc.record({ maximum: small }),
  fc.record({ exclusiveMinimum: small }),
  fc.record({ exclusiveMaximum: small }),
  fc.record({ multipleOf: fc.constantFrom(0.5, 1, 2) }),
  fc.record({ minLength: fc.nat(3) }),
  fc.record({ maxLength: fc.nat(3) }),
  fc.record({ pattern: fc.constantFrom('^a', 'b') }),
  fc.record({ format: fc.constant('date'), formatMaximum: fc.constantFrom('2024-06-01', '2026-01-01') }),
  fc.record({ format: fc.constant('date'), formatExclusiveMinimum: fc.constantFrom('2024-01-01', '2023-01-01') }),
  fc.record({ enum: fc.uniqueArray(value, { minLength: 1, maxLength: 5 }) }),
);
const schema = fc.letrec<{ node: object }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    { weight: 5, arbitrary: fc.array(keyword, { maxLength: 3 }).map((parts) => Object.assign({}, ...parts) as object) },
    fc.record({ allOf: fc.array(tie('node'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ anyOf: fc.array(tie('node'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node;
/** Often a small change of the old schema, so that many pairs are not major. */
const pair = fc
  .tuple(schema, schema, fc.nat(3))
  .map(
    ([old, other, how]) =>
      [old, [other, { ...old, ...other }, { ...old, allOf: [other] }, { allOf: [old, other] }][how]!] as const,
  );

it('keeps the promise of a change that is not major: what the new contract passes, the old one passes', () => {
  let proved = 0;
  let passed = 0;
  fc.assert(
    fc.property(pair, ([oldSchema, nextSchema]) => {
      const [old, next] = [
        contract({ x: oldSchema }),
        contract({ x: nextSchema, y: { type: 'string' } }, { key: ['x'] }),
      ];
      if (compareContracts(old, next).level === 'major') {
        return;
      }
      proved++;
      const [before, after] = [old, next].map((document) => createOracle(validateContract(document).root)) as [
        ReturnType<typeof createOracle>,
        ReturnType<typeof createOracle>,
      ];
      for (const x of values) {
        if (after.passes({ x, y: 'y' })) {
          passed++;
          expect({ x, passes: before.passes({ x }) }).toEqual({ x, passes: true });
        }
      }
    }),
    { numRuns: 500 },
  );
  expect(proved).toBeGreaterThan(100);
  expect(passed).toBeGreaterThan(100);
});
