/**
 * What becomes of entries by itself: an entry whose source has changed is to be brought up to date, and is found to be;
 * requests of a dataset that was revoked end as their grants have.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../../catalog/database.ts';
import { isHuitongError } from '../../../lib/errors.ts';
import { openCase, systemActor } from '../open.ts';

export interface TendEntries {
  /** Has the case's workflow take the system's step `entry-changed`. */
  changed(id: string): Promise<unknown>;
  /** Has the request's workflow end it, as its grant has ended. */
  end(request: string): Promise<unknown>;
}

/** Opens a case for each dataset whose source has another shape than its entry says. Gives how many. */
export async function openEntryUpdates(catalog: Catalog, at: Date): Promise<number> {
  const { rows } = await catalog.raw<{ rows: { run: string; dataset: string; department: string; ended_at: Date }[] }>(
    DRIFTED,
  );
  for (const { run, dataset, department, ended_at: from } of rows) {
    await catalog.transaction((transaction) =>
      openCase(transaction, {
        ...{ id: uuidv7(), kind: 'entry-update', cause: `run/${run}`, department, provider: department, dataset },
        ...{ version: null, person: null, actor: systemActor, at, from },
      }),
    );
  }
  return rows.length;
}

/** How a run fails where the source has another shape than the entry says. */
const DRIFTS = "'SCHEMA_DRIFT', 'TABLE_NOT_FOUND', 'COLUMN_NOT_FOUND', 'TYPE_UNMAPPED', 'CONTRACT_MISMATCH'";

/**
 * Of datasets that could be published before: the newest run that found it. Once since the source last fitted, which is
 * when the entry was changed or a run was good: who has said why the entry stands is not asked again the next night.
 */
const DRIFTED = `
  select distinct on (run.dataset) run.id as run, run.dataset, dataset.department, run.ended_at
  from run
  join dataset on dataset.code = run.dataset
  cross join lateral (
    select greatest(dataset.updated_at, max(good.started_at)) as at
    from run good where good.dataset = dataset.code and good.state in ('published', 'unchanged')
  ) fitted
  where run.failure_code in (${DRIFTS}) and dataset.state = 'active' and dataset.current_version is not null
    and run.started_at > fitted.at
    and not exists (
      select from duty_case asked
      where asked.kind = 'entry-update' and asked.dataset = run.dataset
        and (asked.state = 'ENTRY_UPDATE_DUE' or asked.created_at > fitted.at)
    )
  order by run.dataset, run.ended_at desc`;

/** Gives how many were closed, and how many requests were ended. */
export async function tendEntries(catalog: Catalog, { changed, end }: TendEntries): Promise<number> {
  const updated = await catalog.raw<{ rows: { id: string }[] }>(UPDATED);
  for (const { id } of updated.rows) await unlessMoved('CASE_STATE', () => changed(id));
  const orphans: string[] = await catalog('request')
    .join('dataset', 'dataset.code', 'request.dataset')
    .where('dataset.state', 'revoked')
    .whereIn('request.state', ['ACTIVE', 'SUSPENDED'])
    .orderBy('request.id')
    .pluck('request.id');
  for (const request of orphans) await unlessMoved('REQUEST_STATE', () => end(request));
  return updated.rows.length + orphans.length;
}

/** By an apply or a review; or the source is again as the entry says, since a run was good. */
const UPDATED = `
  select duty_case.id
  from duty_case join dataset on dataset.code = duty_case.dataset
  where kind = 'entry-update' and duty_case.state = 'ENTRY_UPDATE_DUE' and (
    dataset.updated_at > duty_case.created_at or exists (
      select from run
      where run.dataset = duty_case.dataset and run.state in ('published', 'unchanged')
        and run.started_at > duty_case.created_at
    )
  )
  order by duty_case.id`;

/** Two servers may tend at once: what the other has done is done. */
async function unlessMoved(code: 'CASE_STATE' | 'REQUEST_STATE', act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (e: unknown) {
    if (!isHuitongError(e, code)) throw e;
  }
}
