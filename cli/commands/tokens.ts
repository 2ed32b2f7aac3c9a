/** `token create`, `list`, `rotate`, `revoke`. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { Token, TokenCreated } from '../../schemas/generated/api.ts';
import { type CommandContext, wholeNumber } from '../context.ts';
import { localTime, print } from '../output.ts';

interface CreateOptions {
  department: string;
  subject: string;
  role: string[];
  label?: string;
  expires?: string;
  address?: string[];
}

export function tokenCommands(program: Command, context: CommandContext): void {
  const token = program.command('token').description('bearer tokens of departments and systems');

  token
    .command('create')
    .description('make a token; it is shown once')
    .requiredOption('--department <code>', 'whose')
    .requiredOption('--subject <name>', 'the person or system')
    .requiredOption(
      '--role <role...>',
      'officer, sharing-officer, engineer, supervisor, administrator, auditor, operator, worker or portal',
    )
    .option('--label <text>')
    .option('--expires <time>', 'RFC 3339')
    .option('--address <address...>', 'IP addresses and subnets from which alone it is accepted')
    .action(async ({ department, subject, role, label, expires, address }: CreateOptions) => {
      const client = await context.client();
      const body = { department, subject, roles: role, label, expiresAt: expires, addresses: address };
      const made = await client.post<TokenCreated>('/tokens', body);
      context.show(made, ({ secret }) => print(secret));
    });

  token
    .command('rotate <id>')
    .description('a new secret for the same token; the former one is accepted for a while more')
    .option('--overlap <seconds>', 'how long both are (default a day)', wholeNumber)
    .action(async (id: string, { overlap }: { overlap?: number }) => {
      const client = await context.client();
      const path = `/tokens/${encodeURIComponent(id)}/rotate`;
      const made = await client.post<TokenCreated>(path, { overlapSeconds: overlap });
      context.show(made, ({ secret }) => print(secret));
    });

  token
    .command('list')
    .description('all tokens, without their secrets')
    .action(async () => {
      const client = await context.client();
      const tokens: Token[] = [];
      for await (const item of client.pages<Token>('/tokens')) tokens.push(item);
      context.show(tokens, (list) =>
        print(
          textTable(list, [
            { title: 'id', value: (t) => t.id },
            { title: 'department', value: (t) => t.department },
            { title: 'subject', value: (t) => t.subject },
            { title: 'roles', value: (t) => t.roles.join(', ') },
            { title: 'expires', value: (t) => localTime(t.expiresAt) },
            { title: 'revoked', value: (t) => localTime(t.revokedAt) },
          ]),
        ),
      );
    });

  token
    .command('revoke <id>')
    .description('end a token at once')
    .action(async (id: string) => {
      const client = await context.client();
      await client.delete(`/tokens/${encodeURIComponent(id)}`);
      context.show({ id, revoked: true }, () => print(`revoked ${id}`));
    });
}
