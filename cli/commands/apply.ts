/** `apply <district>`: the folder's files go to the exchange, which answers with a plan; then it is applied. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { print } from '../output.ts';

export interface PlannedChange {
  kind: 'district' | 'department' | 'source' | 'dataset' | 'contract' | 'policy';
  action: 'add' | 'change' | 'remove';
  code: string;
  /** One line a change: which field, from what, to what. */
  details?: string[];
}

export interface Plan {
  digest: string;
  changes: PlannedChange[];
}

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
      if (options.plan || plan.changes.length === 0) return context.show(plan, showPlan);
      if (!context.json) showPlan(plan);
      if (!options.yes && !(await confirmed())) throw new CommandError('nothing was applied', exitCodes.failed);
      const applied = await client.post<Plan>('/district/apply', { files, planDigest: plan.digest });
      context.show(applied, (done) => print(`applied ${done.changes.length} changes`));
    });
}

function showPlan(plan: Plan): void {
  if (plan.changes.length === 0) {
    print('nothing to change: the catalog matches the folder');
    return;
  }
  const signs = { add: '+', change: '~', remove: '-' };
  for (const change of plan.changes) {
    print(`${signs[change.action]} ${change.kind} ${change.code}`);
    for (const detail of change.details ?? []) print(`    ${detail}`);
  }
  const count = (action: PlannedChange['action']) => plan.changes.filter((c) => c.action === action).length;
  print(`plan: ${count('add')} to add, ${count('change')} to change, ${count('remove')} to remove`);
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
