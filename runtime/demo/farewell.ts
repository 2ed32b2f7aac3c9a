/** What the demo leaves on the screen for the person who tries the exchange. */
import { join, resolve } from 'node:path';
import type { DemoExchange } from './exchange.ts';
import type { Published } from './publish.ts';

/** @param folder where the demo keeps its state */
export function farewell(
  { url, tokens, datasets }: DemoExchange,
  published: readonly Published[],
  folder: string,
): string {
  const open = datasets.find(({ sharingClass }) => sharingClass === 'unconditional');
  const bad = published.find(({ rowsQuarantined }) => rowsQuarantined > 0);
  const sample = ['administrator', 'auditor', ...new Set([bad?.department, open?.department])];
  const shown = sample.flatMap((name) => (name && tokens[name] ? [`  ${name.padEnd(22)}${tokens[name]}`] : []));
  const reader = Object.keys(tokens).find((name) => !['administrator', 'auditor', open?.department].includes(name));
  const commands = [
    // Where the command looks by itself.
    folder !== resolve('.huitong') && `export HUITONG_STATE=${folder}`,
    open &&
      reader &&
      `curl -s -H 'Authorization: Bearer ${tokens[reader]}' -H 'Accept: text/csv' ${url}/v1/datasets/${open.code}/data | head -5`,
    bad && `npx huitong quarantine ${bad.run} --as ${bad.department} --limit 5`,
    bad && `npx huitong publish ${bad.dataset} --as ${bad.department}`,
  ].filter((command) => typeof command === 'string');
  return `
API, interactive     ${url}/docs
Tokens, all of them in ${join(folder, 'cli.json')} (npx huitong --as <name> …)
${shown.join('\n')}

Try, in another terminal:
${commands.map((command) => `  ${command}`).join('\n')}

Ctrl-C stops everything; the next start goes on from here.`;
}
