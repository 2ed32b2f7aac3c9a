/** `lookup` and `verify-lookup`: single rows by key. Keys come from a file or standard input, so that no shell keeps them. */
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { print } from '../output.ts';

interface Answered {
  dataset: string;
  version: number;
  grant: string;
  receipt: unknown;
}

interface LookupAnswer extends Answered {
  results: { found: boolean; record?: Record<string, unknown> }[];
}

interface VerifyAnswer extends Answered {
  result: 'yes' | 'no';
}

interface Scope {
  purpose: string;
  matter: string;
  grant?: string;
  receipt?: string;
}

interface LookupOptions extends Scope {
  key?: string[];
  keys?: string;
  columns?: string;
}

interface VerifyOptions extends Scope {
  key?: string[];
  keys?: string;
  match?: string[];
  verification: string;
}

type Key = Record<string, unknown>;

const keysHelp = `
Keys are JSON, one object or an array of up to 1,000, from a file or from standard input (-). With --key they are on the
command line, where the shell's history and other users of the machine may see them.

Examples:
  $ echo '{"证照标识":"0198c1f2-0000-7000-8000-000000000003"}' | huitong lookup government-services.e-licences \\
      --keys - --purpose licence-check --matter SX-2026-001 --receipt receipt.json
  $ huitong audit verify log.jsonl --key exchange.pem --receipt receipt.json`;

export function lookupCommands(program: Command, context: CommandContext): void {
  scoped(program.command('lookup <dataset>').description('look rows up by their whole key, under a grant for it'))
    .option('--columns <names>', 'only these, separated by commas')
    .action(async (dataset: string, options: LookupOptions) => {
      const keys = await keysOf(options);
      const client = await context.client();
      const answer = await client.post<LookupAnswer>(pathOf(dataset), {
        keys,
        ...scopeOf(options),
        ...(options.columns === undefined ? {} : { columns: options.columns.split(',') }),
      });
      await keepReceipt(answer, options);
      context.show(answer, showRecords);
    });

  scoped(
    program.command('verify-lookup <dataset>').description('ask a question of one row that is answered with yes or no'),
  )
    .requiredOption('--verification <name>', 'which question; `huitong dataset show` lists them')
    .option('--match <column=value...>', 'what the question is given besides the key; or in the file, as "matching"')
    .action(async (dataset: string, options: VerifyOptions) => {
      const given = await keysOf(options);
      const { matching, ...key } = Array.isArray(given) ? (given[0] ?? {}) : given;
      const client = await context.client();
      const answer = await client.post<VerifyAnswer>(`${pathOf(dataset)}/verify`, {
        key,
        verification: options.verification,
        matching: { ...(isObject(matching) ? matching : {}), ...pairsOf(options.match ?? []) },
        ...scopeOf(options),
      });
      await keepReceipt(answer, options);
      context.show(answer, ({ result, version }) => print(`${result}  (version ${version})`));
    });
}

function scoped(command: Command): Command {
  return command
    .option('--keys <file>', 'JSON; - for standard input')
    .option('--key <column=value...>', 'one key, a column at a time; values are sent as text')
    .requiredOption('--purpose <code>', 'the purpose that the grant names')
    .requiredOption('--matter <id>', 'the case for which it is asked')
    .option('--grant <id>', 'under this grant of one’s own')
    .option('--receipt <file>', 'keep the receipt, for verification offline')
    .addHelpText('after', keysHelp);
}

/** `-` is standard input. Throws CommandError; what was read is never repeated. */
async function keysOf({ key, keys }: { key?: string[]; keys?: string }): Promise<Key | Key[]> {
  if ((key === undefined) === (keys === undefined)) {
    throw new CommandError(
      '请用 --keys <文件> 或 --key 列=值 给出主键 · give the key by --keys <file>, or by --key column=value',
      exitCodes.usage,
    );
  }
  if (keys === undefined) return pairsOf(key ?? []);
  const document = await (keys === '-' ? text(process.stdin) : readFile(keys, 'utf8')).catch(() => {
    throw new CommandError(`无法读取 ${keys} · ${keys} cannot be read`, exitCodes.usage);
  });
  try {
    const parsed: unknown = JSON.parse(document);
    if (Array.isArray(parsed) ? parsed.every(isObject) : isObject(parsed)) return parsed as Key | Key[];
  } catch {
    // The parser's message quotes what it found.
  }
  throw new CommandError(
    '主键须为 JSON 对象或对象数组 · the keys are neither a JSON object nor an array of them',
    exitCodes.usage,
  );
}

function pairsOf(pairs: string[]): Key {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new CommandError('主键写作 列=值 · a key is written as column=value', exitCodes.usage);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function isObject(value: unknown): value is Key {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pathOf(dataset: string): string {
  return `/lookups/${encodeURIComponent(dataset)}`;
}

function scopeOf({ purpose, matter, grant }: Scope) {
  return { purpose, matter, ...(grant === undefined ? {} : { grant }) };
}

async function keepReceipt({ receipt }: Answered, { receipt: file }: Scope): Promise<void> {
  if (file !== undefined) await writeFile(file, `${JSON.stringify(receipt, null, 2)}\n`);
}

/** One line a key, in their order. */
function showRecords({ results, version }: LookupAnswer): void {
  for (const { found, record } of results) print(found ? JSON.stringify(record) : '无 · not found');
  process.stderr.write(`version ${version}\n`);
}
