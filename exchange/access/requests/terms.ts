/** What is asked for and what is decided, checked against the catalog, and the terms of the grant that follow. */
import type { Catalog } from '../../../catalog/database.ts';
import { getDataset } from '../../../catalog/datasets.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type {
  Dataset,
  Item,
  RequestDecision,
  RequestTerms,
  SharingClass,
  Words,
} from '../../../schemas/generated/api.ts';
import type { GrantTerms, Mask, RowFilter } from '../../../schemas/generated/grant-terms.ts';

const byStrictness: SharingClass[] = ['unconditional', 'conditional', 'not-shared'];

export interface Asked {
  dataset: Dataset;
  /** In the contract's order. */
  items: Item[];
  sharingClass: SharingClass;
}

/**
 * @param at when it is asked
 * @throws NOT_FOUND for a dataset that is absent or retired, REQUEST_INVALID with the pointer of what does not fit it
 */
export async function checkAsked(catalog: Catalog, asked: RequestTerms, department: string, at: Date): Promise<Asked> {
  const dataset = await getDataset(catalog, asked.dataset);
  if (dataset.state !== 'active')
    throw new HuitongError('NOT_FOUND', '该数据集已停用 · the dataset is retired', { at: dataset.code });
  if (dataset.department === department) {
    throw invalid('/dataset', '本部门数据无需申请 · a department reads its own data without a request');
  }
  const items = itemsNamed(dataset, asked.items);
  requireModes(asked, dataset);
  requireTerm(asked.notBefore, asked.expires, at);
  return { dataset, items, sharingClass: classOf(items, asked) };
}

/** What the law says of the items that are not shared. */
export function basisOf({ dataset, items }: Asked): Words {
  const closed = items.find(({ sharingClass }) => sharingClass === 'not-shared');
  return closed?.basis ?? dataset.sharing.basis ?? { zh: '资源目录：不予共享', en: 'the catalog: not shared' };
}

/**
 * The decision with everything that it left out: items, modes, term as asked, masks as in the catalog.
 * @throws REQUEST_INVALID where it gives what was not asked for, or what is not shared any more
 */
export function completeDecision(
  row: { asked: RequestTerms },
  given: Asked,
  decision: RequestDecision,
): RequestDecision {
  const { asked } = row;
  const names = decision.items ?? asked.items;
  requirePart(names, asked.items, '/decision/items');
  const modes = decision.modes ?? asked.modes;
  requirePart(modes, asked.modes, '/decision/modes');
  const verifications = verificationsOf(asked, decision, modes);
  const items = given.items.filter(({ name }) => names.includes(name));
  const closed = items.find(({ sharingClass }) => sharingClass === 'not-shared');
  if (closed !== undefined) throw invalid('/decision/items', `数据项不予共享 · not shared: ${closed.name}`);
  requirePart(Object.keys(decision.masks ?? {}), names, '/decision/masks');
  if (decision.expires !== undefined && Date.parse(decision.expires) > Date.parse(asked.expires)) {
    throw invalid('/decision/expires', '期限不得长于申请 · longer than asked for');
  }
  const masks = Object.fromEntries(items.map((item) => [item.name, maskOf(item, decision)]));
  return {
    ...decision,
    items: items.map(({ name }) => name),
    modes,
    ...(verifications === undefined ? {} : { verifications }),
    masks,
    expires: decision.expires ?? asked.expires,
  };
}

/** Both filters must hold: the requester's need and the provider's condition. */
export function grantTermsOf(
  { asked, department }: { asked: RequestTerms; department: string },
  decision: RequestDecision,
  at: Date,
): GrantTerms {
  const masks = Object.entries(decision.masks ?? {}).filter((entry): entry is [string, Mask] => entry[1] !== null);
  const filters = [asked.rowFilter, decision.rowFilter].filter((filter) => filter !== undefined) as RowFilter[];
  const addresses = decision.addresses ?? asked.addresses;
  const modes = decision.modes ?? asked.modes;
  const verifications = verificationsOf(asked, decision, modes);
  const { matter, purpose, legalBasis, dataset } = asked;
  return {
    grantee: department,
    dataset,
    items: decision.items ?? asked.items,
    ...(masks.length > 0 ? { masks: Object.fromEntries(masks) } : {}),
    ...(filters.length > 0 ? { rowFilter: filters.length === 1 ? filters[0] : { and: filters } } : {}),
    modes,
    ...(verifications === undefined ? {} : { verifications }),
    purpose,
    legalBasis,
    ...(matter === undefined ? {} : { matter }),
    ...(decision.quota === undefined ? {} : { quota: decision.quota }),
    ...(addresses === undefined ? {} : { addresses }),
    notBefore: decision.notBefore ?? asked.notBefore ?? at.toISOString(),
    expires: decision.expires ?? asked.expires,
  };
}

/** The provider's own choice, null included; else what the catalog starts from. */
function maskOf(item: Item, { masks }: RequestDecision): Mask | null {
  const chosen = masks?.[item.name];
  if (chosen !== undefined) return chosen as Mask | null;
  switch (item.mask) {
    case undefined:
      return null;
    case 'partial':
      return { mask: 'partial', shape: shapeOf(item) };
    case 'truncate':
      return { mask: 'truncate', to: 'month' };
    case 'constant':
    case 'keyed-hash':
      return { mask: item.mask };
    default:
      // A bucket has no bounds in the catalog: until the provider names them, nothing is given.
      return { mask: 'drop' };
  }
}

function shapeOf({ format }: Item): 'name' | 'id-number' | 'phone' {
  if (format === 'resident-id' || format === 'social-credit-code') return 'id-number';
  return format === 'mobile-number' ? 'phone' : 'name';
}

function itemsNamed(dataset: Dataset, names: string[]): Item[] {
  requirePart(
    names,
    dataset.items.map(({ name }) => name),
    '/items',
  );
  return dataset.items.filter(({ name }) => names.includes(name));
}

/** `verify` is no mode of a dataset: it is for the verifications that the dataset has. */
function requireModes({ modes, verifications }: RequestTerms, dataset: Dataset): void {
  const offered = dataset.verifications === undefined ? dataset.modes : [...dataset.modes, 'verify'];
  requirePart(modes, offered, '/modes');
  if (modes.includes('verify') !== (verifications !== undefined)) {
    throw invalid('/verifications', '核验方式与核验项须一并申请 · the mode verify and its verifications go together');
  }
  requirePart(verifications ?? [], Object.keys(dataset.verifications ?? {}), '/verifications');
}

/** Under a decision that gives the mode: those that it names, else all that were asked for. */
function verificationsOf(
  asked: RequestTerms,
  decision: RequestDecision,
  modes: RequestTerms['modes'],
): string[] | undefined {
  requirePart(decision.verifications ?? [], asked.verifications ?? [], '/decision/verifications');
  if (modes.includes('verify')) return decision.verifications ?? asked.verifications;
  if (decision.verifications === undefined) return undefined;
  throw invalid('/decision/verifications', '未同意核验方式 · the mode verify is not given');
}

/** A question may ask of columns that are no items of the request: its provider decides, whatever the items are. */
function classOf(items: Item[], { verifications }: RequestTerms): SharingClass {
  const classes = items.map(({ sharingClass }) => sharingClass);
  if (verifications !== undefined) classes.push('conditional');
  return byStrictness.findLast((one) => classes.includes(one)) ?? 'conditional';
}

function requirePart(part: readonly string[], whole: readonly string[], pointer: string): void {
  const beyond = part.findIndex((name) => !whole.includes(name));
  if (beyond >= 0) throw invalid(`${pointer}/${beyond}`, '不在可选范围内 · not among what there is to choose from');
}

function requireTerm(notBefore: string | undefined, expires: string, at: Date): void {
  const end = Date.parse(expires);
  if (!(end > at.getTime())) throw invalid('/expires', '截止时间已过 · the end is not a time to come');
  if (notBefore !== undefined && !(Date.parse(notBefore) < end)) {
    throw invalid('/notBefore', '起始时间晚于截止时间 · begins after its end');
  }
}

function invalid(pointer: string, message: string): HuitongError {
  return new HuitongError('REQUEST_INVALID', message, { pointer });
}
