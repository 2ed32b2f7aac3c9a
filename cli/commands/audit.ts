/** `audit head`, `audit entries`. */
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { print, printJson, table } from '../output.ts';

interface Entry {
  index: number;
  leaf: {
    time: string;
    actor: string;
    action: string;
    object: string;
    decision: string;
    rows?: number;
    bytes?: number;
  };
}

export function auditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('the log of every decision and access; for auditors');

  audit
    .command('head')
    .description('the newest signed head')
    .action(async () => {
      const client = await context.client();
      context.show(await client.get<Record<string, unknown>>('/audit/head'), printJson);
    });

  audit
    .command('entries')
    .description('entries, newest first')
    .option('--limit <n>', 'how many', '20')
    .action(async (options: { limit: string }) => {
      const client = await context.client();
      const { items } = await client.get<{ items: Entry[] }>(
        `/audit/entries?limit=${encodeURIComponent(options.limit)}`,
      );
      context.show(items, (list) =>
        print(
          table(list, [
            { title: 'index', value: (e) => e.index, align: 'right' },
            { title: 'time', value: (e) => e.leaf.time },
            { title: 'actor', value: (e) => e.leaf.actor },
            { title: 'action', value: (e) => e.leaf.action },
            { title: 'object', value: (e) => e.leaf.object },
            { title: 'decision', value: (e) => e.leaf.decision },
            { title: 'rows', value: (e) => e.leaf.rows, align: 'right' },
            { title: 'bytes', value: (e) => e.leaf.bytes, align: 'right' },
          ]),
        ),
      );
    });
}
