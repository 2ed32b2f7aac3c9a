/**
 * What every look-up asks the catalog, once, however it chose its grant before: does the grant still hold, is there
 * quota for these keys, which version is the newest. Calls that arrive together share one statement (lib/grouped.ts),
 * which begins after each of them arrived: a revocation that was answered before a call holds for it.
 *
 * The count is committed without waiting for the disk. The log's commit, which every answer waits for, comes later in
 * the same write-ahead log and brings it to the disk: a count is never lost whose answer was given.
 */
import type { Catalog } from '../../../catalog/database.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { grouped } from '../../../lib/grouped.ts';
import { limits } from '../../../lib/limits.ts';

export interface GateQuestion {
  grant: string;
  epoch: number;
  /** Keys, and how many a day there may be; undefined: as many as one likes. */
  count: number;
  most: number | undefined;
}

export interface GateAnswer {
  /** False where the grant was changed or has ended since it was chosen: choose again. Nothing was counted then. */
  usable: boolean;
  currentVersion: number | null;
  /** The newest version that has an index. */
  indexedVersion: number | null;
  /** Whether the provider has recalled one of the two: then nothing is answered, as `readableVersion` has it. */
  recalled: boolean;
}

export type Gate = (question: GateQuestion) => Promise<GateAnswer>;

/** The gate throws QUOTA_EXCEEDED; then nothing was counted. */
export function openGate(catalog: Catalog, keyedBy: string): Gate {
  return grouped((questions) => askAll(catalog, keyedBy, questions), limits.lookupRoundMax);
}

async function askAll(catalog: Catalog, keyedBy: string, questions: GateQuestion[]): Promise<(GateAnswer | Error)[]> {
  const sums = new Map<string, GateQuestion>();
  for (const question of questions) {
    const sum = sums.get(nameOf(question));
    if (sum === undefined) sums.set(nameOf(question), { ...question });
    else sum.count += question.count;
  }
  const rows = await count(catalog, keyedBy, [...sums.values()]);
  const answers: (GateAnswer | Error)[] = [];
  for (const question of questions) {
    const sum = sums.get(nameOf(question))!;
    let row = rows.get(nameOf(question));
    // Together they are too many: each alone may still fit, in the order in which they came.
    if (row !== undefined && !row.counted && sum.count > question.count && fits(row, question)) {
      row = (await count(catalog, keyedBy, [question])).get(nameOf(question));
      if (row?.counted === false) rows.set(nameOf(question), row);
    }
    answers.push(answerOf(row, question));
  }
  return answers;
}

interface GateRow {
  grant: string;
  epoch: number;
  counted: boolean;
  /** Before this statement. */
  used: string;
  currentVersion: number | null;
  indexedVersion: number | null;
  recalled: boolean;
}

function answerOf(row: GateRow | undefined, { most }: GateQuestion): GateAnswer | Error {
  if (row === undefined) return { usable: false, currentVersion: null, indexedVersion: null, recalled: false };
  if (!row.counted)
    return new HuitongError(
      'QUOTA_EXCEEDED',
      `每日 ${most} 个主键的额度不足 · the quota of ${most} keys a day does not hold so many`,
    );
  const { currentVersion, indexedVersion, recalled } = row;
  return { usable: true, currentVersion, indexedVersion, recalled };
}

function fits({ used }: GateRow, { count, most }: GateQuestion): boolean {
  return most === undefined || Number(used) + count <= most;
}

function nameOf({ grant, epoch }: Pick<GateQuestion, 'grant' | 'epoch'>): string {
  return `${grant}/${epoch}`;
}

/** Counts what fits, grant by grant; a grant that does not hold has no row. */
async function count(catalog: Catalog, keyedBy: string, questions: GateQuestion[]): Promise<Map<string, GateRow>> {
  const { rows } = await catalog.raw<{ rows: GateRow[] }>(COUNT, {
    keyedBy,
    grants: questions.map(({ grant }) => grant),
    epochs: questions.map(({ epoch }) => epoch),
    counts: questions.map(({ count }) => count),
    mosts: questions.map(({ most }) => most ?? Number.MAX_SAFE_INTEGER),
  });
  return new Map(rows.map((row) => [nameOf(row), row]));
}

const COUNT = `
  with held as (
    select asked.*, access_grant.dataset, (now() at time zone 'Asia/Shanghai')::date as today
    from unnest(:grants::uuid[], :epochs::int[], :counts::bigint[], :mosts::bigint[]) as asked (id, epoch, count, most)
    join access_grant on access_grant.id = asked.id and access_grant.epoch = asked.epoch
      and state = 'active' and not_before <= now() and expires_at > now()
    cross join (select set_config('synchronous_commit', 'off', true)) as relaxed
  ), counted as (
    insert into grant_usage as usage ("grant", mode, day, used)
    select id, 'lookup', today, count from held where count <= most order by id
    on conflict ("grant", mode, day) do update set used = usage.used + excluded.used
      where usage.used + excluded.used <= (select most from held where held.id = excluded."grant")
    returning "grant"
  )
  select held.id as "grant", held.epoch,
    exists (select from counted where counted."grant" = held.id) as counted,
    coalesce((select used from grant_usage before where before."grant" = held.id and mode = 'lookup' and day = today), 0) as used,
    dataset.current_version as "currentVersion", indexed.version as "indexedVersion",
    exists (
      select from version_recall
      where version_recall.dataset = dataset.code and version_recall.version in (dataset.current_version, indexed.version)
    ) as recalled
  from held join dataset on dataset.code = held.dataset
  cross join lateral (
    select max(version) as version from lookup_index where lookup_index.dataset = dataset.code and keyed_by = :keyedBy
  ) as indexed`;
