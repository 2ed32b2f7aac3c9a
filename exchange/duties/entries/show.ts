/** What is shown before a decision on an entry: what a publication would change, what a revocation would end. */
import type { Catalog } from '../../../catalog/database.ts';
import { planEntry } from '../../../catalog/district/entry.ts';
import { readPresent } from '../../../catalog/district/present.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { finalStates } from '../../../lib/pure/request-states.ts';
import type { EntryImpact, EntryReview } from '../../../schemas/generated/api.ts';
import type { GrantRow } from '../../access/explicit-grants.ts';
import type { ProposalRow } from '../cases.ts';
import { requireCase, type Viewer } from '../list.ts';
import { projectLog } from '../projections.ts';
import { reviewOf } from './publication.ts';

/** Throws NOT_FOUND, also for a case that is no publication, or no business of the viewer's. */
export async function getEntryReview(catalog: Catalog, viewer: Viewer, id: string): Promise<EntryReview> {
  const row = await requireCase(catalog, viewer.principal, id);
  const proposal = await catalog<ProposalRow>('entry_proposal').where({ case: id }).first();
  if (proposal === undefined) throw new HuitongError('NOT_FOUND', '没有该申报 · there is no such proposal', { at: id });
  const present = await catalog.transaction(readPresent, { isolationLevel: 'repeatable read', readOnly: true });
  return reviewOf(row, proposal, present, planEntry(present, proposal.files));
}

/** What a revocation of the dataset's entry would end, and leave without its source. */
export async function entryImpact(catalog: Catalog, dataset: string): Promise<EntryImpact> {
  await projectLog(catalog);
  const requests: EntryImpact['requests'] = await catalog('request')
    .where({ dataset })
    .whereNotIn('state', [...finalStates])
    .orderBy('id')
    .select('id', 'department', 'state');
  const { rows: readers } = await catalog.raw<{ rows: EntryImpact['readers'] }>(READERS, { dataset });
  const { rows: elements } = await catalog.raw<{ rows: EntryImpact['elements'] }>(ELEMENTS, { dataset });
  const { rows: namedBy } = await catalog.raw<{ rows: { code: string }[] }>(NAMED, { dataset });
  return {
    ...{ dataset, grants: await grantsOf(catalog, dataset), requests, readers, elements },
    namedBy: namedBy.map(({ code }) => code),
  };
}

type GrantOfDataset = Pick<GrantRow, 'id' | 'grantee' | 'request' | 'expires_at'> & { lastUsed: string | null };

async function grantsOf(catalog: Catalog, dataset: string): Promise<EntryImpact['grants']> {
  const rows = await catalog('access_grant as given')
    .where({ dataset })
    .whereIn('state', ['active', 'suspended'])
    .where('expires_at', '>', catalog.fn.now())
    .orderBy('id')
    .select<GrantOfDataset[]>('id', 'grantee', 'request', 'expires_at', catalog.raw(LAST_USED));
  return rows.map(({ expires_at, ...grant }) => ({ ...grant, expires: expires_at.toISOString() }));
}

const LAST_USED = `(select max(day)::text from grant_usage where "grant" = given.id and used > 0) as "lastUsed"`;

/** Other departments that the log has seen read it, under whatever grant. */
const READERS = `
  select reader.department, max(reader.version)::int as version
  from dataset_reader reader join dataset on dataset.code = reader.dataset
  where reader.dataset = :dataset and reader.department not in (dataset.department, '')
  group by reader.department order by reader.department`;

const ELEMENTS = `
  with given as (
    select item ->> 'authoritativeFor' as element
    from dataset, jsonb_each(coalesce(definition -> 'items', '{}')) as items (name, item)
    where code = :dataset and jsonb_exists(item, 'authoritativeFor')
  )
  select element, array(
    select distinct code from dataset, jsonb_each(coalesce(definition -> 'items', '{}')) as items (name, item)
    where state = 'active' and item -> 'citesDuplicate' ->> 'of' = element order by code
  ) as "citedBy"
  from given order by element`;

const NAMED = `
  select code from dataset
  where state = 'active' and definition -> 'related' @> to_jsonb(:dataset::text) order by code`;
