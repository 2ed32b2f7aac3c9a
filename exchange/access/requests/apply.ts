/** One step of a request, in one transaction: row, event, duty, grant and the audit log's leaf, or nothing. */
import type { Catalog } from '../../../catalog/database.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { RequestSnapshot } from '../../../lib/pure/request-clock.ts';
import { isImpediment, type Step, step } from '../../../lib/pure/request-machine.ts';
import { type Need, transitions } from '../../../lib/pure/request-transitions.ts';
import type { Publication } from '../../publication/publication.ts';
import { openDuty } from './duty.ts';
import { withGrant } from './grant.ts';
import { isNotice, recordMove, recordNotice } from './record.ts';
import { type ActContent, type ApplyAction, columnsOf, factsOf, type RequestRow, snapshotOf } from './requests.ts';
import { checkAsked, completeDecision } from './terms.ts';

/**
 * @returns the request as the step leaves it; where the step had been taken before, as it is
 * @throws NOT_FOUND, FORBIDDEN, REQUEST_STATE, REQUEST_RULE, REQUEST_INVALID, and what the grant's issuer throws
 */
export async function applyAction(publication: Publication, act: ApplyAction): Promise<RequestSnapshot> {
  return publication.catalog.transaction(async (transaction) => {
    const row = await transaction<RequestRow>('request').where({ id: act.request }).forUpdate().first();
    if (row === undefined)
      throw new HuitongError('NOT_FOUND', '没有该申请 · there is no such request', { at: act.request });
    const open = await openDuty(transaction, row.id);
    if (await wasTaken(transaction, act)) return snapshotOf(row, open);
    const taken = step(factsOf(row), act);
    if (isImpediment(taken)) throw new HuitongError(taken.code, taken.message, { at: taken.guard ?? act.action });
    requireNeeds(act, transitions[act.action].needs ?? []);
    const at = new Date(act.at);
    if (isNotice(act.action)) return recordNotice(transaction, { before: row, row, open, taken, act, at });
    const changed = await changedRow(transaction, row, taken, act, at);
    const moved = await withGrant({ ...publication, catalog: transaction }, { row: changed, taken, act, at });
    return recordMove(transaction, { before: row, row: moved, open, taken, act, at });
  });
}

async function wasTaken(transaction: Catalog, { id, request }: ApplyAction): Promise<boolean> {
  const event = await transaction('request_event').where({ id }).first<{ request: string } | undefined>('request');
  if (event !== undefined && event.request !== request) {
    throw new HuitongError('REQUEST_INVALID', '该编号属于另一申请的办理 · the id is that of another request’s step', {
      pointer: '/id',
    });
  }
  return event !== undefined;
}

function requireNeeds(act: ActContent, needs: readonly Need[]): void {
  const missing = needs.find((need) => act[need] === undefined || act[need] === '');
  if (missing !== undefined) {
    throw new HuitongError('REQUEST_INVALID', `缺少 · missing: ${missing}`, { pointer: `/${missing}` });
  }
}

/** The row with the machine's new facts and what the action brought: terms, decision, refusal. */
async function changedRow(
  transaction: Catalog,
  row: RequestRow,
  { facts }: Step,
  act: ApplyAction,
  at: Date,
): Promise<RequestRow> {
  const next: RequestRow = { ...row, ...columnsOf(facts) };
  const { needs = [] } = transitions[act.action];
  if (act.action === 'accept') {
    const { sharingClass } = await checkAsked(transaction, row.asked, row.department, at);
    return { ...next, sharing_class: sharingClass };
  }
  if (act.terms !== undefined && needs.includes('terms')) {
    if (act.terms.dataset !== row.dataset) {
      throw new HuitongError('REQUEST_INVALID', '数据集不可更改，请另行申请 · another dataset is another request', {
        pointer: '/terms/dataset',
      });
    }
    const { sharingClass } = await checkAsked(transaction, act.terms, row.department, at);
    return { ...next, asked: act.terms, sharing_class: sharingClass };
  }
  if (act.decision !== undefined && needs.includes('decision')) {
    const given = await checkAsked(transaction, row.asked, row.department, at);
    return { ...next, decision: completeDecision(row, given, act.decision), refusal: null };
  }
  if (act.basis !== undefined && needs.includes('basis')) {
    return { ...next, refusal: { basis: act.basis, ...(act.reason === undefined ? {} : { reason: act.reason }) } };
  }
  return next;
}
