import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { caseReference, caseReferencePath } from '../../schemas/case-reference.ts';

test('docs/reference/corrections.md is what the tables of cases say (npm run generate)', async () => {
  expect(await readFile(caseReferencePath, 'utf8')).toBe(caseReference());
});
