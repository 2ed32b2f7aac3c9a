/**
 * Expiry: a version whose retention is over is ended in one transaction, with its leaf for the audit log. Its row stays;
 * what it alone was made of is given up and left to the collector (decision 0230).
 *
 * Which objects those are, two other manifests tell. A version refers to a part that its own run did not stage only
 * where its predecessor has the part, so the versions that share one staged object follow each other without a gap. An
 * object of the expiring version that neither the nearest living version before it nor the nearest after it has, no
 * living version needs for the sake of a run between those two.
 */
import type { Catalog } from '../../catalog/database.ts';
import type { DatasetRow } from '../../catalog/rows.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { finalCaseStates } from '../../lib/pure/case-states.ts';
import { partsOf, readManifestObject } from './manifest.ts';
import { addLeaf } from './outbox.ts';
import type { ExpiryRule, Publication } from './publication.ts';
import { expiryRuleOf, newestToExpire, supersededBy } from './retention.ts';

export interface ExpiryPass {
  expired: number;
  /** What could not be ended: the next pass tries again. */
  failed: { dataset: string; version: number; error: unknown }[];
}

export interface ExpireVersions {
  /** Absent: PostgreSQL's clock, which servers share (FAULTS 18). */
  now?: Date;
  /** How long the objects of an expired version stay, for readers that were about to open them. */
  graceMs?: number;
}

/** Ends what is due, the oldest versions of each dataset first. Passes that run at once find done what another has done. */
export async function expireVersions(
  publication: Publication,
  { now: told, graceMs = limits.collectGraceMs }: ExpireVersions = {},
): Promise<ExpiryPass> {
  const now = told ?? (await clockOf(publication.catalog));
  const pass: ExpiryPass = { expired: 0, failed: [] };
  for (const due of await listDue(publication.catalog, now)) {
    try {
      if (await expireOne(publication, due, { now, graceMs })) pass.expired += 1;
    } catch (error: unknown) {
      pass.failed.push({ dataset: due.dataset, version: due.number, error });
    }
  }
  return pass;
}

async function clockOf(catalog: Catalog): Promise<Date> {
  const { rows } = await catalog.raw<{ rows: { now: Date }[] }>('select now()');
  return rows[0]!.now;
}

interface DueVersion {
  dataset: string;
  department: string;
  rule: ExpiryRule;
  number: number;
  manifest_digest: string;
  superseded_at: Date;
}

async function listDue(catalog: Catalog, now: Date): Promise<DueVersion[]> {
  const datasets = await catalog('dataset')
    .where('current_version', '>', 1)
    .select<Pick<DatasetRow, 'code' | 'department' | 'definition' | 'current_version'>[]>(
      ...(['code', 'department', 'definition', 'current_version'] as const),
    );
  const ruled = datasets.map((row) => ({ row, rule: expiryRuleOf(row.definition) }));
  const { rows } = await catalog.raw<{ rows: Omit<DueVersion, 'department' | 'rule'>[] }>(DUE, {
    datasets: ruled.map(({ row }) => row.code),
    newest: ruled.map(({ row, rule }) => newestToExpire(rule, row.current_version ?? 0)),
    superseded: ruled.map(({ rule }) => supersededBy(rule, now)),
    now,
    final: [...finalCaseStates],
    most: limits.expiriesOfDatasetMax,
  });
  const ruleOf = new Map(ruled.map(({ row, rule }) => [row.code, { department: row.department, rule }]));
  return rows.map((row) => ({ ...row, ...ruleOf.get(row.dataset)! }));
}

/**
 * Whatever its retention: held by somebody; built on by a run that goes on, or by what the next one starts from; named by
 * a case that is open, as the version that was wrong, recalled or rated, or as the one in which it was mended.
 */
const NEEDED = `
  exists (
    select from version_hold
    where version_hold.dataset = version.dataset and version_hold.version = version.number and until > :now
  ) or exists (
    select from run where run.dataset = version.dataset and base_version = version.number and state = 'running'
  ) or exists (
    select from extraction_state
    where extraction_state.dataset = version.dataset and extraction_state.version = version.number
  ) or exists (
    select from duty_case left join correction on correction."case" = duty_case.id
    where duty_case.dataset = version.dataset and not duty_case.state = any(:final::text[])
      and version.number in (duty_case.version, correction.fixed_version)
  )`;

const DUE = `
  select due.* from unnest(:datasets::text[], :newest::int[], :superseded::timestamptz[]) as rule (dataset, newest, superseded)
  cross join lateral (
    select version.dataset, version.number, version.manifest_digest,
      (select published_at from version next where next.dataset = version.dataset and next.number = version.number + 1)
        as superseded_at
    from version
    where version.dataset = rule.dataset and version.expired_at is null and version.number <= rule.newest
      and not (${NEEDED})
    order by version.number limit :most
  ) as due
  where due.superseded_at <= rule.superseded
  order by due.dataset, due.number`;

/** False where it has expired meanwhile, or is needed after all. */
async function expireOne(
  { catalog, store }: Publication,
  due: DueVersion,
  { now, graceMs }: Required<ExpireVersions>,
): Promise<boolean> {
  const { dataset, number } = due;
  const between = await livingNeighbours(catalog, due);
  const kept = new Set<string>();
  for (const neighbour of [between.before, between.after]) {
    if (neighbour === undefined) continue;
    for (const { digest } of partsOf(await readManifestObject(store, neighbour.manifest_digest))) kept.add(digest);
  }
  const parts = partsOf(await readManifestObject(store, due.manifest_digest));
  const own = [...new Set(parts.map(({ digest }) => digest))].filter((digest) => !kept.has(digest));
  return catalog.transaction(async (transaction) => {
    // The dataset before the version, as whoever commits does.
    await transaction('dataset').where({ code: dataset }).forUpdate().select('code');
    const [row] = await transaction('version')
      .where({ dataset, number })
      .whereNull('expired_at')
      .forUpdate()
      .select('run');
    if (row === undefined || (await isNeeded(transaction, due, now))) return false;
    const neighbours = await livingNeighbours(transaction, due);
    if (neighbours.before?.number !== between.before?.number || neighbours.after.number !== between.after.number) {
      return false;
    }
    const derived = await derivedObjects(transaction, due);
    const objects = [...own, due.manifest_digest, ...derived];
    if (await isLeased(transaction, objects)) return false;
    await transaction('version')
      .where({ dataset, number })
      .update({ expired_at: now, expired_by: JSON.stringify(due.rule) });
    const given = await giveUp(transaction, due, neighbours, own);
    await transaction('projection').where({ manifest_digest: due.manifest_digest }).delete();
    await transaction('lookup_index').where({ dataset, version: number }).delete();
    await leaveForAWhile(transaction, due, [...given, ...derived], graceMs);
    await addLeaf(transaction, leafOf(due, given.length + derived.length));
    return true;
  });
}

interface Neighbour {
  number: number;
  manifest_digest: string;
}

interface Neighbours {
  before: Neighbour | undefined;
  /** There is one: the current version does not expire. */
  after: Neighbour;
}

async function livingNeighbours(catalog: Catalog, { dataset, number }: DueVersion): Promise<Neighbours> {
  const nearest = (operator: '<' | '>', order: 'asc' | 'desc') =>
    catalog('version')
      .where({ dataset })
      .whereNull('expired_at')
      .where('number', operator, number)
      .orderBy('number', order)
      .first<Neighbour | undefined>('number', 'manifest_digest');
  const after = await nearest('>', 'asc');
  if (after === undefined) throw new HuitongError('INTERNAL', 'the current version is to expire', { at: dataset });
  return { before: await nearest('<', 'desc'), after };
}

async function isNeeded(transaction: Catalog, { dataset, number }: DueVersion, now: Date): Promise<boolean> {
  const { rows } = await transaction.raw<{ rows: unknown[] }>(
    `select from version where dataset = :dataset and number = :number and (${NEEDED})`,
    { dataset, number, now, final: [...finalCaseStates] },
  );
  return rows.length > 0;
}

/** Parts of projections and renditions, and the files of indexes, that were made from the version. */
async function derivedObjects(transaction: Catalog, due: DueVersion): Promise<string[]> {
  const { rows } = await transaction.raw<{ rows: { digest: string }[] }>(
    `select digest from projection_part join projection on projection.key = projection
     where manifest_digest = :manifest_digest
     union select unnest(array[slots_digest, records_digest]) from lookup_index
     where dataset = :dataset and version = :number`,
    { manifest_digest: due.manifest_digest, dataset: due.dataset, number: due.number },
  );
  return rows.map(({ digest }) => digest);
}

/** By a reader that goes on; what expired versions left for a while is nobody's. */
async function isLeased(transaction: Catalog, digests: string[]): Promise<boolean> {
  const { rows } = await transaction.raw<{ rows: unknown[] }>(
    `select from lease where digest = any(?) and expires_at > now() and holder not like ? limit 1`,
    [digests, `${LEFT_BY}%`],
  );
  return rows.length > 0;
}

/** What runs between the two neighbours have staged and no living version refers to; gives all of it, the parts too. */
async function giveUp(
  transaction: Catalog,
  { dataset, manifest_digest }: DueVersion,
  { before, after }: Neighbours,
  own: string[],
): Promise<string[]> {
  const { rows } = await transaction.raw<{ rows: { digest: string }[] }>(
    `update staged_object set kept = false from version
     where version.dataset = :dataset and version.number > :after and version.number < :before
       and staged_object.run = version.run and staged_object.kept
       and (digest = any(:own) or kind in ('manifest', 'report'))
     returning digest`,
    { dataset, own, after: before?.number ?? 0, before: after.number },
  );
  return [...new Set([manifest_digest, ...rows.map(({ digest }) => digest)])];
}

const LEFT_BY = 'expired:';

/** A lease of nobody's, so that who found the version readable a moment ago finds its objects too. */
async function leaveForAWhile(
  transaction: Catalog,
  { dataset, number }: DueVersion,
  digests: string[],
  graceMs: number,
): Promise<void> {
  await transaction.raw(
    `insert into lease (id, digest, holder, expires_at)
     select left_over.id, digest, ?, now() + ? * interval '1 millisecond'
     from (select gen_random_uuid() as id) as left_over, unnest(?::text[]) as digest
     on conflict do nothing`,
    [`${LEFT_BY}${dataset}/${number}`, graceMs, digests],
  );
}

function leafOf({ dataset, department, number, manifest_digest, rule, superseded_at }: DueVersion, objects: number) {
  return {
    ...{ actor: 'system:retention', onBehalfOf: department, action: 'version.expire' },
    ...{ object: `dataset/${dataset}/version/${number}`, decision: 'allow' as const, rule: 'retention' },
    versionDigest: manifest_digest,
    detail: { ...rule, supersededAt: superseded_at.toISOString(), objects },
  };
}
