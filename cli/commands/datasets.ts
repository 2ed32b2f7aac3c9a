/** `dataset list`, `dataset show`, `dataset lineage`, `read`. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { DatasetSummary } from '../../schemas/generated/api.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { deliver } from '../deliver.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { print } from '../output.ts';
import { diffCommand } from './diff.ts';
import { inferCommands } from './infer.ts';
import { addVersionsCommand } from './versions.ts';

interface LineageEdge {
  item: string;
  source: string;
  sourceTable: string;
  sourceColumn: string;
}

const mediaTypes = {
  arrow: 'application/vnd.apache.arrow.stream',
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv',
  jsonl: 'application/x-ndjson',
} as const;

export function datasetCommands(program: Command, context: CommandContext): void {
  const dataset = program.command('dataset').description('the catalog of datasets');
  inferCommands(dataset, context);
  diffCommand(dataset, context);

  dataset
    .command('list [words]')
    .description('search the catalog')
    .option('--department <code>', 'of one department')
    .option('--limit <n>', 'how many', wholeNumber, 100)
    .action(async (words: string | undefined, options: { department?: string; limit: number }) => {
      const client = await context.client();
      const query = new URLSearchParams();
      if (words) query.set('q', words);
      if (options.department) query.set('department', options.department);
      const found = await take(client.pages<DatasetSummary>(`/datasets?${query}`), options.limit);
      context.show(found, (list) =>
        print(
          textTable(list, [
            { title: 'dataset', value: (d) => d.code },
            { title: 'title', value: (d) => `${d.title.zh} ${d.title.en}` },
            { title: 'sharing', value: (d) => d.sharingClass },
            { title: 'version', value: (d) => d.currentVersion, align: 'right' },
          ]),
        ),
      );
    });

  dataset
    .command('show <dataset>')
    .description('its definition and its contract')
    .action(async (code: string) => {
      const client = await context.client();
      const found = await client.get<Record<string, unknown>>(`/datasets/${encodeURIComponent(code)}`);
      context.show(found, (value) => print(JSON.stringify(value, null, 2)));
    });

  addVersionsCommand(dataset, context);

  dataset
    .command('lineage <dataset>')
    .description('from which source column each item comes')
    .action(async (code: string) => {
      const client = await context.client();
      const { edges } = await client.get<{ edges: LineageEdge[] }>(`/datasets/${encodeURIComponent(code)}/lineage`);
      context.show(edges, (list) =>
        print(
          textTable(list, [
            { title: 'item', value: (e) => e.item },
            { title: 'source', value: (e) => e.source },
            { title: 'column', value: (e) => `${e.sourceTable}.${e.sourceColumn}` },
          ]),
        ),
      );
    });

  program
    .command('read <dataset>')
    .description('the data, to standard output or a file')
    .option('--format <format>', `${Object.keys(mediaTypes).join(', ')}`, 'arrow')
    .option('--columns <names>', 'separated by commas')
    .option('--version <n>', 'a version instead of the current one', wholeNumber)
    .option('--grant <id>', 'read under this grant, instead of the best one')
    .option('--output <file>', 'complete or not there at all')
    .option('--receipt <file>', 'the proof that this access is in the audit log')
    .addHelpText(
      'after',
      '\nExample:\n  $ huitong read health.vaccinations --format csv --columns vaccine_code,dose | head',
    )
    .action(async (code: string, options: ReadOptions) => {
      const accept = mediaTypes[options.format as keyof typeof mediaTypes];
      if (!accept)
        throw new CommandError(
          `没有格式 ${options.format} · there is no format ${options.format}: give one of ${Object.keys(mediaTypes).join(', ')}`,
          exitCodes.usage,
        );
      if (!options.output && (options.format === 'arrow' || options.format === 'parquet') && process.stdout.isTTY) {
        throw new CommandError(
          'Arrow 和 Parquet 不能在终端显示：请给出 --output 或 --format csv · Arrow and Parquet are not for a terminal: give --output, or --format csv',
          exitCodes.usage,
        );
      }
      const client = await context.client();
      const version = options.version ? `/versions/${options.version}` : '';
      const { columns, grant } = options;
      const query = new URLSearchParams({ ...(columns && { columns }), ...(grant && { grant }) });
      const path = `/datasets/${encodeURIComponent(code)}${version}/data?${query}`;
      const response = await client.open(path, { accept });
      await deliver(context, client, response, options);
    });
}

interface ReadOptions {
  format: string;
  columns?: string;
  version?: number;
  grant?: string;
  output?: string;
  receipt?: string;
}
