/** Writes docs/reference/configuration.md from the schema of settings. `npm run generate`; a test diffs it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import schema from '../schemas/document/configuration.json' with { type: 'json' };
import { variableOf } from './configuration.ts';

interface Setting {
  description: string;
  usedBy: string[];
  default?: unknown;
  secret?: boolean;
  type?: string;
  enum?: string[];
}

export const referencePath = join(import.meta.dirname, '..', 'docs', 'reference', 'configuration.md');

/** The page's text. */
export function configurationReference(): string {
  const rows = Object.entries(schema.properties as Record<string, Setting>).map(([name, setting]) => {
    const type = setting.enum ? setting.enum.join(', ') : setting.type;
    const fallback = setting.default === undefined ? '' : `\`${setting.default}\``;
    const words = setting.secret ? `${setting.description} **Secret.**` : setting.description;
    return `| \`${variableOf(name)}\`<br>\`${name}\` | ${type} | ${fallback} | ${setting.usedBy.join(', ')} | ${words} |`;
  });
  return `# Configuration

<!-- Generated from schemas/document/configuration.json by \`npm run generate\`. Do not edit. -->

${schema.description}

Unknown names are errors. \`huitong\`, the command line client, reads \`HUITONG_URL\` and \`HUITONG_TOKEN\` instead.

| variable and key | type | default | used by | what it does |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(referencePath, configurationReference());
}
