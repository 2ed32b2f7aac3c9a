/** Writes `schemas/generated/*.ts` from the JSON Schema documents. `npm run generate`; CI regenerates and diffs. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile } from 'json-schema-to-typescript';

const here = import.meta.dirname;
const banner = '/** Generated from JSON Schema by `npm run generate`. Do not edit. */';

/** `$id`s are stripped so that relative references resolve to the files beside each other. */
async function typesOf(folder: string, file: string): Promise<string> {
  const document = JSON.parse(await readFile(join(here, folder, file), 'utf8'));
  delete document.$id;
  return compile(document, document.title ?? file, {
    cwd: join(here, folder),
    bannerComment: banner,
    additionalProperties: true,
    format: false,
    strictIndexSignatures: false,
    unknownAny: true,
    declareExternallyReferenced: true,
  });
}

async function generate(): Promise<void> {
  const target = join(here, 'generated');
  await mkdir(target, { recursive: true });
  for (const folder of ['definition', 'document']) {
    const files = (await readdir(join(here, folder)).catch(() => [])).filter(
      (f) => f.endsWith('.json') && f !== 'common.json',
    );
    for (const file of files.sort()) {
      await writeFile(join(target, file.replace(/\.json$/, '.ts')), await typesOf(folder, file));
    }
  }
}

await generate();
