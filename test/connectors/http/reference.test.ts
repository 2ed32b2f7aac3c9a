import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { inlineSecrets } from '../../../catalog/district/secrets.ts';
import { assertConfig, type HttpConfig } from '../../../connectors/http/config.ts';
import { typeNames } from '../../../connectors/http/types.ts';

test('the reference’s example is a valid definition, and its table of types is complete', async () => {
  const text = await readFile('docs/reference/http-sources.md', 'utf8');
  const { connection } = parse(/```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '') as { connection: HttpConfig };
  expect(() => assertConfig(connection)).not.toThrow();
  expect(inlineSecrets(connection)).toEqual([]);
  const types = text.slice(text.indexOf('## Types'), text.indexOf('## What is promised'));
  expect([...types.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name).sort()).toEqual([...typeNames]);
});
