/**
 * The words of a request's life: states, parties, actions and duties, each with what an officer reads. Pure data, safe
 * inside workflows; `request-transitions.ts` says how they hang together, `request-machine.ts` carries it out.
 *
 * Glossary
 *   request   one department's wish to use items of another's dataset, for one purpose
 *   party     in which role somebody acts on a request; the same person may be a different party of another request
 *   person    keyed hash of who acts: an officer's name is neither in a workflow's history nor in the audit log
 *   duty      what a state obliges somebody to do, until a deadline in working days
 */

export interface Words {
  zh: string;
  en: string;
}

export const requestStates = {
  DRAFT: { zh: '草稿', en: 'draft' },
  OFFICER_REVIEW: { zh: '本部门审核', en: 'review by the department’s own sharing officer' },
  SUBMITTED: { zh: '已提交', en: 'submitted' },
  TRIAGE: { zh: '分类受理', en: 'triage' },
  PROVIDER_REVIEW: { zh: '提供部门审核', en: 'review by the provider' },
  NEEDS_INFO: { zh: '待补正', en: 'more information needed' },
  EXTENDED: { zh: '已延期', en: 'extended' },
  REFUSED: { zh: '不予共享', en: 'refused' },
  DISPUTED: { zh: '有异议', en: 'disputed' },
  MEDIATION: { zh: '协调中', en: 'in mediation' },
  ESCALATED: { zh: '提请裁定', en: 'escalated' },
  UPHELD: { zh: '维持', en: 'refusal upheld' },
  OVERTURNED: { zh: '改予共享', en: 'refusal overturned' },
  APPROVED: { zh: '同意共享', en: 'approved' },
  PROVISIONING: { zh: '供数准备', en: 'being provided' },
  ACTIVE: { zh: '授权有效', en: 'active' },
  SUSPENDED: { zh: '授权暂停', en: 'suspended' },
  EXPIRED: { zh: '授权到期', en: 'expired' },
  REVOKED: { zh: '授权撤销', en: 'revoked' },
  DESTRUCTION_PENDING: { zh: '待销毁', en: 'destruction pending' },
  CLOSED: { zh: '已办结', en: 'closed' },
  WITHDRAWN: { zh: '已撤回', en: 'withdrawn' },
} as const satisfies Record<string, Words>;

export type RequestState = keyof typeof requestStates;

export const requestStateNames = Object.keys(requestStates) as RequestState[];

/** Nothing happens to a request in one of these any more: its workflow has ended. */
export const finalStates = ['UPHELD', 'CLOSED', 'WITHDRAWN'] as const satisfies RequestState[];

export const parties = {
  requester: { zh: '需求部门经办人', en: 'officer of the requesting department' },
  'sharing-officer': { zh: '需求部门共享专员', en: 'sharing officer of the requesting department' },
  provider: { zh: '提供部门共享专员', en: 'sharing officer of the providing department' },
  supervisor: { zh: '主管部门', en: 'supervising department' },
  system: { zh: '系统', en: 'the exchange itself' },
} as const satisfies Record<string, Words>;

export type Party = keyof typeof parties;

/** Where the policy profile has no value of its own for a duty, the nearest one holds (decision 0120). */
export type PolicyDuty =
  | 'unconditionalAnswer'
  | 'conditionalAnswer'
  | 'conditionalExtension'
  | 'provision'
  | 'catalogReview';

interface DutyRule extends Words {
  /** Whose. The department of a duty that the exchange itself has is the provider's. */
  of: Party;
  days: PolicyDuty;
  /** A time that merely runs out: nobody is reminded, nothing is overdue. */
  window?: true;
}

export const duties = {
  'officer-review': { zh: '本部门审核', en: 'review the draft', of: 'sharing-officer', days: 'catalogReview' },
  grant: { zh: '无条件共享答复', en: 'grant unconditional data', of: 'system', days: 'unconditionalAnswer' },
  answer: { zh: '共享答复', en: 'decide the request', of: 'provider', days: 'conditionalAnswer' },
  'extended-answer': {
    zh: '延期答复',
    en: 'decide within the extension',
    of: 'provider',
    days: 'conditionalExtension',
  },
  information: { zh: '补正', en: 'give more information', of: 'requester', days: 'conditionalAnswer' },
  objection: { zh: '异议期', en: 'time to object', of: 'requester', days: 'conditionalAnswer', window: true },
  mediation: { zh: '协调', en: 'mediate', of: 'supervisor', days: 'conditionalAnswer' },
  ruling: { zh: '裁定', en: 'rule on the dispute', of: 'supervisor', days: 'conditionalAnswer' },
  provision: { zh: '供数', en: 'provide the data', of: 'provider', days: 'provision' },
  destruction: { zh: '数据销毁', en: 'destroy the copies and confirm it', of: 'requester', days: 'provision' },
} as const satisfies Record<string, DutyRule>;

export type RequestDuty = keyof typeof duties;

type SharingClass = 'unconditional' | 'conditional' | 'not-shared';

/** Undefined where a state obliges nobody. Neighbouring states with the same duty share one deadline. */
export function dutyOf(state: RequestState, sharingClass: SharingClass): RequestDuty | undefined {
  switch (state) {
    case 'OFFICER_REVIEW':
      return 'officer-review';
    case 'SUBMITTED':
    case 'TRIAGE':
      return sharingClass === 'conditional' ? 'answer' : 'grant';
    case 'PROVIDER_REVIEW':
      return 'answer';
    case 'NEEDS_INFO':
      return 'information';
    case 'EXTENDED':
      return 'extended-answer';
    case 'REFUSED':
      return 'objection';
    case 'DISPUTED':
    case 'MEDIATION':
      return 'mediation';
    case 'ESCALATED':
      return 'ruling';
    case 'OVERTURNED':
    case 'APPROVED':
    case 'PROVISIONING':
      return 'provision';
    case 'EXPIRED':
    case 'REVOKED':
    case 'DESTRUCTION_PENDING':
      return 'destruction';
    default:
      return undefined;
  }
}
