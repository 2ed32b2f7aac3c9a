import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from '../../schemas/generate.ts';

test('the committed types are what the schemas give (npm run generate)', async () => {
  const folder = join(import.meta.dirname, '../../schemas/generated');
  for (const [file, text] of await generatedFiles()) {
    expect(await readFile(join(folder, file), 'utf8'), file).toBe(text);
  }
});
