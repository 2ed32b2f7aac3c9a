import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import { apiSchemas, pageOf } from '../../schemas/api/index.ts';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
formats.default(ajv);
for (const schema of apiSchemas) ajv.addSchema(schema);

test.each(apiSchemas.map((schema) => [schema.$id, schema] as const))(
  '%s: its examples are valid, with one unknown member they are not',
  (id, schema) => {
    const validate = ajv.getSchema(id)!;
    expect(schema.examples.length).toBeGreaterThan(0);
    for (const example of schema.examples) {
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
      if (typeof example === 'object') expect(validate({ ...example, surprise: 1 })).toBe(false);
    }
  },
);

test('a page holds resources of one kind and a cursor', () => {
  const validate = ajv.compile(pageOf('words'));
  expect(validate({ items: [{ zh: '卫生', en: 'Health' }] })).toBe(true);
  expect(validate({ items: [{ zh: '卫生' }] })).toBe(false);
  expect(validate({ items: [], next: null })).toBe(false);
});
