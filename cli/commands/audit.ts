/** `audit head`, `entries`, `prove`, `export`; and `audit verify`, which needs no exchange. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import { type CommandContext, wholeNumber } from '../context.ts';
import { saveTo } from '../deliver.ts';
import { localTime, print, printJson } from '../output.ts';
import { type VerifyOptions, verifyAuditExport } from '../verify-audit.ts';

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
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (options: { limit: number }) => {
      const client = await context.client();
      const { items } = await client.get<{ items: Entry[] }>(`/audit/entries?limit=${options.limit}`);
      context.show(items, (list) =>
        print(
          textTable(list, [
            { title: 'index', value: (e) => e.index, align: 'right' },
            { title: 'time', value: (e) => localTime(e.leaf.time) },
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

  audit
    .command('key')
    .description('the public key that verifies heads and receipts; compare it with one that you got by another way')
    .requiredOption('--output <file>', 'PEM')
    .action(async ({ output }: { output: string }) => {
      const client = await context.client();
      await saveTo(output, await client.open('/audit/key'));
      context.show({ output }, () => print(`written to ${output}`));
    });

  audit
    .command('prove <index>')
    .description('the receipt of one entry: proof that it is in the log')
    .action(async (index: string) => {
      const client = await context.client();
      printJson(await client.get(`/audit/proofs/${encodeURIComponent(index)}`));
    });

  audit
    .command('export')
    .description('the whole log, for verification offline')
    .requiredOption('--output <file>', 'complete or not there at all')
    .action(async ({ output }: { output: string }) => {
      const client = await context.client();
      await saveTo(output, await client.open('/audit/export'));
      context.show({ output }, () => print(`written to ${output}`));
    });

  audit
    .command('verify <export>')
    .description('hash every entry again and check the signed head; offline')
    .requiredOption('--key <file>', 'the exchange’s public key, PEM')
    .option('--head <file...>', 'signed heads that were kept from before')
    .option('--receipt <file...>', 'receipts that must be in the log')
    .addHelpText(
      'after',
      '\nExample:\n  $ huitong audit export --output log.jsonl && huitong audit verify log.jsonl --key exchange.pem',
    )
    .action(async (file: string, options: VerifyOptions) => {
      const verified = await verifyAuditExport(file, options);
      context.show(verified, ({ leaves, origin, time, earlierHeads, receipts }) => {
        print(`✓ ${origin}: ${leaves} entries lead to the head that was signed at ${localTime(time)}`);
        if (earlierHeads + receipts > 0) print(`✓ ${earlierHeads} earlier heads and ${receipts} receipts are in it`);
      });
    });
}
