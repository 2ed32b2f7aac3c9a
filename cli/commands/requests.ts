/** `request …`: ask for another department's data, and decide what others ask for. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Party, parties } from '../../lib/pure/request-states.ts';
import { textTable } from '../../lib/text-table.ts';
import type { Request, RequestDecision, RequestPreview, RequestTerms } from '../../schemas/generated/api.ts';
import { type CommandContext, take } from '../context.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { localTime, print } from '../output.ts';

interface AskOptions {
  items: string;
  purpose: string;
  basis: string;
  expires: string;
  modes: string;
  verifications?: string;
  matter?: string;
  system?: string;
  filter?: string;
  draft?: boolean;
}

interface DecideOptions {
  items?: string;
  modes?: string;
  verifications?: string;
  masks?: string;
  filter?: string;
  expires?: string;
  readsPerDay?: string;
  lookupsPerDay?: string;
  reason?: string;
}

/** Actions that need nothing, or a reason at most. */
const plain: [command: string, action: string, what: string, reason: 'none' | 'optional' | 'needed'][] = [
  ['submit', 'submit', '报审 · hand a draft in for review', 'none'],
  ['endorse', 'endorse', '审核提交 · endorse it for one’s department', 'none'],
  ['return', 'return', '退回修改 · give it back to its author', 'needed'],
  ['ask', 'ask', '要求补正 · ask for information, once', 'needed'],
  ['answer', 'answer', '补正 · answer what was asked', 'needed'],
  ['request-extension', 'request-extension', '申请延期 · ask the supervisor for more time, once', 'needed'],
  ['extend', 'extend', '同意延期 · consent to the extension', 'none'],
  ['deny-extension', 'deny-extension', '不同意延期 · deny the extension', 'needed'],
  ['withdraw', 'withdraw', '撤回 · take it back before it is active', 'optional'],
  ['dispute', 'dispute', '提出异议 · dispute a refusal', 'needed'],
  ['mediate', 'mediate', '受理协调 · take a dispute up', 'none'],
  ['escalate', 'escalate', '提请裁定 · escalate it for a ruling', 'needed'],
  ['suspend', 'suspend', '暂停授权 · suspend its grant', 'needed'],
  ['resume', 'resume', '恢复授权 · resume its grant', 'none'],
  ['revoke', 'revoke', '撤销授权 · revoke its grant', 'needed'],
  ['relinquish', 'relinquish', '交还授权 · give its grant back', 'needed'],
  ['destroyed', 'confirm-destruction', '确认销毁 · confirm that the copies are destroyed', 'needed'],
];

export function requestCommands(program: Command, context: CommandContext): void {
  const request = program
    .command('request')
    .description('申请 · ask for another department’s data; decide what others ask for');
  const act = async (id: string, body: object) => {
    const client = await context.client();
    context.show(await client.post<Request>(`/requests/${encodeURIComponent(id)}/actions`, body), showRequest);
  };

  addCreate(request, context);
  addReading(request, context);
  for (const [command, action, what, reason] of plain) {
    const one = request.command(`${command} <request>`).description(what);
    if (reason === 'needed') one.requiredOption('--reason <text>', 'kept with the request, shown to both departments');
    if (reason === 'optional') one.option('--reason <text>', 'kept with the request, shown to both departments');
    one.action((id: string, options: { reason?: string }) => act(id, { action, ...options }));
  }
  for (const [command, what] of [
    ['approve', '同意共享 · approve it, whole or in part'],
    ['overturn', '改予共享 · overturn the refusal'],
  ] as const) {
    deciding(request.command(`${command} <request>`).description(what)).action(
      async (id: string, options: DecideOptions) =>
        act(id, {
          action: command,
          decision: await decisionOf(options),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        }),
    );
  }
  deciding(
    request.command('preview <request>').description('预览 · what the requester would see under a decision'),
  ).action(async (id: string, options: DecideOptions) => {
    const client = await context.client();
    const path = `/requests/${encodeURIComponent(id)}/preview`;
    context.show(await client.post<RequestPreview>(path, await decisionOf(options)), showPreview);
  });
  for (const [command, what] of [
    ['refuse', '不予共享 · refuse it, citing the law'],
    ['uphold', '维持 · uphold the refusal'],
  ] as const) {
    request
      .command(`${command} <request>`)
      .description(what)
      .requiredOption('--reason <text>', 'kept with the request, shown to both departments')
      .requiredOption('--basis-zh <text>', 'the law or decision that is cited, in Chinese')
      .requiredOption('--basis-en <text>', 'and in English')
      .action((id: string, { reason, basisZh, basisEn }: { reason: string; basisZh: string; basisEn: string }) =>
        act(id, { action: command, reason, basis: { zh: basisZh, en: basisEn } }),
      );
  }
}

function addCreate(request: Command, context: CommandContext): void {
  request
    .command('create <dataset>')
    .description('起草并报审 · draft a request and hand it in')
    .requiredOption('--items <names>', 'columns, separated by commas')
    .requiredOption('--purpose <code>', 'what for')
    .requiredOption('--basis <law>', 'the law or decision on which it rests')
    .requiredOption('--expires <time>', 'until when it is needed; RFC 3339')
    .option('--modes <modes>', 'bulk, changes, lookup, verify; separated by commas', 'bulk')
    .option('--verifications <names>', 'with the mode verify: which of the dataset’s questions')
    .option('--matter <text>', 'the government-service matter')
    .option('--system <text>', 'the system that will read it')
    .option('--filter <file>', 'the rows that are needed: a JSON file, see docs/reference/policies.md')
    .option('--draft', 'keep it as a draft')
    .addHelpText(
      'after',
      '\nExample:\n  $ huitong request create health.vaccinations --items record_id,vaccine \\\n      --purpose school-entry-check --basis 疫苗管理法第四十八条 --expires 2027-09-01T00:00:00Z',
    )
    .action(async (dataset: string, options: AskOptions) => {
      const client = await context.client();
      const { items, modes, verifications, basis: legalBasis, filter, draft, ...rest } = options;
      const rowFilter = filter === undefined ? {} : { rowFilter: await readJson(filter) };
      const asked = verifications === undefined ? {} : { verifications: names(verifications) };
      const terms = { dataset, items: names(items), modes: names(modes), ...asked, legalBasis, ...rest, ...rowFilter };
      const drafted = await client.post<Request>('/requests', terms as RequestTerms);
      const shown = draft
        ? drafted
        : await client.post<Request>(`/requests/${drafted.id}/actions`, { action: 'submit' });
      context.show(shown, showRequest);
    });
}

function addReading(request: Command, context: CommandContext): void {
  request
    .command('list')
    .description('申请列表 · requests that one’s department made or received, newest first')
    .option('--view <view>', 'made, received, or due: whose turn it is')
    .option('--state <state>', 'as `request show` prints it')
    .option('--overdue', 'whose deadline is past')
    .option('--limit <n>', 'how many', '20')
    .action(async ({ limit, ...filters }: { view?: string; state?: string; overdue?: boolean; limit: string }) => {
      const client = await context.client();
      const query = new URLSearchParams(
        Object.entries(filters).map(([name, value]): [string, string] => [name, String(value)]),
      );
      const requests = await take(client.pages<Request>(`/requests?${query}`), Number(limit));
      context.show(requests, showList);
    });

  request
    .command('show <request>')
    .description('查看申请 · one request, its history, and what can be done now')
    .action(async (id: string) => {
      const client = await context.client();
      context.show(await client.get<Request>(`/requests/${encodeURIComponent(id)}`), showRequest);
    });
}

function deciding(command: Command): Command {
  return command
    .option('--items <names>', 'a part of the items, separated by commas')
    .option('--modes <modes>', 'a part of the modes')
    .option('--verifications <names>', 'a part of the verifications')
    .option('--masks <file>', 'by item: a JSON file, see docs/reference/policies.md')
    .option('--filter <file>', 'narrows the rows further: a JSON file')
    .option('--expires <time>', 'earlier than asked for')
    .option('--reads-per-day <n>')
    .option('--lookups-per-day <n>')
    .option('--reason <text>', 'kept with the request, shown to both departments');
}

async function decisionOf(options: DecideOptions): Promise<RequestDecision> {
  const { items, modes, verifications, masks, filter, expires, readsPerDay, lookupsPerDay } = options;
  const quota = {
    ...(readsPerDay === undefined ? {} : { readsPerDay: Number(readsPerDay) }),
    ...(lookupsPerDay === undefined ? {} : { lookupsPerDay: Number(lookupsPerDay) }),
  };
  return {
    ...(items === undefined ? {} : { items: names(items) }),
    ...(modes === undefined ? {} : { modes: names(modes) as RequestDecision['modes'] }),
    ...(verifications === undefined ? {} : { verifications: names(verifications) }),
    ...(masks === undefined ? {} : { masks: (await readJson(masks)) as RequestDecision['masks'] }),
    ...(filter === undefined ? {} : { rowFilter: await readJson(filter) }),
    ...(expires === undefined ? {} : { expires }),
    ...(Object.keys(quota).length === 0 ? {} : { quota }),
  };
}

function showList(requests: Request[]): void {
  print(
    textTable(requests, [
      { title: '申请 request', value: (r) => r.id },
      { title: '数据集 dataset', value: (r) => r.dataset },
      { title: '需求部门 from', value: (r) => r.department },
      { title: '状态 state', value: (r) => `${r.stateTitle.zh} ${r.state}` },
      { title: '待办 whose turn', value: (r) => r.duty && (r.duty.department ?? 'exchange') },
      {
        title: '期限 due',
        value: (r) => r.duty && `${localTime(r.duty.deadline)}${r.duty.overdue ? ' 逾期 overdue' : ''}`,
      },
    ]),
  );
}

function showRequest(request: Request): void {
  const { asked, duty, refusal } = request;
  print(`申请 request ${request.id}  ${request.stateTitle.zh} ${request.state}`);
  print(`  ${request.department} → ${request.dataset} (${request.provider}), ${request.sharingClass}`);
  print(
    `  数据项 items ${asked.items.join(', ')}; 方式 modes ${modesOf(asked)}; 用途 purpose ${asked.purpose}; 依据 basis ${asked.legalBasis}`,
  );
  if (refusal) print(`  不予共享依据 refused by ${refusal.basis.zh} · ${refusal.basis.en}: ${refusal.reason ?? ''}`);
  if (request.grant) print(`  授权 grant ${request.grant}; ${request.decision?.items?.join(', ')}`);
  if (duty) {
    const marks = [duty.provisional && '暂定 provisional', duty.overdue && '逾期 overdue'].filter(Boolean).join(', ');
    const whose = `${parties[duty.party as Party].zh} ${duty.department ?? ''}`.trim();
    print(
      `  ${whose}: ${duty.title.zh} ${duty.title.en} 期限 by ${localTime(duty.deadline)} (规则 policy ${duty.policyVersion}) ${marks}`,
    );
  }
  for (const event of request.history ?? []) {
    print(
      `  ${localTime(event.at)}  ${event.title.zh} ${event.action} → ${event.to}  ${event.department ?? '系统 exchange'}  ${event.reason ?? ''}`,
    );
  }
  for (const { action, title, needs } of request.actions ?? []) {
    print(`  可办理 you may: ${title.zh} ${action}${needs.length > 0 ? ` (${needs.join(', ')})` : ''}`);
  }
}

function modesOf({ modes, verifications }: Pick<RequestTerms, 'modes' | 'verifications'>): string {
  return `${modes.join(', ')}${verifications === undefined ? '' : ` (${verifications.join(', ')})`}`;
}

function showPreview(preview: RequestPreview): void {
  const { rows, rowsRead, rowsGiven, version } = preview;
  print(
    `版本 version ${version}: ${rowsGiven} / ${rowsRead} 行 rows${rowsRead < rows ? ` (${rows} 行中试读 tried)` : ''}`,
  );
  print(
    textTable(preview.columns, [
      { title: '数据项 item', value: (c) => c.name },
      { title: '提供 given', value: (c) => (c.given ? '是 yes' : '否 no') },
      { title: '脱敏 mask', value: (c) => (c.mask === null ? '' : JSON.stringify(c.mask)) },
    ]),
  );
  print(`方式 modes ${given(preview.modes)}`);
  if (preview.verifications.asked.length > 0) print(`核验项 verifications ${given(preview.verifications)}`);
  for (const line of preview.sample) print(`  ${line}`);
}

/** What is given, and what of it was asked for besides. */
function given({ asked, given }: { asked: string[]; given: string[] }): string {
  const refused = asked.filter((name) => !given.includes(name));
  return `${given.join(', ')}${refused.length === 0 ? '' : `; 不予提供 not given: ${refused.join(', ')}`}`;
}

function names(list: string): string[] {
  return list.split(',').map((name) => name.trim());
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new CommandError(
      `${path} 不是 JSON 文件 · ${path} is not a JSON file: ${cause instanceof Error ? cause.message : ''}`,
      exitCodes.usage,
    );
  }
}
