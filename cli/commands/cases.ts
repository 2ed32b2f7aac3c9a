/** `duties`, `case …`: what is owed until when, and acting on it. */
import type { Command } from 'commander';
import { type CaseParty, caseParties } from '../../lib/pure/case-states.ts';
import { type Party, parties } from '../../lib/pure/request-states.ts';
import { textTable } from '../../lib/text-table.ts';
import type { Case, Duty } from '../../schemas/generated/api.ts';
import { type CommandContext, take, wholeNumber } from '../context.ts';
import { localTime, print } from '../output.ts';

/** Actions of people, by command. */
const actions: [command: string, action: string, what: string, reason: 'none' | 'optional' | 'needed'][] = [
  ['accept', 'accept', '核查属实 · accept a correction', 'none'],
  ['reject', 'reject', '不予更正 · reject a correction', 'needed'],
  ['dispute', 'dispute', '提出异议 · dispute a rejection', 'needed'],
  ['uphold', 'uphold', '维持 · uphold a rejection', 'needed'],
  ['overturn', 'overturn', '改予更正 · overturn a rejection', 'needed'],
  ['withdraw', 'withdraw', '撤回 · withdraw a correction, or what was proposed of an entry', 'optional'],
  ['answer', 'answer', '答复评价 · answer a low rating', 'needed'],
  ['replaced', 'confirm-replaced', '确认已更换 · confirm that copies are replaced', 'needed'],
  ['destroyed', 'confirm-destroyed', '确认已销毁 · confirm that copies of a recalled version are destroyed', 'needed'],
  ['destruction', 'confirm-destruction', '确认销毁 · confirm the destruction after a grant’s end', 'needed'],
];

export function caseCommands(program: Command, context: CommandContext): void {
  program
    .command('duties')
    .description('待办事项 · what is owed until when, over requests and cases, the most urgent first')
    .option('--of <kind>', 'request, correction, rating, confirmation, destruction, entry-publication and so on')
    .option('--department <code>', 'whose; others than one’s own for the supervisor and the auditor')
    .option('--dataset <code>')
    .option('--overdue', '已逾期 · whose deadline is past')
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .action(async ({ limit, ...filters }: { limit: number } & Record<string, string | boolean>) => {
      const client = await context.client();
      context.show(await take(client.pages<Duty>(`/duties?${queryOf(filters)}`), limit), showDuties);
    });

  const one = program
    .command('case')
    .description('事项 · corrections, low ratings, what became of copies, reviews of entries');
  one
    .command('list')
    .description('事项列表 · those in which one’s department takes part, newest first')
    .option('--kind <kind>', 'correction, rating, confirmation or destruction')
    .option('--state <state>', 'as `case show` prints it')
    .option('--dataset <code>')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async ({ limit, ...filters }: { limit: number } & Record<string, string>) => {
      const client = await context.client();
      context.show(await take(client.pages<Case>(`/cases?${queryOf(filters)}`), limit), showCases);
    });
  one
    .command('show <case>')
    .description('查看事项 · one case, its history, and what can be done now')
    .action(async (id: string) => {
      const client = await context.client();
      context.show(await client.get<Case>(`/cases/${encodeURIComponent(id)}`), showCase);
    });
  const act = async (id: string, body: object) => {
    const client = await context.client();
    context.show(await client.post<Case>(`/cases/${encodeURIComponent(id)}/actions`, body), showCase);
  };
  for (const [command, action, what, reason] of actions) {
    const added = one.command(`${command} <case>`).description(what);
    if (reason === 'needed') added.requiredOption('--reason <text>', 'kept with the case, shown to both departments');
    if (reason === 'optional') added.option('--reason <text>', 'kept with the case, shown to both departments');
    added.action((id: string, options: { reason?: string }) => act(id, { action, ...options }));
  }
  one
    .command('fixed <case>')
    .description('已更正 · say in which version a correction is mended')
    .requiredOption('--in <version>', 'its number', wholeNumber)
    .option('--reason <text>', 'where the row does not show it')
    .action((id: string, { in: version, ...options }: { in: number; reason?: string }) =>
      act(id, { action: 'fix', version, ...options }),
    );
}

export function queryOf(filters: Record<string, string | boolean | undefined>): URLSearchParams {
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
}

function showDuties(duties: Duty[]): void {
  print(
    textTable(duties, [
      { title: '事项 id', value: (d) => d.id },
      { title: '类别 of', value: (d) => d.of },
      { title: '数据集 dataset', value: (d) => d.dataset },
      { title: '办理 duty', value: (d) => `${d.title.zh} ${d.title.en}` },
      { title: '部门 whose', value: (d) => d.department ?? 'exchange' },
      { title: '期限 due', value: (d) => `${localTime(d.deadline)}${marksOf(d)}` },
    ]),
  );
}

export function showCases(cases: Case[]): void {
  print(
    textTable(cases, [
      { title: '事项 case', value: (c) => c.id },
      { title: '类别 kind', value: (c) => c.kindTitle.zh },
      { title: '数据集 dataset', value: (c) => `${c.dataset}${c.version === null ? '' : ` ${c.version}`}` },
      { title: '部门 department', value: (c) => c.department },
      { title: '状态 state', value: (c) => `${c.stateTitle.zh} ${c.state}` },
      { title: '期限 due', value: (c) => c.duty && `${localTime(c.duty.deadline)}${marksOf(c.duty)}` },
    ]),
  );
}

export function showCase(shown: Case): void {
  const { duty, fixedVersion, fixShown } = shown;
  print(`事项 case ${shown.id}  ${shown.kindTitle.zh} ${shown.stateTitle.zh} ${shown.state}`);
  print(
    `  ${shown.department} → ${shown.dataset} ${shown.version ?? ''} (${shown.provider}); 来源 from ${shown.cause}`,
  );
  if (shown.item !== undefined) print(`  数据项 item ${shown.item}`);
  if (fixedVersion != null) {
    print(
      `  更正版本 mended in ${fixedVersion}${fixShown ? '，已比对 seen by the exchange' : '，由提供部门说明 as the provider says'}`,
    );
  }
  if (duty) {
    const whose = (caseParties[duty.party as CaseParty] ?? parties[duty.party as Party]).zh;
    print(
      `  ${whose} ${duty.department}: ${duty.title.zh} ${duty.title.en} 期限 by ${localTime(duty.deadline)} (规则 policy ${duty.policyVersion})${marksOf(duty)}`,
    );
  }
  for (const event of shown.history ?? []) {
    const version = event.version === undefined ? '' : ` [${event.version}]`;
    print(
      `  ${localTime(event.at)}  ${event.title.zh} ${event.action}${version} → ${event.to}  ${event.department ?? '系统 exchange'}  ${event.reason ?? ''}`,
    );
  }
  for (const { action, title, needs } of shown.actions ?? []) {
    print(`  可办理 you may: ${title.zh} ${action}${needs.length > 0 ? ` (${needs.join(', ')})` : ''}`);
  }
}

function marksOf({ provisional, overdue }: Pick<Duty, 'provisional' | 'overdue'>): string {
  const marks = [provisional && '暂定 provisional', overdue && '逾期 overdue'].filter(Boolean);
  return marks.length > 0 ? ` ${marks.join(', ')}` : '';
}
