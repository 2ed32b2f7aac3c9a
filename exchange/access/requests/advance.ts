/** The exchange's own steps: validation, triage, the automatic grant, provision, and what follows a grant's end. */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../../catalog/database.ts';
import { getDataset } from '../../../catalog/datasets.ts';
import { HuitongError, isHuitongError } from '../../../lib/errors.ts';
import type { RequestSnapshot } from '../../../lib/pure/request-clock.ts';
import type { RequestAction } from '../../../lib/pure/request-transitions.ts';
import type { Publication } from '../../publication/publication.ts';
import { applyAction } from './apply.ts';
import { openDuty } from './duty.ts';
import { type ActContent, type RequestRow, snapshotOf } from './requests.ts';
import { basisOf, checkAsked } from './terms.ts';

/** Row and duty of one moment. */
const readOnce = { isolationLevel: 'repeatable read', readOnly: true } as const;

const systemActor = 'system:requests';

interface NextStep extends ActContent {
  action: RequestAction;
}

/**
 * Takes every step that the exchange takes by itself, until it waits for somebody or for time. Repeating it is harmless.
 * @param at by the clock of the request's workflow
 * @throws NOT_FOUND, and what the grant's issuer throws where a grant cannot be made
 */
export async function advanceRequest(
  publication: Publication,
  { request, at }: { request: string; at: string },
): Promise<RequestSnapshot> {
  for (;;) {
    const row = await requireRow(publication.catalog, request);
    const next = await nextStep(publication.catalog, row);
    if (next === undefined) return loadRequest(publication.catalog, request);
    try {
      await takeSystemStep(publication, { request, at, ...next });
    } catch (e: unknown) {
      // Between reading and locking somebody else was faster: what is next now, the next turn sees.
      if (isHuitongError(e, 'REQUEST_STATE')) continue;
      if (next.action !== 'accept' || !isNotValid(e)) throw e;
      await takeSystemStep(publication, { request, at, action: 'send-back', reason: e.message });
    }
  }
}

/** One step of the exchange's own: those of this file, and what time brings. */
export function takeSystemStep(
  publication: Publication,
  { id = uuidv7(), ...taken }: ActContent & { request: string; at: string; action: RequestAction; id?: string },
): Promise<RequestSnapshot> {
  return applyAction(publication, { ...taken, id, ...bySystem });
}

/** Who acts where the exchange itself does. */
export const bySystem = { parties: ['system'] as const, person: null, actor: systemActor, department: null };

/** Throws NOT_FOUND. */
export async function loadRequest(catalog: Catalog, request: string): Promise<RequestSnapshot> {
  return catalog.transaction(async (transaction) => {
    const row = await requireRow(transaction, request);
    return snapshotOf(row, await openDuty(transaction, request));
  }, readOnce);
}

async function requireRow(catalog: Catalog, id: string): Promise<RequestRow> {
  const row = await catalog<RequestRow>('request').where({ id }).first();
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该申请 · there is no such request', { at: id });
  return row;
}

async function nextStep(catalog: Catalog, row: RequestRow): Promise<NextStep | undefined> {
  switch (row.state) {
    case 'SUBMITTED':
      return { action: 'accept' };
    case 'TRIAGE':
      return triage(catalog, row);
    case 'OVERTURNED':
      return { action: 'carry-out' };
    case 'APPROVED':
      return { action: 'provision' };
    case 'PROVISIONING': {
      const { currentVersion } = await getDataset(catalog, row.dataset);
      return currentVersion === null ? undefined : { action: 'activate' };
    }
    case 'EXPIRED':
    case 'REVOKED':
      return { action: 'require-destruction' };
    default:
      return undefined;
  }
}

async function triage(catalog: Catalog, row: RequestRow): Promise<NextStep> {
  switch (row.sharing_class) {
    case 'unconditional':
      return { action: 'grant-unconditional', decision: {} };
    case 'conditional':
      return { action: 'route' };
    case 'not-shared':
      return { action: 'stop', basis: basisOf(await checkAsked(catalog, row.asked, row.department, row.created_at)) };
  }
}

function isNotValid(e: unknown): e is HuitongError {
  return isHuitongError(e, 'REQUEST_INVALID') || isHuitongError(e, 'NOT_FOUND');
}
