/**
 * The transition table of a request (GOVERNANCE, "Request"): who may do what, from which state to which, under which
 * guards and with which effects. The one place: API, workflow, database writer, tests and docs/reference/requests.md
 * all read it.
 */
import type { Party, RequestState, Words } from './request-states.ts';

/** What must hold besides state and party; `request-machine.ts` tests each. */
export const guards = {
  'another-person': { zh: '不得由申请经办人本人办理', en: 'nobody decides a request of their own' },
  'info-once': { zh: '补正以一次为限', en: 'more information may be asked for once' },
  'extension-once': { zh: '延期以一次为限', en: 'an extension may be asked for once' },
  'extension-asked': { zh: '提供部门尚未申请延期', en: 'the provider has not asked for an extension' },
  unconditional: { zh: '仅限无条件共享', en: 'only for unconditional data' },
  conditional: { zh: '仅限有条件共享', en: 'only for conditional data' },
  'not-shared': { zh: '仅限不予共享', en: 'only for data that is not shared' },
  shareable: {
    zh: '不予共享的数据项由目录变更程序处理',
    en: 'data that is not shared by law is disputed through its catalog entry, not through a request',
  },
} as const satisfies Record<string, Words>;

export type Guard = keyof typeof guards;

/** What an action must come with, beyond its name. */
export type Need = 'terms' | 'reason' | 'basis' | 'decision';

export type Effect = 'create-grant' | 'suspend-grant' | 'resume-grant' | 'revoke-grant';

export interface Transition extends Words {
  from: readonly RequestState[];
  /** `same`: no change of state. `back`: to the state in which information was asked for. */
  to: RequestState | 'same' | 'back';
  by: readonly Party[];
  guards?: readonly Guard[];
  needs?: readonly Need[];
  effects?: readonly Effect[];
  /** Of the system's actions: `at-once` when the state is entered, or `timer`. */
  when?: 'at-once' | 'timer';
}

/** One line of the table. */
function row(zh: string, en: string, rule: Omit<Transition, keyof Words>): Transition {
  return { zh, en, ...rule };
}

const deciding = ['PROVIDER_REVIEW', 'EXTENDED'] as const;
const live = ['ACTIVE', 'SUSPENDED'] as const;
const disputed = ['DISPUTED', 'MEDIATION', 'ESCALATED'] as const;
const granted = ['OVERTURNED', 'APPROVED', 'PROVISIONING'] as const;
const withDuty = [
  'OFFICER_REVIEW',
  'SUBMITTED',
  'TRIAGE',
  'NEEDS_INFO',
  'DESTRUCTION_PENDING',
  ...deciding,
  ...disputed,
  ...granted,
] as const;

export const transitions = {
  amend: row('修改', 'amend', { from: ['DRAFT'], to: 'same', by: ['requester'], needs: ['terms'] }),
  submit: row('报审', 'hand in for review', { from: ['DRAFT'], to: 'OFFICER_REVIEW', by: ['requester'] }),
  return: row('退回修改', 'return', {
    from: ['OFFICER_REVIEW'],
    to: 'DRAFT',
    by: ['sharing-officer'],
    needs: ['reason'],
  }),
  endorse: row('审核提交', 'endorse and submit', {
    from: ['OFFICER_REVIEW'],
    to: 'SUBMITTED',
    by: ['sharing-officer'],
    guards: ['another-person'],
  }),
  accept: row('校验通过', 'validate', { from: ['SUBMITTED'], to: 'TRIAGE', by: ['system'], when: 'at-once' }),
  'send-back': row('校验未通过', 'send back: not valid', {
    from: ['SUBMITTED'],
    to: 'DRAFT',
    by: ['system'],
    needs: ['reason'],
    when: 'at-once',
  }),
  'grant-unconditional': row('自动授权', 'grant automatically', {
    from: ['TRIAGE'],
    to: 'APPROVED',
    by: ['system'],
    guards: ['unconditional'],
    needs: ['decision'],
    when: 'at-once',
  }),
  stop: row('依法不予共享', 'stop by law', {
    from: ['TRIAGE'],
    to: 'REFUSED',
    by: ['system'],
    when: 'at-once',
    guards: ['not-shared'],
    needs: ['basis'],
  }),
  route: row('转提供部门', 'route to the provider', {
    from: ['TRIAGE'],
    to: 'PROVIDER_REVIEW',
    by: ['system'],
    guards: ['conditional'],
    when: 'at-once',
  }),
  ask: row('要求补正', 'ask for information', {
    from: deciding,
    to: 'NEEDS_INFO',
    by: ['provider'],
    guards: ['info-once'],
    needs: ['reason'],
  }),
  answer: row('补正', 'answer', { from: ['NEEDS_INFO'], to: 'back', by: ['requester'], needs: ['reason'] }),
  'request-extension': row('申请延期', 'ask for an extension', {
    from: ['PROVIDER_REVIEW'],
    to: 'same',
    by: ['provider'],
    guards: ['extension-once'],
    needs: ['reason'],
  }),
  extend: row('同意延期', 'consent to the extension', {
    from: ['PROVIDER_REVIEW'],
    to: 'EXTENDED',
    by: ['supervisor'],
    guards: ['extension-asked', 'another-person'],
  }),
  'deny-extension': row('不同意延期', 'deny the extension', {
    from: ['PROVIDER_REVIEW'],
    to: 'same',
    by: ['supervisor'],
    guards: ['extension-asked', 'another-person'],
    needs: ['reason'],
  }),
  approve: row('同意共享', 'approve', {
    from: [...deciding, 'MEDIATION'],
    to: 'APPROVED',
    by: ['provider'],
    guards: ['conditional', 'another-person'],
    needs: ['decision'],
  }),
  refuse: row('不予共享', 'refuse', {
    from: deciding,
    to: 'REFUSED',
    by: ['provider'],
    guards: ['another-person'],
    needs: ['reason', 'basis'],
  }),
  dispute: row('提出异议', 'dispute', {
    from: ['REFUSED'],
    to: 'DISPUTED',
    by: ['requester'],
    guards: ['shareable'],
    needs: ['reason'],
  }),
  'close-refused': row('异议期满办结', 'close: nobody objected', {
    from: ['REFUSED'],
    to: 'CLOSED',
    by: ['system'],
    when: 'timer',
  }),
  mediate: row('受理协调', 'take up for mediation', {
    from: ['DISPUTED'],
    to: 'MEDIATION',
    by: ['supervisor'],
    guards: ['another-person'],
  }),
  escalate: row('提请裁定', 'escalate', {
    from: ['MEDIATION'],
    to: 'ESCALATED',
    by: ['supervisor'],
    needs: ['reason'],
    guards: ['another-person'],
  }),
  uphold: row('维持', 'uphold the refusal', {
    from: ['ESCALATED'],
    to: 'UPHELD',
    by: ['supervisor'],
    guards: ['another-person'],
    needs: ['reason', 'basis'],
  }),
  overturn: row('改予共享', 'overturn the refusal', {
    from: ['ESCALATED'],
    to: 'OVERTURNED',
    by: ['supervisor'],
    guards: ['conditional', 'another-person'],
    needs: ['reason', 'decision'],
  }),
  'carry-out': row('执行裁定', 'carry out the ruling', {
    from: ['OVERTURNED'],
    to: 'APPROVED',
    by: ['system'],
    when: 'at-once',
  }),
  provision: row('开始供数', 'begin to provide', {
    from: ['APPROVED'],
    to: 'PROVISIONING',
    by: ['system'],
    when: 'at-once',
  }),
  activate: row('授权生效', 'activate', {
    from: ['PROVISIONING'],
    to: 'ACTIVE',
    by: ['system'],
    when: 'at-once',
    effects: ['create-grant'],
  }),
  suspend: row('暂停授权', 'suspend', {
    from: ['ACTIVE'],
    to: 'SUSPENDED',
    by: ['provider', 'supervisor'],
    needs: ['reason'],
    effects: ['suspend-grant'],
  }),
  resume: row('恢复授权', 'resume', {
    from: ['SUSPENDED'],
    to: 'ACTIVE',
    by: ['provider', 'supervisor'],
    guards: ['another-person'],
    effects: ['resume-grant'],
  }),
  // By the exchange where the entry of the dataset was revoked.
  revoke: row('撤销授权', 'revoke', {
    from: live,
    to: 'REVOKED',
    by: ['provider', 'supervisor', 'system'],
    needs: ['reason'],
    effects: ['revoke-grant'],
  }),
  relinquish: row('交还授权', 'give the grant back', {
    from: live,
    to: 'REVOKED',
    by: ['requester'],
    needs: ['reason'],
    effects: ['revoke-grant'],
  }),
  expire: row('授权到期', 'expire', {
    from: live,
    to: 'EXPIRED',
    by: ['system'],
    when: 'timer',
    effects: ['revoke-grant'],
  }),
  'require-destruction': row('要求销毁', 'require destruction', {
    from: ['EXPIRED', 'REVOKED'],
    to: 'DESTRUCTION_PENDING',
    by: ['system'],
    when: 'at-once',
  }),
  'confirm-destruction': row('确认销毁', 'confirm destruction', {
    from: ['DESTRUCTION_PENDING'],
    to: 'CLOSED',
    by: ['requester'],
    needs: ['reason'],
  }),
  withdraw: row('撤回', 'withdraw', {
    to: 'WITHDRAWN',
    by: ['requester'],
    from: ['DRAFT', 'OFFICER_REVIEW', 'SUBMITTED', 'TRIAGE', 'NEEDS_INFO', ...deciding, ...disputed, ...granted],
  }),
  remind: row('催办', 'remind', { from: withDuty, to: 'same', by: ['system'], when: 'timer' }),
  overdue: row('逾期上报', 'overdue: escalate to the supervisor', {
    from: withDuty,
    to: 'same',
    by: ['system'],
    when: 'timer',
  }),
  recompute: row('重算期限', 'compute the deadline again', {
    from: [...withDuty, 'REFUSED'],
    to: 'same',
    by: ['system'],
    when: 'timer',
  }),
} satisfies Record<string, Transition>;

export type RequestAction = keyof typeof transitions;

export const requestActions = Object.keys(transitions) as RequestAction[];

/** What people do, as the API accepts it; the rest are the exchange's own. */
export const officerActions = requestActions.filter((action) => transitions[action].by[0] !== 'system');
