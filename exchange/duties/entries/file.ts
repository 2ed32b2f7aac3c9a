/**
 * A department proposes an entry of its own, or its revocation. What it sends is checked as an apply would, and kept;
 * nothing is in force before the review.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../../catalog/database.ts';
import { lockedPresent } from '../../../catalog/district/apply.ts';
import { type DistrictFiles, departmentOf } from '../../../catalog/district/district.ts';
import { datasetOfFiles, entryDigest, planEntry } from '../../../catalog/district/entry.ts';
import { assertApplicable, isEmptyPlan } from '../../../catalog/district/plan.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { openReviewStates } from '../../../lib/pure/case-states.ts';
import type { CaseRow } from '../cases.ts';
import type { Viewer } from '../list.ts';
import { openCase } from '../open.ts';
import { requireRevocable } from './revoke.ts';

export interface ProposeEntry {
  viewer: Viewer & { actor: string };
  /** The dataset's file and, where it is new or changed, its contract's; by their path in the district's folder. */
  files: DistrictFiles;
  /** Why: the reviewer reads it. */
  reason?: string;
}

/**
 * The new case's id.
 * @throws PATH, the first mistake of the files with all of them, BREAKING_CONTRACT and its like as an apply does
 * @throws ENTRY_SAME where nothing would change; ENTRY_UNDER_REVIEW where another case of the entry is open
 */
export function proposeEntry(catalog: Catalog, { viewer, files, reason }: ProposeEntry): Promise<string> {
  const dataset = datasetOfFiles(files);
  return catalog.transaction(async (transaction) => {
    const present = await lockedPresent(transaction);
    const { plan } = planEntry(present, files);
    assertApplicable(plan);
    if (isEmptyPlan(plan)) {
      throw new HuitongError('ENTRY_SAME', '与现行条目一致 · the entry in force says just this', { at: dataset });
    }
    const id = await openReview(transaction, { viewer, dataset, kind: 'entry-publication', reason });
    const base = entryDigest(present, dataset);
    await transaction('entry_proposal').insert({ case: id, base, files: JSON.stringify(files) });
    return id;
  });
}

export interface FileRevocation {
  viewer: Viewer & { actor: string };
  dataset: string;
  /** The reviewer reads it. */
  reason: string;
}

/** The new case's id. Throws NOT_FOUND, ENTRY_NOT_IN_FORCE, CAPTURE_OPEN, ENTRY_UNDER_REVIEW. */
export function fileRevocation(catalog: Catalog, { viewer, dataset, reason }: FileRevocation): Promise<string> {
  return catalog.transaction(async (transaction) => {
    await lockedPresent(transaction);
    await requireRevocable(transaction, dataset);
    return openReview(transaction, { viewer, dataset, kind: 'entry-revocation', reason });
  });
}

interface OpenReview {
  viewer: Viewer & { actor: string };
  dataset: string;
  kind: 'entry-publication' | 'entry-revocation';
  reason?: string;
}

/** In a transaction that has locked the catalog: proposals take turns. Throws ENTRY_UNDER_REVIEW, which names the case. */
async function openReview(transaction: Catalog, { viewer, dataset, kind, reason }: OpenReview): Promise<string> {
  const open = await transaction<CaseRow>('duty_case')
    .where({ dataset })
    .whereIn('state', [...openReviewStates])
    .first();
  if (open !== undefined) {
    throw new HuitongError('ENTRY_UNDER_REVIEW', '该条目正在审核 · the entry is under review', {
      at: `case/${open.id}`,
    });
  }
  const id = uuidv7();
  const department = departmentOf(dataset);
  await openCase(transaction, {
    ...{ id, kind, cause: `entry/${id}`, department, provider: department, dataset, version: null },
    ...{ person: viewer.person, actor: viewer.actor, reason, at: new Date() },
  });
  return id;
}
