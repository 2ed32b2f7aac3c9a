/**
 * The words of a case's life: kinds, states, parties and duties, each with what an officer reads. Pure data, safe inside
 * workflows; `case-transitions.ts` says how they hang together, `case-machine.ts` carries it out.
 *
 * Glossary
 *   case          事项: something between two departments that is owed an answer or an act until a deadline, after data
 *                 has been shared. A request has a machine of its own (request-states.ts)
 *   correction    a reader says that one item of one row is wrong; the provider checks, and mends it or says why not
 *   rating        a low rating of a version; the provider answers it
 *   confirmation  a version was recalled or corrected; who read it confirms that the copies are gone or replaced
 *   destruction   a grant that answers no request has ended; who held it confirms that the copies are gone
 *   entry-…       目录条目: an entry of the catalog is to be published, revoked, or brought up to date (decision 0235)
 *   claimant      the department that filed a correction, gave a rating or proposes an entry
 *   holder        the department that has copies
 */
import type { PolicyDuty, Words } from './request-states.ts';

export const caseKinds = {
  correction: { zh: '数据更正', en: 'correction' },
  rating: { zh: '数据评价', en: 'low rating' },
  confirmation: { zh: '副本处置', en: 'confirmation about copies' },
  destruction: { zh: '数据销毁', en: 'destruction' },
  'entry-publication': { zh: '目录条目发布', en: 'publication of a catalog entry' },
  'entry-revocation': { zh: '目录条目撤销', en: 'revocation of a catalog entry' },
  'entry-update': { zh: '目录条目更新', en: 'update of a catalog entry' },
} as const satisfies Record<string, Words>;

export type CaseKind = keyof typeof caseKinds;

export const caseKindNames = Object.keys(caseKinds) as CaseKind[];

/** Those between a department and the supervisor of the catalog, about the entry of one dataset. */
export const entryKinds: readonly CaseKind[] = ['entry-publication', 'entry-revocation', 'entry-update'];

export const caseStates = {
  FILED: { zh: '已提出', en: 'filed' },
  PROVIDER_CHECK: { zh: '提供部门核查', en: 'being checked by the provider' },
  ACCEPTED: { zh: '核查属实', en: 'accepted, to be mended' },
  FIXED_IN: { zh: '已更正', en: 'mended in a version' },
  CONSUMERS_NOTIFIED: { zh: '已通知用数部门', en: 'readers notified' },
  REJECTED: { zh: '不予更正', en: 'rejected' },
  DISPUTED: { zh: '有异议', en: 'disputed' },
  UPHELD: { zh: '维持', en: 'rejection upheld' },
  CLOSED: { zh: '已办结', en: 'closed' },
  WITHDRAWN: { zh: '已撤回', en: 'withdrawn' },
  ANSWER_DUE: { zh: '待答复', en: 'answer due' },
  ANSWERED: { zh: '已答复', en: 'answered' },
  CONFIRMATION_DUE: { zh: '待确认处置', en: 'confirmation due' },
  CONFIRMED: { zh: '已确认处置', en: 'confirmed' },
  DESTRUCTION_PENDING: { zh: '待销毁', en: 'destruction pending' },
  ENTRY_DRAFT: { zh: '条目草稿', en: 'entry proposed, not yet submitted' },
  PUBLISH_REVIEW: { zh: '发布审核', en: 'publication under review' },
  PUBLISHED: { zh: '已发布', en: 'published' },
  ENTRY_REJECTED: { zh: '不予发布', en: 'publication rejected' },
  REVOKE_REVIEW: { zh: '撤销审核', en: 'revocation under review' },
  REVOKED: { zh: '已撤销', en: 'revoked' },
  ENTRY_KEPT: { zh: '不予撤销', en: 'revocation rejected' },
  ENTRY_UPDATE_DUE: { zh: '条目待更新', en: 'entry to be brought up to date' },
  ENTRY_UPDATED: { zh: '条目已更新', en: 'entry up to date' },
} as const satisfies Record<string, Words>;

export type CaseState = keyof typeof caseStates;

export const caseStateNames = Object.keys(caseStates) as CaseState[];

/** In which state a case of this kind begins. */
export const firstStates = {
  correction: 'FILED',
  rating: 'ANSWER_DUE',
  confirmation: 'CONFIRMATION_DUE',
  destruction: 'DESTRUCTION_PENDING',
  'entry-publication': 'ENTRY_DRAFT',
  'entry-revocation': 'REVOKE_REVIEW',
  'entry-update': 'ENTRY_UPDATE_DUE',
} as const satisfies Record<CaseKind, CaseState>;

/** Nothing happens to a case in one of these any more: its workflow has ended. */
export const finalCaseStates: readonly CaseState[] = [
  'CONSUMERS_NOTIFIED',
  'UPHELD',
  'CLOSED',
  'WITHDRAWN',
  'ANSWERED',
  'CONFIRMED',
  'PUBLISHED',
  'ENTRY_REJECTED',
  'REVOKED',
  'ENTRY_KEPT',
  'ENTRY_UPDATED',
];

/** An entry has one of these at most: what is proposed next waits for what is under review. */
export const openReviewStates: readonly CaseState[] = ['ENTRY_DRAFT', 'PUBLISH_REVIEW', 'REVOKE_REVIEW'];

export const caseParties = {
  claimant: { zh: '提出部门', en: 'the department that filed it' },
  holder: { zh: '持有部门', en: 'the department that has copies' },
  provider: { zh: '提供部门共享专员', en: 'sharing officer of the providing department' },
  supervisor: { zh: '主管部门', en: 'supervising department' },
  system: { zh: '系统', en: 'the exchange itself' },
} as const satisfies Record<string, Words>;

export type CaseParty = keyof typeof caseParties;

interface CaseDutyRule extends Words {
  of: Exclude<CaseParty, 'system'>;
  days: PolicyDuty | 'correctionAnswer' | 'catalogUpdate';
  /** A time that merely runs out: nobody is reminded, nothing is overdue. */
  window?: true;
}

/** Where the policy profile has no value of its own for a duty, the nearest one holds (decision 0190). */
export const caseDuties = {
  'correction-answer': { zh: '更正答复', en: 'answer the correction', of: 'provider', days: 'correctionAnswer' },
  'correction-fix': { zh: '数据更正', en: 'publish the corrected row', of: 'provider', days: 'provision' },
  'correction-objection': {
    zh: '异议期',
    en: 'time to object',
    of: 'claimant',
    days: 'conditionalAnswer',
    window: true,
  },
  'correction-ruling': { zh: '裁定', en: 'rule on the dispute', of: 'supervisor', days: 'conditionalAnswer' },
  'rating-answer': { zh: '评价答复', en: 'answer the low rating', of: 'provider', days: 'correctionAnswer' },
  'copies-confirmation': {
    zh: '副本处置',
    en: 'destroy or replace the copies and confirm it',
    of: 'holder',
    days: 'correctionAnswer',
  },
  'copies-destruction': {
    zh: '数据销毁',
    en: 'destroy the copies and confirm it',
    of: 'holder',
    days: 'provision',
  },
  'entry-submission': {
    zh: '提交审核',
    en: 'submit the entry, or take it back',
    of: 'provider',
    days: 'catalogReview',
  },
  'publication-review': { zh: '发布审核', en: 'review the publication', of: 'supervisor', days: 'catalogReview' },
  'revocation-review': { zh: '撤销审核', en: 'review the revocation', of: 'supervisor', days: 'catalogReview' },
  'entry-update': { zh: '更新目录条目', en: 'bring the entry up to date', of: 'provider', days: 'catalogUpdate' },
} as const satisfies Record<string, CaseDutyRule>;

export type CaseDuty = keyof typeof caseDuties;

/** Undefined where a state obliges nobody. */
export function caseDutyOf(state: CaseState): CaseDuty | undefined {
  switch (state) {
    case 'PROVIDER_CHECK':
      return 'correction-answer';
    case 'ACCEPTED':
      return 'correction-fix';
    case 'REJECTED':
      return 'correction-objection';
    case 'DISPUTED':
      return 'correction-ruling';
    case 'ANSWER_DUE':
      return 'rating-answer';
    case 'CONFIRMATION_DUE':
      return 'copies-confirmation';
    case 'DESTRUCTION_PENDING':
      return 'copies-destruction';
    case 'ENTRY_DRAFT':
      return 'entry-submission';
    case 'PUBLISH_REVIEW':
      return 'publication-review';
    case 'REVOKE_REVIEW':
      return 'revocation-review';
    case 'ENTRY_UPDATE_DUE':
      return 'entry-update';
    default:
      return undefined;
  }
}

/** A time that merely runs out. */
export function isWindow(duty: CaseDuty): boolean {
  return 'window' in caseDuties[duty];
}
