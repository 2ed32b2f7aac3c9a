/** `token create`, `token list`, `token revoke`. */
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { Token, TokenCreated } from '../../schemas/generated/api.ts';
import type { CommandContext } from '../context.ts';
import { print } from '../output.ts';

export function tokenCommands(program: Command, context: CommandContext): void {
  const token = program.command('token').description('bearer tokens of departments and systems');

  token
    .command('create')
    .description('make a token; it is shown once')
    .requiredOption('--department <code>', 'whose')
    .requiredOption('--subject <name>', 'the person or system')
    .requiredOption(
      '--role <role...>',
      'officer, sharing-officer, engineer, supervisor, administrator, auditor, operator or worker',
    )
    .option('--label <text>')
    .option('--expires <time>', 'RFC 3339')
    .action(
      async (options: { department: string; subject: string; role: string[]; label?: string; expires?: string }) => {
        const client = await context.client();
        const body = {
          department: options.department,
          subject: options.subject,
          roles: options.role,
          label: options.label,
          expiresAt: options.expires,
        };
        const made = await client.post<TokenCreated>('/tokens', body);
        context.show(made, ({ secret }) => print(secret));
      },
    );

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
            { title: 'roles', value: (t) => t.roles.join(', ') },
            { title: 'expires', value: (t) => t.expiresAt },
            { title: 'revoked', value: (t) => t.revokedAt },
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
