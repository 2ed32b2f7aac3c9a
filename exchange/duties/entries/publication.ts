/**
 * What the reviewer of an entry is shown: what would change, item by item, and why it may. Its digest is what a
 * publication has to name, so that nothing else is put into force than somebody has seen (decision 0237).
 */
import type { Catalog } from '../../../catalog/database.ts';
import { lockedPresent, putIntoForce } from '../../../catalog/district/apply.ts';
import { differences } from '../../../catalog/district/difference.ts';
import { digestOf } from '../../../catalog/district/digest.ts';
import type { DistrictDataset } from '../../../catalog/district/district.ts';
import { entryDigest, type PlannedEntry, planEntry } from '../../../catalog/district/entry.ts';
import { assertApplicable, toApiPlan } from '../../../catalog/district/plan.ts';
import type { Present } from '../../../catalog/district/present.ts';
import { itemsOf } from '../../../catalog/items.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { EntryReview, Item } from '../../../schemas/generated/api.ts';
import type { CaseRow, ProposalRow } from '../cases.ts';

/**
 * Puts the entry into force as it was reviewed, in the transaction of the case's step.
 * @param digest of the review that was seen
 * @throws PLAN_STALE where the entry, or what the reviewer was shown of the rest, is another by now; and what else keeps
 * a plan from being applied
 */
export async function publishEntry(
  transaction: Catalog,
  row: CaseRow,
  { digest, actor }: { digest: string; actor: string },
): Promise<void> {
  const present = await lockedPresent(transaction);
  const proposal = (await transaction<ProposalRow>('entry_proposal').where({ case: row.id }).first()) as ProposalRow;
  const planned = planEntry(present, proposal.files);
  const review = reviewOf(row, proposal, present, planned);
  if (review.stale) {
    throw new HuitongError('PLAN_STALE', '条目已另有变更，请重新提出 · the entry has changed since: propose it again', {
      at: row.dataset,
    });
  }
  if (review.digest !== digest) {
    throw new HuitongError('PLAN_STALE', '审核内容已变，请重新查看 · not what would be published now: look again', {
      ...{ at: row.dataset, pointer: '/digest' },
    });
  }
  assertApplicable(planned.plan);
  await putIntoForce(transaction, planned.plan, actor);
  await transaction('dataset').where({ code: row.dataset }).update({ review: row.id });
}

/** Pure. */
export function reviewOf(
  row: CaseRow,
  { files, base }: ProposalRow,
  present: Present,
  planned: PlannedEntry,
): EntryReview {
  // The plan's own digest is that of the whole catalog: what goes on elsewhere does not concern this entry.
  const { digest: _, ...plan } = toApiPlan(planned.plan);
  const { definition } = planned.after;
  const shown = {
    case: row.id,
    dataset: row.dataset,
    title: definition.title,
    sharing: { ...(planned.before && { before: planned.before.definition.sharing }), after: definition.sharing },
    plan,
    items: changedItems(planned),
    notShared: notShared(planned.after),
    duplicates: itemsOf(definition, planned.after.contract).flatMap(({ name, citesDuplicate }) =>
      citesDuplicate === undefined ? [] : [{ item: name, ...citesDuplicate }],
    ),
    files,
  };
  return { ...shown, stale: entryDigest(present, row.dataset) !== base, digest: digestOf(shown) };
}

function changedItems({ before, after }: PlannedEntry): EntryReview['items'] {
  const [from, to] = [itemsByName(before), itemsByName(after)];
  return [...new Set([...from.keys(), ...to.keys()])].flatMap((name): EntryReview['items'] => {
    const [old, now] = [from.get(name), to.get(name)];
    if (old === undefined) return [{ name, change: 'added', after: now as Item }];
    if (now === undefined) return [{ name, change: 'removed', before: old }];
    return differences(old, now).length === 0 ? [] : [{ name, change: 'changed', before: old, after: now }];
  });
}

function itemsByName(dataset: DistrictDataset | undefined): Map<string, Item> {
  const items = dataset === undefined ? [] : itemsOf(dataset.definition, dataset.contract);
  return new Map(items.map((item) => [item.name, item]));
}

/** With the law that says so; the dataset's own stands for the items that have none of theirs. */
function notShared({ definition, contract }: DistrictDataset): EntryReview['notShared'] {
  return itemsOf(definition, contract).flatMap(({ name, sharingClass, basis = definition.sharing.basis }) =>
    sharingClass === 'not-shared' && basis !== undefined ? [{ item: name, basis }] : [],
  );
}
