/** `changes`: what has changed since a version that one has. */
import type { Command } from 'commander';
import { type CommandContext, wholeNumber } from '../context.ts';
import { deliver } from '../deliver.ts';
import { CommandError, exitCodes } from '../errors.ts';

const mediaTypes = {
  arrow: 'application/vnd.apache.arrow.stream',
  csv: 'text/csv',
  jsonl: 'application/x-ndjson',
} as const;

interface ChangesOptions {
  since: number;
  until?: number;
  format: string;
  grant?: string;
  output?: string;
  receipt?: string;
}

export function changesCommand(program: Command, context: CommandContext): void {
  program
    .command('changes <dataset>')
    .description('rows that have changed since a version, behind _change: insert, update_…, delete')
    .requiredOption('--since <n>', 'the version that you have', wholeNumber)
    .option('--until <n>', 'the version that you want; absent: the current one', wholeNumber)
    .option('--format <format>', Object.keys(mediaTypes).join(', '), 'jsonl')
    .option('--grant <id>', 'read under this grant, instead of the best one; the same each time')
    .option('--output <file>', 'complete or not there at all')
    .option('--receipt <file>', 'the proof that this access is in the audit log')
    .addHelpText(
      'after',
      '\nStandard error says from which version to go on.\n\nExample:\n  $ huitong changes health.vaccinations --since 3',
    )
    .action(async (code: string, options: ChangesOptions) => {
      const accept = mediaTypes[options.format as keyof typeof mediaTypes];
      if (!accept) throw new CommandError(`没有格式 ${options.format} · no format ${options.format}`, exitCodes.usage);
      if (!options.output && options.format === 'arrow' && process.stdout.isTTY) {
        throw new CommandError(
          'Arrow 不能在终端显示：请给出 --output 或 --format jsonl · Arrow is not for a terminal: give --output, or --format jsonl',
          exitCodes.usage,
        );
      }
      const client = await context.client();
      const { since, until, grant } = options;
      const query = new URLSearchParams({ since: String(since), ...(grant && { grant }) });
      if (until !== undefined) query.set('until', String(until));
      const response = await client.open(`/datasets/${encodeURIComponent(code)}/changes?${query}`, { accept });
      await deliver(context, client, response, options);
      // Only now: what broke off must be asked for again from the same version.
      process.stderr.write(`next: --since ${response.headers.get('x-huitong-version')}\n`);
    });
}
