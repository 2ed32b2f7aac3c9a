/** `grant create|list|show|impact|suspend|resume|revoke`. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { Grant } from '../../schemas/generated/api.ts';
import type { CommandContext } from '../context.ts';
import { take, wholeNumber } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { localTime, number, print } from '../output.ts';

interface Impact {
  readingNow: number;
  reads: number;
  lookups: number;
  lastUsed: string | null;
  remaining: string[];
}

const states = { active: '有效', suspended: '已暂停', revoked: '已撤销', expired: '已到期' };
const pathOf = (id: string) => `/grants/${encodeURIComponent(id)}`;

export function grantCommands(program: Command, context: CommandContext): void {
  const grant = program.command('grant').description('授权 who may read what, how, and until when');

  grant
    .command('create <file>')
    .description('make a grant of the terms in a JSON file (normally a request does)')
    .addHelpText(
      'after',
      '\nThe terms: schemas/document/grant-terms.json; masks and filters: docs/reference/policies.md',
    )
    .action(async (file: string) => {
      const terms = await readTerms(file);
      const client = await context.client();
      context.show(await client.post<Grant>('/grants', terms), showGrant);
    });

  grant
    .command('list')
    .description('grants that the department gave or was given, newest first')
    .option('--dataset <code>', 'of one dataset')
    .option('--grantee <department>', 'given to one department')
    .option('--state <state>', 'active, suspended, revoked or expired')
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .action(async ({ limit, ...filter }: { limit: number; dataset?: string; grantee?: string; state?: string }) => {
      const client = await context.client();
      const query = new URLSearchParams(filter).toString();
      const grants = await take(client.pages<Grant>(query === '' ? '/grants' : `/grants?${query}`), limit);
      context.show(grants, (list) => print(grantTable(list)));
    });

  grant
    .command('show <id>')
    .description('one grant with its terms')
    .action(async (id: string) => {
      const client = await context.client();
      context.show(await client.get<Grant>(pathOf(id)), showGrant);
    });

  grant
    .command('impact <id>')
    .description('what revoking it would end')
    .action(async (id: string) => {
      const client = await context.client();
      context.show(await client.get<Impact>(`${pathOf(id)}/impact`), showImpact);
    });

  const changes = {
    suspend: 'no access until it is resumed',
    resume: 'give access again',
    revoke: 'end it at once, for good',
  };
  for (const [step, description] of Object.entries(changes)) {
    grant
      .command(`${step} <id>`)
      .description(description)
      .option('--reason <text>', 'both departments read it')
      .action(async (id: string, options: { reason?: string }) => {
        const client = await context.client();
        context.show(await client.post<Grant>(`${pathOf(id)}/${step}`, options), showGrant);
      });
  }
}

async function readTerms(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (e: unknown) {
    throw new CommandError(
      `无法将 ${file} 读作 JSON · ${file} cannot be read as JSON: ${e instanceof Error ? e.message : e}`,
      exitCodes.usage,
    );
  }
}

function grantTable(grants: Grant[]): string {
  return textTable(grants, [
    { title: 'id', value: ({ id }) => id },
    { title: '数据集 dataset', value: ({ dataset }) => dataset },
    { title: '部门 grantee', value: ({ grantee }) => grantee },
    { title: '状态 state', value: ({ state }) => `${states[state]} ${state}` },
    { title: '到期 expires', value: ({ terms }) => localTime(String(terms.expires)) },
  ]);
}

function showGrant(grant: Grant): void {
  print(grantTable([grant]));
  if (grant.reason !== null) print(`原因 reason: ${grant.reason}`);
  print(JSON.stringify(grant.terms, null, 2));
}

function showImpact(impact: Impact): void {
  print(`正在读取 reading now: ${number(impact.readingNow)}`);
  print(`近30天 last 30 days: ${number(impact.reads)} reads, ${number(impact.lookups)} look-ups`);
  print(`最近使用 last used: ${impact.lastUsed ?? '–'}`);
  print(`其他有效授权 other active grants: ${impact.remaining.join(', ') || '–'}`);
}
