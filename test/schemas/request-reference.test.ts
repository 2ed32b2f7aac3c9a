import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { requestReference, requestReferencePath } from '../../schemas/request-reference.ts';

test('docs/reference/requests.md is what the transition table gives (npm run generate)', async () => {
  expect(await readFile(requestReferencePath, 'utf8')).toBe(requestReference());
});
