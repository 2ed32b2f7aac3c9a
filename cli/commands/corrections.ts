/** `correction …`, `rating …`, `recall`, `recalls`, `metering`, `subject`: what is said of data, and of its use. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { textTable } from '../../lib/text-table.ts';
import type { Case, Metering, Rating, Recall, SubjectAccess } from '../../schemas/generated/api.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { bytes, localTime, number, print, printJson } from '../output.ts';
import { queryOf, showCase } from './cases.ts';

export function correctionCommands(program: Command, context: CommandContext): void {
  addCorrections(program, context);
  addRatings(program, context);
  addRecalls(program, context);
  addLogViews(program, context);
}

function addCorrections(program: Command, context: CommandContext): void {
  const correction = program.command('correction').description('数据更正 · say that one item of one row is wrong');
  correction
    .command('file <file>')
    .description('提出更正 · from a JSON file, or - for standard input')
    .addHelpText(
      'after',
      `
The row's key and what the item should be are personal data: they come in a file, never on the command line.

Example:
  $ huitong correction file - <<'END'
  { "dataset": "health.vaccinations", "version": 3, "key": { "record_id": "V0001" },
    "item": "dose", "claim": 2, "reason": "与接种证不符" }
  END`,
    )
    .action(async (file: string) => {
      const client = await context.client();
      context.show(await client.post<Case>('/corrections', await jsonFrom(file)), showCase);
    });
  correction
    .command('claim <case>')
    .description('查看更正内容 · what is claimed; for the provider’s sharing officer, and logged')
    .action(async (id: string) => {
      const client = await context.client();
      printJson(await client.get(`/corrections/${encodeURIComponent(id)}/claim`));
    });
}

function addRatings(program: Command, context: CommandContext): void {
  const rating = program.command('rating').description('数据评价 · one to five, with reasons');
  rating
    .command('give <dataset> <version>')
    .description('评价 · rate a version that was read, once for each grant')
    .requiredOption('--stars <n>', '1 to 5', wholeNumber)
    .requiredOption('--reasons <text>', 'shown to the provider')
    .option('--grant <id>', 'absent: what is shared unconditionally')
    .action(async (dataset: string, version: string, options: { stars: number; reasons: string; grant?: string }) => {
      const client = await context.client();
      const given = await client.post<Rating>('/ratings', { dataset, version: Number(version), ...options });
      context.show([given], showRatings);
    });
  rating
    .command('list')
    .description('评价列表 · given or received, newest first')
    .option('--dataset <code>')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ limit, dataset }: { limit: number; dataset?: string }) => {
      const client = await context.client();
      context.show(await take(client.pages<Rating>(`/ratings?${queryOf({ dataset })}`), limit), showRatings);
    });
}

function addRecalls(program: Command, context: CommandContext): void {
  program
    .command('recall <dataset> <version>')
    .description('撤回版本 · take a version back; its readers must say what became of their copies')
    .requiredOption('--reason <text>', 'shown to every department that has read it')
    .action(async (dataset: string, version: string, { reason }: { reason: string }) => {
      const client = await context.client();
      const path = `/datasets/${encodeURIComponent(dataset)}/versions/${encodeURIComponent(version)}/recall`;
      context.show([await client.post<Recall>(path, { reason })], showRecalls);
    });
  program
    .command('recalls')
    .description('撤回的版本 · recalled versions, newest first, and how far their readers are')
    .option('--dataset <code>')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ limit, dataset }: { limit: number; dataset?: string }) => {
      const client = await context.client();
      context.show(await take(client.pages<Recall>(`/recalls?${queryOf({ dataset })}`), limit), showRecalls);
    });
}

interface MeteringOptions {
  by: string;
  from?: string;
  to?: string;
  dataset?: string;
  department?: string;
}

function addLogViews(program: Command, context: CommandContext): void {
  program
    .command('metering')
    .description('用量 · reads, rows, bytes, look-ups and refusals, counted from the audit log')
    .option('--by <names>', 'dataset, grant, matter, department, day; separated by commas', 'dataset')
    .option('--from <day>', 'YYYY-MM-DD, Asia/Shanghai')
    .option('--to <day>', 'YYYY-MM-DD')
    .option('--dataset <code>')
    .option('--department <code>', 'who has used it')
    .action(async (options: MeteringOptions) => {
      const client = await context.client();
      const { items } = await client.get<{ items: Metering[] }>(`/metering?${queryOf({ ...options })}`);
      context.show(items, (sums) => showMetering(sums, options.by.split(',') as (keyof Metering)[]));
    });
  program
    .command('subject')
    .description('个人信息查阅记录 · who looked at one person’s record; the ID comes from standard input')
    .action(async () => {
      const id = (await text(process.stdin)).trim();
      const client = await context.client();
      context.show(await client.post<SubjectAccess>('/subjects/access', { id }), showSubject);
    });
}

function showRatings(ratings: Rating[]): void {
  print(
    textTable(ratings, [
      { title: '数据集 dataset', value: (r) => `${r.dataset} ${r.version}` },
      { title: '部门 from', value: (r) => r.department },
      { title: '星级 stars', value: (r) => r.stars, align: 'right' },
      { title: '理由 reasons', value: (r) => r.reasons },
      { title: '答复 answer', value: (r) => r.answer ?? (r.case === null ? null : `待答复 due: ${r.case}`) },
    ]),
  );
}

function showRecalls(recalls: Recall[]): void {
  print(
    textTable(recalls, [
      { title: '版本 version', value: (r) => `${r.dataset} ${r.version}` },
      { title: '理由 reason', value: (r) => r.reason },
      { title: '用数部门 readers', value: (r) => r.readers, align: 'right' },
      { title: '已确认 confirmed', value: (r) => r.confirmed, align: 'right' },
      { title: '逾期 overdue', value: (r) => r.overdue, align: 'right' },
      { title: '撤回时间 at', value: (r) => localTime(r.recalledAt) },
    ]),
  );
}

function showMetering(sums: Metering[], by: (keyof Metering)[]): void {
  print(
    textTable(sums, [
      ...by.map((name) => ({ title: name, value: (m: Metering) => m[name] })),
      { title: '读取 reads', value: (m) => number(m.reads), align: 'right' },
      { title: '行 rows', value: (m) => number(m.rows), align: 'right' },
      { title: '字节 bytes', value: (m) => bytes(m.bytes), align: 'right' },
      { title: '查询 look-ups', value: (m) => number(m.lookups), align: 'right' },
      { title: '拒绝 refusals', value: (m) => number(m.refusals), align: 'right' },
    ]),
  );
}

function showSubject({ lookups, bulkGrants }: SubjectAccess): void {
  print(
    textTable(lookups, [
      { title: '时间 time', value: (l) => localTime(l.time) },
      { title: '部门 department', value: (l) => l.department },
      { title: '数据集 dataset', value: (l) => l.dataset },
      { title: '用途 purpose', value: (l) => l.purpose },
      { title: '事由 matter', value: (l) => l.matter },
      { title: '结果 decision', value: (l) => l.decision },
    ]),
  );
  for (const grant of bulkGrants) {
    print(`批量授权 bulk: ${grant.department} ${grant.dataset} ${grant.purpose} (${grant.legalBasis})`);
  }
}

async function jsonFrom(file: string): Promise<unknown> {
  const source = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  try {
    return JSON.parse(source);
  } catch {
    // The parser's own message would quote what it has read.
    throw new CommandError(`${file} 不是 JSON · ${file} is not JSON`, exitCodes.usage);
  }
}
