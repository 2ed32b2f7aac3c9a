/** Writes `schemas/generated/*.ts` from the JSON Schema documents. `npm run generate`; CI regenerates and diffs. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compile, type JSONSchema, type Options } from 'json-schema-to-typescript';

const here = import.meta.dirname;
const options: Partial<Options> = {
  bannerComment: '/** Generated from JSON Schema by `npm run generate`. Do not edit. */',
  additionalProperties: true,
  format: false,
  strictIndexSignatures: false,
  unknownAny: true,
  declareExternallyReferenced: true,
  ignoreMinAndMaxItems: true,
};

/** Name and text of every generated file. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const folder of ['definition', 'document']) {
    for (const file of await schemasIn(folder)) {
      if (file !== 'common.json') files.set(file.replace(/\.json$/, '.ts'), await typesOf(folder, file));
    }
  }
  files.set('api.ts', await typesOfApi());
  return files;
}

/** `$id`s are stripped so that relative references resolve to the files beside each other. */
async function typesOf(folder: string, file: string): Promise<string> {
  const { $id, ...document } = await readSchema(folder, file);
  return compile(document, document.title ?? file, { ...options, cwd: join(here, folder) });
}

/** API schemas refer to each other by `$id`, as Fastify wants it; here they become one document, by `$id`. */
async function typesOfApi(): Promise<string> {
  const $defs: Record<string, JSONSchema> = {};
  const properties: Record<string, JSONSchema> = {};
  for (const file of await schemasIn('api')) {
    const { $id, $schema, ...document } = await readSchema('api', file);
    $defs[`${$id}`] = document;
    properties[`${$id}`] = { $ref: `${$id}#` };
  }
  const text = JSON.stringify({ type: 'object', additionalProperties: false, properties, $defs });
  const document = JSON.parse(text.replace(/"\$ref":"([a-z-]+)#"/g, '"$ref":"#/$defs/$1"'));
  return compile(document, 'Api', options);
}

async function schemasIn(folder: string): Promise<string[]> {
  return (await readdir(join(here, folder))).filter((file) => file.endsWith('.json')).sort();
}

async function readSchema(folder: string, file: string): Promise<JSONSchema> {
  return JSON.parse(await readFile(join(here, folder, file), 'utf8'), bareReference);
}

/** A description beside a `$ref` would give the same type a second name (`Words1`). */
function bareReference(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && '$ref' in value ? { $ref: value.$ref } : value;
}

if (import.meta.filename === process.argv[1]) {
  const target = join(here, 'generated');
  await mkdir(target, { recursive: true });
  for (const [file, text] of await generatedFiles()) await writeFile(join(target, file), text);
}
