/** `entry …`: catalog entries, proposed by their department and reviewed by the supervisor (docs/reference/catalog-entries.md). */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import { districtFileKind } from '../../schemas/definition/layout.ts';
import type { Case, EntryImpact, EntryReview, Item } from '../../schemas/generated/api.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { localTime, print } from '../output.ts';
import { confirmed } from '../prompt.ts';
import { showChanges } from './apply.ts';
import { showCase, showCases } from './cases.ts';

/** Acts that need no look at anything first. */
const actions: [command: string, action: string, what: string, needsReason: boolean][] = [
  ['submit', 'submit', '提交审核 · submit a proposed entry (sharing officer of its department)', false],
  ['withdraw', 'withdraw', '撤回 · take back what was proposed', false],
  ['reject', 'reject-entry', '不予发布 · reject a publication (supervisor)', true],
  ['keep', 'keep-entry', '不予撤销 · reject a revocation (supervisor)', true],
  ['stands', 'entry-stands', '条目无需更新 · the source has changed, and the entry needs no change', true],
];

const examples = `
Examples:
  $ huitong entry propose datasets/health/clinics.yaml    what is new or changed; its contract comes along
  $ huitong entry propose districts/longhua/datasets/health
  $ huitong entry submit 0198c1f2-…                       the department's sharing officer
  $ huitong entry publish 0198c1f2-…                      the supervisor: shows what would change, asks
  $ huitong entry revoke health.clinics --reason 停止提供   shows what would end, asks; then it is reviewed`;

export function entryCommands(program: Command, context: CommandContext): void {
  const entry = program.command('entry').description('目录条目 · propose, review and revoke entries of the catalog');
  entry.addHelpText('after', examples);
  proposeCommand(entry, context);
  reviewCommands(entry, context);
  revokeCommands(entry, context);
  for (const [command, action, what, needsReason] of actions) {
    const added = entry.command(`${command} <case>`).description(what);
    if (needsReason) added.requiredOption('--reason <text>', 'both departments read it');
    else added.option('--reason <text>', 'both departments read it');
    added.action((id: string, options: { reason?: string }) => act(context, id, { action, ...options }));
  }
}

function proposeCommand(entry: Command, context: CommandContext): void {
  entry
    .command('propose <paths...>')
    .description(
      '提出目录条目 · propose datasets: their files, or folders of them; nothing is in force before a review',
    )
    .option('--reason <text>', 'why; the reviewer reads it')
    .action(async (paths: string[], options: { reason?: string }) => {
      const proposals = await proposalsIn(paths);
      const client = await context.client();
      const cases: Case[] = [];
      for (const files of proposals) {
        try {
          cases.push(await client.post<Case>('/entries', { files, ...options }));
        } catch (error) {
          // Of many files most say what is in force; one that was named is told so.
          const same = error instanceof CommandError && error.problem?.code === 'ENTRY_SAME';
          if (!same || proposals.length === 1) throw error;
        }
      }
      context.show(cases, (list) => (list.length > 0 ? showCases(list) : print('没有变化 · nothing to propose')));
    });
}

function reviewCommands(entry: Command, context: CommandContext): void {
  entry
    .command('list')
    .description('审核事项 · publications, revocations and updates of entries, newest first')
    .option('--kind <kind>', 'entry-publication, entry-revocation or entry-update', 'entry-publication')
    .option('--state <state>', 'as `entry show` prints it')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ limit, kind, state }: { limit: number; kind: string; state?: string }) => {
      const client = await context.client();
      const query = new URLSearchParams({ kind, ...(state === undefined ? {} : { state }) });
      context.show(await take(client.pages<Case>(`/cases?${query}`), limit), showCases);
    });
  entry
    .command('show <case>')
    .description('查看审核内容 · what publishing a proposed entry would change, and where its review stands')
    .action(async (id: string) => {
      const client = await context.client();
      const shown = await client.get<Case>(pathOf(id));
      const review = shown.kind === 'entry-publication' && shown.duty !== null ? await reviewOf(context, id) : null;
      context.show({ case: shown, review }, () => {
        if (review !== null) showReview(review);
        showCase(shown);
      });
    });
  entry
    .command('publish <case>')
    .description('准予发布 · publish a proposed entry, exactly as it is shown (supervisor)')
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: boolean }) => {
      const review = await reviewOf(context, id);
      if (!context.json) showReview(review);
      await sure(yes, 'publish this entry?');
      await act(context, id, { action: 'publish', digest: review.digest });
    });
}

function revokeCommands(entry: Command, context: CommandContext): void {
  const impactOf = async (dataset: string) =>
    (await context.client()).get<EntryImpact>(`/datasets/${encodeURIComponent(dataset)}/impact`);
  entry
    .command('impact <dataset>')
    .description('撤销影响 · what revoking an entry would end')
    .action(async (dataset: string) => context.show(await impactOf(dataset), showImpact));
  entry
    .command('revoke <dataset>')
    .description('申请撤销条目 · propose to revoke an entry: shows what that would end, then it is reviewed')
    .requiredOption('--reason <text>', 'the reviewer reads it')
    .option('--yes', 'do not ask')
    .action(async (dataset: string, { yes, reason }: { yes?: boolean; reason: string }) => {
      if (!context.json) showImpact(await impactOf(dataset));
      await sure(yes, 'propose to revoke this entry?');
      const client = await context.client();
      context.show(await client.post<Case>(`/datasets/${encodeURIComponent(dataset)}/revoke`, { reason }), showCase);
    });
  entry
    .command('confirm-revocation <case>')
    .description('准予撤销 · revoke an entry (supervisor): shows what that ends first')
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: boolean }) => {
      const { dataset } = await (await context.client()).get<Case>(pathOf(id));
      if (!context.json) showImpact(await impactOf(dataset));
      await sure(yes, 'revoke this entry?');
      await act(context, id, { action: 'revoke' });
    });
}

const pathOf = (id: string) => `/cases/${encodeURIComponent(id)}`;

async function act(context: CommandContext, id: string, body: object): Promise<void> {
  const client = await context.client();
  context.show(await client.post<Case>(`${pathOf(id)}/actions`, body), showCase);
}

async function reviewOf(context: CommandContext, id: string): Promise<EntryReview> {
  return (await context.client()).get<EntryReview>(`/entries/${encodeURIComponent(id)}`);
}

async function sure(yes: boolean | undefined, question: string): Promise<void> {
  if (yes || (await confirmed(question))) return;
  throw new CommandError('未作更改 · nothing was done', exitCodes.failed);
}

/** The files of each dataset, by their paths in the district's folder, wherever that lies. */
async function proposalsIn(paths: string[]): Promise<Record<string, string>[]> {
  const found = (await Promise.all(paths.map(definitionsAt))).flat();
  const byDataset = new Map<string, Map<string, string>>();
  for (const { name, path } of found) {
    const dataset = name.replace(/\.(yaml|contract\.json)$/, '');
    const files = byDataset.get(dataset) ?? new Map<string, string>();
    byDataset.set(dataset, files.set(name, await readFile(path, 'utf8')));
  }
  if (byDataset.size > 0) return [...byDataset.values()].map((files) => Object.fromEntries(files));
  throw new CommandError(
    `没有数据集的定义文件 · no files of datasets (…/datasets/<department>/<name>.yaml) in ${paths.join(' ')}`,
    exitCodes.usage,
  );
}

interface DefinitionFile {
  /** In the district's folder: what comes from the last `datasets/` on. */
  name: string;
  path: string;
}

/** Of a file: the dataset's, and its contract's beside it, whichever of the two was named. */
async function definitionsAt(given: string): Promise<DefinitionFile[]> {
  const kind = await stat(given).catch(() => undefined);
  if (kind === undefined) throw new CommandError(`没有 ${given} · there is no ${given}`, exitCodes.usage);
  const stem = resolve(given).replace(/\.(yaml|contract\.json)$/, '');
  const paths = kind.isDirectory()
    ? (await readdir(given, { recursive: true })).map((name) => join(resolve(given), name))
    : await present([`${stem}.yaml`, `${stem}.contract.json`]);
  return paths.flatMap((path) => {
    const name = /.*\/(datasets\/.*)$/.exec(path.split(sep).join('/'))?.[1];
    const is = name === undefined ? undefined : districtFileKind(name);
    return name !== undefined && (is === 'dataset' || is === 'contract') ? [{ name, path }] : [];
  });
}

async function present(paths: string[]): Promise<string[]> {
  const there = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, i) => there[i]);
}

function showReview(review: EntryReview): void {
  const { dataset, title, sharing, plan, items, notShared, duplicates, stale } = review;
  print(`目录条目 entry ${dataset}  ${title.zh} ${title.en}`);
  if (stale) print('  已过期：条目已另有变更，请重新提出 · stale: the entry has changed since; propose it again');
  const { before, after } = sharing;
  print(`  共享类型 sharing ${before && before.class !== after.class ? `${before.class} → ` : ''}${after.class}`);
  showChanges(plan);
  for (const { name, change, before: old, after: now } of items) {
    const marks = { added: '+', removed: '-', changed: '~' };
    print(
      `  ${marks[change]} 信息项 item ${name}: ${[old, now].flatMap((item) => (item ? [itemText(item)] : [])).join(' → ')}`,
    );
  }
  for (const { item, basis } of notShared) print(`  不予共享 not shared: ${item}: ${basis.zh} ${basis.en}`);
  for (const { item, of, reason } of duplicates) print(`  重复采集 ${item} repeats ${of}: ${reason.zh} ${reason.en}`);
}

function itemText({ sharingClass, sensitivity, mask, authoritativeFor }: Item): string {
  const parts = [sharingClass, sensitivity === 'none' ? undefined : sensitivity, mask && `mask ${mask}`];
  return [...parts, authoritativeFor && `一数一源 ${authoritativeFor}`].filter(Boolean).join(', ');
}

function showImpact({ dataset, grants, requests, readers, elements, namedBy }: EntryImpact): void {
  print(`撤销影响 what revoking ${dataset} ends:`);
  for (const { id, grantee, expires, lastUsed } of grants) {
    print(`  授权 grant ${id}  ${grantee}  至 until ${localTime(expires)}  最近使用 last used ${lastUsed ?? '—'}`);
  }
  for (const { id, department, state } of requests) print(`  申请 request ${id}  ${department}  ${state}`);
  for (const { department, version } of readers) print(`  用数部门 reader ${department}  版本 version ${version}`);
  for (const { element, citedBy } of elements)
    print(`  一数一源 source of ${element}, cited by ${citedBy.join(', ') || '—'}`);
  for (const code of namedBy) print(`  相关条目 named by ${code}`);
  const counts = [grants.length, requests.length, readers.length];
  print(`  ${counts[0]} 授权 grants, ${counts[1]} 申请 requests, ${counts[2]} 用数部门 readers`);
}
