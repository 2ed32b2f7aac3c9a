import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { inlineSecrets } from '../../../catalog/district/secrets.ts';
import { simpleTypeNames } from '../../../connectors/delta-sharing/types.ts';
import { connectorOf } from '../../../connectors/registry.ts';

test.each(['docs/reference/sharing-sources.md', 'docs/reference/oracle-and-dameng.md'])(
  'the definitions in %s are valid, and hold no secret',
  async (file) => {
    const text = await readFile(file, 'utf8');
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => parse(yaml ?? ''));
    expect(examples.length).toBeGreaterThan(0);
    for (const { kind, connection } of examples) {
      const validate = new Ajv2020({ strict: false }).compile(connectorOf(kind).configSchema);
      expect(validate(connection), JSON.stringify(validate.errors)).toBe(true);
      expect(inlineSecrets(connection)).toEqual([]);
    }
  },
);

test('the table of Delta’s types is complete', async () => {
  const text = await readFile('docs/reference/sharing-sources.md', 'utf8');
  const listed = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual([...simpleTypeNames].sort());
});
