/** `apply <district>`: the folder's files go to the exchange, which answers with a plan; then it is applied. */
import type { Command } from 'commander';
import { readDistrictFolder } from '../../schemas/definition/read-folder.ts';
import type { Plan } from '../../schemas/generated/api.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { print } from '../output.ts';
import { confirmed } from '../prompt.ts';

const DISTRICT = 'district.yaml';

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
      if (options.plan) {
        context.show(plan, showPlan);
        return;
      }
      if (!context.json) showPlan(plan);
      // Applying what is there already is safe, and sets the schedules again.
      const sure = options.yes || plan.empty || (await confirmed('apply this plan?'));
      if (!sure) throw new CommandError('未作更改 · nothing was applied', exitCodes.failed);
      const applied = await client.post<Plan>('/district/apply', { files, planDigest: plan.digest });
      context.show(applied, ({ empty, added, changed, removed }) => {
        if (!empty) print(`applied: ${added.length} added, ${changed.length} changed, ${removed.length} removed`);
      });
    });
}

function showPlan(plan: Plan): void {
  for (const code of plan.kept)
    print(`= dataset ${code} 经审核，不由文件夹更改 · stays as reviewed: huitong entry propose`);
  if (plan.empty) {
    print('nothing to change: the catalog matches the folder');
    return;
  }
  showChanges(plan);
  print(`plan: ${plan.added.length} to add, ${plan.changed.length} to change, ${plan.removed.length} to remove`);
}

/** What would change, and what is wrong with it. */
export function showChanges(plan: Omit<Plan, 'digest'>): void {
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
}

async function readDefinitions(folder: string): Promise<Record<string, string>> {
  try {
    const files = await readDistrictFolder(folder);
    if (DISTRICT in files) return files;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new CommandError(`没有文件夹 ${folder} · there is no folder ${folder}`, exitCodes.usage);
  }
  throw new CommandError(
    `${folder} 中没有 ${DISTRICT}：请给出整个区的文件夹 · there is no ${DISTRICT} in ${folder}: give the folder of the whole district`,
    exitCodes.usage,
  );
}
