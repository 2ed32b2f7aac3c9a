/** Items: the properties of a contract, with what the catalog knows of each. */
import type { ContractDocument } from '../contracts/contract.ts';
import type { Item, SharingClass } from '../schemas/generated/api.ts';
import type { DatasetDefinition } from '../schemas/generated/dataset.ts';

const byStrictness: SharingClass[] = ['unconditional', 'conditional', 'not-shared'];

/** In the contract's order. An item's own sharing class overrides the dataset's. */
export function itemsOf(definition: DatasetDefinition, contract: ContractDocument): Item[] {
  const key = new Set(contract.key);
  return Object.entries(contract.properties).map(([name, schema]) => {
    const own = definition.items?.[name] ?? {};
    const sharing = own.sharing ?? definition.sharing;
    const { type, format, title, description } = isObject(schema) ? schema : {};
    return defined({
      name,
      title: own.title ?? (typeof title === 'string' ? { zh: title, en: title } : undefined),
      description: own.description?.zh ?? (typeof description === 'string' ? description : undefined),
      type: Array.isArray(type) ? type.join('|') : typeof type === 'string' ? type : undefined,
      format: typeof format === 'string' ? format : undefined,
      key: key.has(name),
      sharingClass: sharing.class,
      basis: sharing.basis,
      sensitivity: own.sensitivity ?? 'none',
      mask: own.mask,
      element: own.element,
      citesDuplicate: own.citesDuplicate,
      authoritativeFor: own.authoritativeFor,
    });
  });
}

/**
 * The class of a dataset as a whole: the strictest of its items' (GOVERNANCE: a request's class is the strictest of the
 * items it asks for). A dataset with one conditional column is therefore not given out whole without a decision.
 */
export function strictestClass(definition: DatasetDefinition): SharingClass {
  const classes = Object.values(definition.items ?? {}).flatMap((item) => item.sharing?.class ?? []);
  return [definition.sharing.class, ...classes].reduce((a, b) =>
    byStrictness.indexOf(b) > byStrictness.indexOf(a) ? b : a,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without the members that are undefined: an absent member and a null one are different things in the API. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
