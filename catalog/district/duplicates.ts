/**
 * 一数一源, 防止重复采集: what one department is the authoritative source of, another uses from there. An item that
 * collects it again is refused, or says why. Which elements an item holds, its definition says (`element`); besides, an
 * item with the format and the Chinese title of an authoritative one holds what that one holds.
 */
import { pointerTo } from '../../contracts/pointer.ts';
import type { Problem } from '../../lib/errors.ts';
import type { DatasetDefinition, ItemDefinition } from '../../schemas/generated/dataset.ts';
import { contractPathOf, type Declarations, type Declared } from './declarations.ts';
import { departmentOf } from './district.ts';

interface Holder {
  element: string;
  department: string;
  /** Dataset and item. */
  at: string;
  /** Format and title; undefined where it has no format: titles alone are too common. */
  likeness: string | undefined;
}

export function checkDuplicates(found: Declarations): Problem[] {
  const holders = found.datasets.flatMap((entry) => holdersIn(entry, found));
  const byElement = new Map(holders.map((holder) => [holder.element, holder]));
  const byLikeness = new Map(
    holders.flatMap((holder) => (holder.likeness === undefined ? [] : [[holder.likeness, holder] as const])),
  );
  return found.datasets.flatMap((entry) => [
    ...checkCitations(entry, byElement),
    ...namesOf(entry, found).flatMap((name) => {
      const item = entry.value.items?.[name] ?? {};
      const likeness = likenessOf(entry, name, found);
      const holder =
        byElement.get(item.element ?? '') ?? (likeness === undefined ? undefined : byLikeness.get(likeness));
      if (holder === undefined || holder.department === departmentOf(entry.value.code)) return [];
      if (item.authoritativeFor !== undefined || item.citesDuplicate?.of === holder.element) return [];
      const message = `${holder.element} comes from ${holder.at}: use that, or cite why not (citesDuplicate)`;
      return [entry.document.problem('ELEMENT_DUPLICATE', placeOf(entry, name), message)];
    }),
  ]);
}

/** A citation of what nobody else provides is a mistake of a name. */
function checkCitations(entry: Declared<DatasetDefinition>, byElement: Map<string, Holder>): Problem[] {
  return Object.entries(entry.value.items ?? {}).flatMap(([name, { citesDuplicate }]) => {
    if (citesDuplicate === undefined) return [];
    const holder = byElement.get(citesDuplicate.of);
    if (holder !== undefined && holder.department !== departmentOf(entry.value.code)) return [];
    const pointer = entry.pointer + pointerTo('items', name, 'citesDuplicate', 'of');
    const message = `no other department is the authoritative source of ${citesDuplicate.of}`;
    return [entry.document.problem('REFERENCE_UNKNOWN', pointer, message)];
  });
}

function holdersIn(entry: Declared<DatasetDefinition>, found: Declarations): Holder[] {
  const { code, items = {} } = entry.value;
  return Object.entries(items).flatMap(([name, { authoritativeFor: element }]) => {
    if (element === undefined) return [];
    const likeness = likenessOf(entry, name, found);
    return [{ element, department: departmentOf(code), at: `${code} ${name}`, likeness }];
  });
}

/** The contract's properties, those that the definition leaves out included. */
function namesOf(entry: Declared<DatasetDefinition>, { contracts }: Declarations): string[] {
  const contract = contracts.get(contractPathOf(entry))?.value;
  return Object.keys(contract?.properties ?? entry.value.items ?? {});
}

function likenessOf(entry: Declared<DatasetDefinition>, name: string, { contracts }: Declarations): string | undefined {
  const contract = contracts.get(contractPathOf(entry))?.value;
  const property: unknown = contract?.properties[name];
  if (typeof property !== 'object' || property === null) return undefined;
  const { format, title } = property as { format?: unknown; title?: unknown };
  const words = titleOf(entry.value.items?.[name]) ?? title;
  return typeof format === 'string' && typeof words === 'string' ? JSON.stringify([format, words]) : undefined;
}

function titleOf(item: ItemDefinition | undefined): string | undefined {
  return item?.title?.zh;
}

function placeOf(entry: Declared<DatasetDefinition>, name: string): string {
  const named = entry.value.items !== undefined && Object.hasOwn(entry.value.items, name);
  return entry.pointer + (named ? pointerTo('items', name) : entry.value.items === undefined ? '' : '/items');
}
