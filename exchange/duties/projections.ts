/**
 * What is derived from the audit log: metering, readers of versions, look-ups of a person. Each leaf is counted once, in
 * the transaction that moves `log_projection.next_index` past it: a process that dies in between counts it again from
 * nothing, and two processes take turns by the lock on that row.
 */
import type { Catalog } from '../../catalog/database.ts';
import { limits } from '../../lib/limits.ts';

/** Counts what the log has got since the last time. Gives how many leaves. */
export async function projectLog(catalog: Catalog): Promise<number> {
  let counted = 0;
  for (;;) {
    const leaves = await catalog.transaction(projectOnce);
    counted += leaves;
    if (leaves < limits.projectedLeavesMax) return counted;
  }
}

async function projectOnce(transaction: Catalog): Promise<number> {
  const { rows } = await transaction.raw<{ rows: { from: number; to: number }[] }>(CLAIM, {
    most: limits.projectedLeavesMax,
  });
  const { from, to } = rows[0] as (typeof rows)[0];
  if (to <= from) return 0;
  for (const statement of [METERING, READERS, SUBJECTS]) await transaction.raw(statement, { from, to });
  await transaction('log_projection').update({ next_index: to });
  return to - from;
}

/** The lock that makes it once: whoever comes second waits, and reads the index that the first has left. */
const CLAIM = `
  select next_index::float8 as "from",
    (select least(size, next_index + :most::bigint) from log_state)::float8 as "to"
  from log_projection for update`;

/** Leaves about reading a dataset, with what they say of it. */
const LEAVES = `
  with leaves as materialized (
    select index, convert_from(entry, 'UTF8')::jsonb as leaf from log_entry
    where index >= :from::bigint and index < :to::bigint
  ), reading as (
    select index, leaf, (leaf->>'time')::timestamptz as at,
      substring(leaf->>'object' from '^dataset/([^/]+)') as dataset,
      substring(leaf->>'object' from '^dataset/[^/]+/version/([0-9]+)')::int as version,
      coalesce(leaf->>'onBehalfOf', '') as department,
      leaf->>'decision' = 'deny' as denied,
      leaf->>'action' ~ '[.]opened$' as opened,
      leaf->>'action' in ('dataset.lookup', 'dataset.verify') as looked_up,
      case leaf->>'action'
        when 'dataset.lookup' then jsonb_array_length(leaf->'keyHashes')
        -- Its other hashes are of what was asked about the one row.
        when 'dataset.verify' then 1
      end as keys
    from leaves
    where leaf->>'action' ~ '^dataset[.](read|lookup|verify|changes)([.]|$)' and leaf->>'object' like 'dataset/%'
  )`;

const METERING = `${LEAVES}
  insert into metering as sum (day, dataset, department, "grant", matter, reads, rows, bytes, lookups, refusals)
  select (at at time zone 'Asia/Shanghai')::date, dataset, department,
    coalesce(leaf->>'grant', ''), coalesce(leaf->>'matter', ''),
    count(*) filter (where opened and not denied),
    coalesce(sum((leaf->>'rows')::bigint) filter (where not denied), 0),
    coalesce(sum((leaf->>'bytes')::bigint) filter (where not denied), 0),
    coalesce(sum(keys) filter (where not denied), 0),
    count(*) filter (where denied)
  from reading
  group by 1, 2, 3, 4, 5
  on conflict (day, dataset, department, "grant", matter) do update set
    reads = sum.reads + excluded.reads, rows = sum.rows + excluded.rows, bytes = sum.bytes + excluded.bytes,
    lookups = sum.lookups + excluded.lookups, refusals = sum.refusals + excluded.refusals`;

/** Who has seen rows of a version: whoever opened a read of it, or looked something up in it. */
const READERS = `${LEAVES}
  insert into dataset_reader as reader (dataset, version, department, first_at, last_at)
  select dataset, version, department, min(at), max(at)
  from reading
  where not denied and version is not null and (opened or looked_up)
  group by 1, 2, 3
  on conflict (dataset, version, department) do update set
    first_at = least(reader.first_at, excluded.first_at), last_at = greatest(reader.last_at, excluded.last_at)`;

/** Refused look-ups too: a person may know who tried. */
const SUBJECTS = `${LEAVES}
  insert into subject_access (subject_hash, index, at)
  select distinct decode(substring(key from '[0-9a-f]{64}$'), 'hex'), index, at
  from reading, jsonb_array_elements_text(leaf->'keyHashes') as key
  on conflict do nothing`;
