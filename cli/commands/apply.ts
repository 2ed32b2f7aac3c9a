/** `apply <district>`: the folder's files go to the exchange, which answers with a plan; then it is applied. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Plan } from '../../schemas/generated/api.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { print } from '../output.ts';

export function applyCommand(program: Command, context: CommandContext): void {
  program
    .command('apply <district>')
    .description('make the catalog match a folder of definitions; shows the plan first')
    .option('--plan', 'only show the plan')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nExamples:\n  $ huitong apply districts/longhua --plan\n  $ huitong apply districts/longhua --yes',
    )
    .action(async (folder: string, options: { plan?: boolean; yes?: boolean }) => {
      const files = await readDefinitions(folder);
      const client = await context.client();
      const plan = await client.post<Plan>('/district/plan', { files });
      if (options.plan || plan.empty) {
        context.show(plan, showPlan);
        return;
      }
      if (!context.json) showPlan(plan);
      if (!options.yes && !(await confirmed())) throw new CommandError('nothing was applied', exitCodes.failed);
      const applied = await client.post<Plan>('/district/apply', { files, planDigest: plan.digest });
      context.show(applied, (done) =>
        print(`applied: ${done.added.length} added, ${done.changed.length} changed, ${done.removed.length} removed`),
      );
    });
}

function showPlan(plan: Plan): void {
  if (plan.empty) {
    print('nothing to change: the catalog matches the folder');
    return;
  }
  for (const { kind, code } of plan.added) print(`+ ${kind} ${code}`);
  for (const { kind, code, changes } of plan.changed) {
    print(`~ ${kind} ${code}`);
    for (const { pointer, from, to } of changes)
      print(`    ${pointer}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  }
  for (const { kind, code } of plan.removed) print(`- ${kind} ${code}`);
  for (const { dataset, from, to, level, findings } of plan.contracts) {
    if (level === 'new') continue;
    print(`  contract of ${dataset}: ${from} → ${to} (${level})`);
    for (const finding of findings) print(`    ${finding}`);
  }
  for (const { code, message, at } of plan.problems) print(`✗ ${at ? `${at}: ` : ''}${message} (${code})`);
  print(`plan: ${plan.added.length} to add, ${plan.changed.length} to change, ${plan.removed.length} to remove`);
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      'standard input is not a terminal: give --yes to apply without being asked',
      exitCodes.usage,
    );
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question('apply this plan? [y/N] ')).trim());
  } finally {
    lines.close();
  }
}

/** Every YAML and JSON file below the folder, except its databases, by path relative to the folder. */
export async function readDefinitions(folder: string): Promise<Record<string, string>> {
  const isFolder = await stat(folder).then(
    (s) => s.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new CommandError(`there is no folder ${folder}`, exitCodes.usage);
  const files: Record<string, string> = {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    if (!entry.isFile() || !/\.(ya?ml|json)$/.test(name) || name.startsWith('databases/')) continue;
    files[name] = await readFile(path, 'utf8');
  }
  return files;
}
