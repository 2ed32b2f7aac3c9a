/** `dataset diff`: what differs between two versions. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import { type CommandContext, wholeNumber } from '../context.ts';
import { printBody, saveTo } from '../deliver.ts';
import { number, print } from '../output.ts';

interface Difference {
  from: number;
  to: number;
  key: string[];
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
  columns: { name: string; changed: number }[];
  columnsAdded: string[];
  columnsRemoved: string[];
  columnsRetyped: string[];
  partsRead?: number;
  partsShared?: number;
}

export function diffCommand(dataset: Command, context: CommandContext): void {
  dataset
    .command('diff <dataset> <from> [to]')
    .description('rows added, removed and changed between two versions, by key; without <to>: the current one')
    .option('--grant <id>', 'read under this grant, instead of the best one')
    .option('--rows', 'the rows themselves, as an Arrow stream behind a column _change')
    .option('--output <file>', 'where the rows go; complete or not there at all')
    .addHelpText('after', '\nExample:\n  $ huitong dataset diff health.vaccinations 3 4')
    .action(async (code: string, from: string, to: string | undefined, options: DiffOptions) => {
      const client = await context.client();
      const query = new URLSearchParams({ from: String(wholeNumber(from)) });
      if (to !== undefined) query.set('to', String(wholeNumber(to)));
      if (options.grant !== undefined) query.set('grant', options.grant);
      const path = `/datasets/${encodeURIComponent(code)}/diff?${query}`;
      if (options.rows || options.output !== undefined) {
        const response = await client.open(path, { accept: 'application/vnd.apache.arrow.stream' });
        if (options.output === undefined) await printBody(response);
        else await saveTo(options.output, response);
        return;
      }
      context.show(await client.get<Difference>(path), show);
    });
}

interface DiffOptions {
  grant?: string;
  rows?: boolean;
  output?: string;
}

function show(difference: Difference): void {
  const { from, to, key, columns, columnsAdded, columnsRemoved, columnsRetyped, partsRead, partsShared } = difference;
  print(`version ${from} → ${to}, by ${key.join(', ')}`);
  for (const what of ['added', 'removed', 'changed', 'unchanged'] as const) {
    print(`${what.padEnd(9)} ${number(difference[what])}`);
  }
  const schemaChanges = { 'columns added': columnsAdded, 'columns removed': columnsRemoved, retyped: columnsRetyped };
  for (const [what, names] of Object.entries(schemaChanges))
    if (names.length > 0) print(`${what}: ${names.join(', ')}`);
  if (columns.length > 0) {
    print(
      textTable(columns, [
        { title: 'column', value: (c) => c.name },
        { title: 'rows changed', value: (c) => number(c.changed), align: 'right' },
      ]),
    );
  }
  if (partsShared !== undefined)
    print(`parts: ${number(partsShared)} the same in both, ${number(partsRead ?? 0)} read`);
}
