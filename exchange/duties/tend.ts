/**
 * What becomes due by itself, gone through in passes by the server: it has the keys that open claims, and Temporal. Each
 * step finds in the catalog what is missing and does it once, so that a pass that dies leaves the rest to the next.
 */
import type { Catalog } from '../../catalog/database.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { finalCaseStates } from '../../lib/pure/case-states.ts';
import type { Access } from '../access/access.ts';
import type { CaseRow } from './cases.ts';
import { openConfirmations } from './confirmations.ts';
import { isSeenMended } from './corrections.ts';
import { openDestructions } from './destructions.ts';
import { openEntryUpdates, type TendEntries, tendEntries } from './entries/tend.ts';
import { forgetSubjectAccess } from './subjects.ts';

export interface TendDeps extends TendEntries {
  access: Access;
  /** Has the case's workflow take the system's step `fix`. */
  fix(id: string, version: number): Promise<unknown>;
  /** Starts the case's workflow, where it does not run. */
  start(id: string): Promise<unknown>;
}

export interface Tended {
  opened: number;
  mended: number;
  started: number;
  /** Entries that were found up to date, and requests that ended with their dataset's entry. */
  entries: number;
}

/** One pass. Throws what the catalog, the store or Temporal throws; the next pass goes on. */
export async function tendCases({ access, fix, start, ...entries }: TendDeps, now = new Date()): Promise<Tended> {
  const { catalog } = access.publication;
  const ended = await tendEntries(catalog, entries);
  const confirmations = (await openConfirmations(catalog, now)) + (await openDestructions(catalog, now));
  const opened = confirmations + (await openEntryUpdates(catalog, now));
  await forgetSubjectAccess(catalog, now);
  const started = await startWorkflows(catalog, start, now);
  return { opened, mended: await findMended(access, fix), started, entries: ended };
}

async function startWorkflows(catalog: Catalog, start: TendDeps['start'], now: Date): Promise<number> {
  const ids: string[] = await catalog('duty_case')
    .whereNull('tended_at')
    .whereNotIn('state', [...finalCaseStates])
    .orderBy('id')
    .pluck('id');
  for (const id of ids) {
    await start(id);
    await catalog('duty_case').where({ id }).update({ tended_at: now });
  }
  return ids.length;
}

/** Whoever looks at the same time may have been faster. */
async function fixUnlessFixed(row: AcceptedRow, fix: TendDeps['fix']): Promise<number> {
  try {
    await fix(row.id, row.current_version);
    return 1;
  } catch (e: unknown) {
    if (!isHuitongError(e, 'CASE_STATE')) throw e;
    return 0;
  }
}

type AcceptedRow = CaseRow & { current_version: number };

/**
 * Accepted corrections of datasets that have a newer version than was compared; gives how many are mended in it.
 * @param datasets only theirs, where a version of them was just published; absent: of all
 */
export async function findMended(access: Access, fix: TendDeps['fix'], datasets?: string[]): Promise<number> {
  const { catalog } = access.publication;
  const query = catalog('duty_case')
    .join('correction', 'correction.case', 'duty_case.id')
    .join('dataset', 'dataset.code', 'duty_case.dataset')
    .where('duty_case.state', 'ACCEPTED')
    .whereRaw('dataset.current_version > correction.checked_version')
    .orderBy('duty_case.id')
    .select<AcceptedRow[]>('duty_case.*', 'dataset.current_version');
  if (datasets !== undefined) query.whereIn('duty_case.dataset', datasets);
  let mended = 0;
  for (const row of await query) {
    if (await isSeenMended(access, row, row.current_version)) {
      mended += await fixUnlessFixed(row, fix);
    }
    await catalog('correction').where({ case: row.id }).update({ checked_version: row.current_version });
  }
  return mended;
}
