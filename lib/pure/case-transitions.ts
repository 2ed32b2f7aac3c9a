/**
 * The transition tables of cases (GOVERNANCE, "Correction, rating, recall" and "Request", its end): who may do what,
 * from which state to which. The one place: API, workflow, database writer, tests and docs/reference/corrections.md
 * read it.
 */
import {
  type CaseKind,
  type CaseParty,
  type CaseState,
  caseDutyOf,
  caseKindNames,
  caseStateNames,
  isWindow,
} from './case-states.ts';
import type { Words } from './request-states.ts';

/** What an action must come with, beyond its name. */
export type CaseNeed = 'reason' | 'version' | 'digest';

export interface CaseTransition extends Words {
  kinds: readonly CaseKind[];
  from: readonly CaseState[];
  /** `same`: no change of state. */
  to: CaseState | 'same';
  by: readonly CaseParty[];
  /** Nobody who spoke for the claimant decides, whatever other office they hold. */
  anotherPerson?: true;
  /** Who does this has spoken for the claimant, in whatever office. */
  speaks?: true;
  needs?: readonly CaseNeed[];
  /** Of the system's actions: `at-once` when the state is entered, or `timer`. */
  when?: 'at-once' | 'timer';
}

function row(zh: string, en: string, rule: Omit<CaseTransition, keyof Words>): CaseTransition {
  return { zh, en, ...rule };
}

const correction = { kinds: ['correction'] } as const;
const publication = { kinds: ['entry-publication'] } as const;
const revocation = { kinds: ['entry-revocation'] } as const;
const update = { kinds: ['entry-update'] } as const;
const every: readonly CaseKind[] = caseKindNames;
const dutyBound = caseStateNames.filter((state) => caseDutyOf(state) !== undefined);
const reminded = dutyBound.filter((state) => !isWindow(caseDutyOf(state)!));

export const caseTransitions = {
  route: row('转提供部门', 'hand it to the provider', {
    ...correction,
    from: ['FILED'],
    to: 'PROVIDER_CHECK',
    by: ['system'],
    when: 'at-once',
  }),
  accept: row('核查属实', 'accept', {
    ...correction,
    from: ['PROVIDER_CHECK'],
    to: 'ACCEPTED',
    by: ['provider'],
    anotherPerson: true,
  }),
  reject: row('不予更正', 'reject', {
    ...correction,
    from: ['PROVIDER_CHECK'],
    to: 'REJECTED',
    by: ['provider'],
    anotherPerson: true,
    needs: ['reason'],
  }),
  // Shown by the rows themselves (system), or said by the provider with the reason why it cannot be seen in them.
  fix: row('已更正', 'mended in a version', {
    ...correction,
    from: ['ACCEPTED'],
    to: 'FIXED_IN',
    by: ['system', 'provider'],
    needs: ['version'],
  }),
  notify: row('通知用数部门', 'notify the readers', {
    ...correction,
    from: ['FIXED_IN'],
    to: 'CONSUMERS_NOTIFIED',
    by: ['system'],
    when: 'at-once',
  }),
  dispute: row('提出异议', 'dispute', {
    ...correction,
    from: ['REJECTED'],
    to: 'DISPUTED',
    by: ['claimant'],
    needs: ['reason'],
  }),
  'close-rejected': row('异议期满办结', 'close undisputed', {
    ...correction,
    from: ['REJECTED'],
    to: 'CLOSED',
    by: ['system'],
    when: 'timer',
  }),
  uphold: row('维持', 'uphold the rejection', {
    ...correction,
    from: ['DISPUTED'],
    to: 'UPHELD',
    by: ['supervisor'],
    anotherPerson: true,
    needs: ['reason'],
  }),
  overturn: row('改予更正', 'overturn the rejection', {
    ...correction,
    from: ['DISPUTED'],
    to: 'ACCEPTED',
    by: ['supervisor'],
    anotherPerson: true,
    needs: ['reason'],
  }),
  withdraw: row('撤回', 'withdraw', {
    kinds: ['correction', 'entry-publication', 'entry-revocation'],
    from: ['PROVIDER_CHECK', 'REJECTED', 'DISPUTED', 'ENTRY_DRAFT', 'PUBLISH_REVIEW', 'REVOKE_REVIEW'],
    to: 'WITHDRAWN',
    by: ['claimant'],
  }),
  answer: row('答复评价', 'answer the rating', {
    kinds: ['rating'],
    from: ['ANSWER_DUE'],
    to: 'ANSWERED',
    by: ['provider'],
    anotherPerson: true,
    needs: ['reason'],
  }),
  'confirm-replaced': row('确认已更换', 'confirm that the copies are replaced', {
    kinds: ['confirmation'],
    from: ['CONFIRMATION_DUE'],
    to: 'CONFIRMED',
    by: ['holder'],
    needs: ['reason'],
  }),
  'confirm-destroyed': row('确认已销毁', 'confirm that the copies are destroyed', {
    kinds: ['confirmation'],
    from: ['CONFIRMATION_DUE'],
    to: 'CONFIRMED',
    by: ['holder'],
    needs: ['reason'],
  }),
  'confirm-destruction': row('确认销毁', 'confirm the destruction', {
    kinds: ['destruction'],
    from: ['DESTRUCTION_PENDING'],
    to: 'CLOSED',
    by: ['holder'],
    needs: ['reason'],
  }),
  submit: row('提交审核', 'submit for review', {
    ...publication,
    from: ['ENTRY_DRAFT'],
    to: 'PUBLISH_REVIEW',
    by: ['provider'],
    speaks: true,
  }),
  // With the digest of what the reviewer was shown: exactly that is put into force, or nothing.
  publish: row('准予发布', 'publish', {
    ...publication,
    from: ['PUBLISH_REVIEW'],
    to: 'PUBLISHED',
    by: ['supervisor'],
    anotherPerson: true,
    needs: ['digest'],
  }),
  'reject-entry': row('不予发布', 'reject the publication', {
    ...publication,
    from: ['PUBLISH_REVIEW'],
    to: 'ENTRY_REJECTED',
    by: ['supervisor'],
    anotherPerson: true,
    needs: ['reason'],
  }),
  revoke: row('准予撤销', 'revoke', {
    ...revocation,
    from: ['REVOKE_REVIEW'],
    to: 'REVOKED',
    by: ['supervisor'],
    anotherPerson: true,
  }),
  'keep-entry': row('不予撤销', 'reject the revocation', {
    ...revocation,
    from: ['REVOKE_REVIEW'],
    to: 'ENTRY_KEPT',
    by: ['supervisor'],
    anotherPerson: true,
    needs: ['reason'],
  }),
  'entry-changed': row('条目已更新', 'the entry was changed', {
    ...update,
    from: ['ENTRY_UPDATE_DUE'],
    to: 'ENTRY_UPDATED',
    by: ['system'],
  }),
  'entry-stands': row('条目无需更新', 'the entry needs no change', {
    ...update,
    from: ['ENTRY_UPDATE_DUE'],
    to: 'ENTRY_UPDATED',
    by: ['provider'],
    needs: ['reason'],
  }),
  remind: row('催办', 'remind', { kinds: every, from: reminded, to: 'same', by: ['system'], when: 'timer' }),
  overdue: row('逾期上报', 'report overdue', {
    kinds: every,
    from: reminded,
    to: 'same',
    by: ['system'],
    when: 'timer',
  }),
  recompute: row('重算期限', 'compute the deadline again', {
    kinds: every,
    from: dutyBound,
    to: 'same',
    by: ['system'],
    when: 'timer',
  }),
} as const satisfies Record<string, CaseTransition>;

export type CaseAction = keyof typeof caseTransitions;

export const caseActions = Object.keys(caseTransitions) as CaseAction[];

export function caseTransition(action: CaseAction): CaseTransition {
  return caseTransitions[action];
}

/** What people may do, in the table's order; the rest is the exchange's own. */
export const officerCaseActions = caseActions.filter((action) =>
  caseTransition(action).by.some((party) => party !== 'system'),
);
