/**
 * The policy of a grant: what its masks and row filter make of a version.
 *
 * Glossary
 *   item      a column of the contract that the grant gives
 *   mask      how an item's cells are changed before they are given
 *   filter    which rows are given
 *   policy    items, masks and filter together; absent where whole columns are given as they are stored
 *   compiled  checked against a version's Arrow schema, and ready to be applied to its batches
 */
import { hash } from 'node:crypto';
import type { Data, Field } from 'apache-arrow';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import type { GrantTerms, Mask, RowFilter } from '../../../schemas/generated/grant-terms.ts';

export type { Mask, RowFilter } from '../../../schemas/generated/grant-terms.ts';

export interface Policy {
  /** Items that are given, dropped ones not among them; sorted. */
  items: string[];
  /** Dropped columns stand here too: a filter may not name them. */
  masks: Record<string, Mask>;
  rowFilter: RowFilter | null;
  /** Whose key the keyed hashes are made with; null where there are none. */
  hashedFor: string | null;
  /** Names all of the above, and the meaning that this program gives them. */
  digest: string;
}

/** What a masked column is, and how it is made from the whole column. */
export interface CompiledMask {
  field: Field;
  apply(data: Data): Data;
}

/** Raised when a mask or an operator begins to mean something else: projections that were made before are not used. */
const POLICY_MEANING = 1;

/** The items that the terms give: those that are not dropped. */
export function givenItems({ items, masks = {} }: Pick<GrantTerms, 'items' | 'masks'>): string[] {
  return items.filter((name) => masks[name]?.mask !== 'drop');
}

/** Null where the terms give columns as they are. */
export function policyOf(terms: Pick<GrantTerms, 'grantee' | 'items' | 'masks' | 'rowFilter'>): Policy | null {
  const { masks = {}, rowFilter = null } = terms;
  if (rowFilter === null && Object.values(masks).every(({ mask }) => mask === 'drop')) return null;
  const items = givenItems(terms).sort();
  const hashedFor = Object.values(masks).some(({ mask }) => mask === 'keyed-hash') ? terms.grantee : null;
  const named = { meaning: POLICY_MEANING, items, masks, rowFilter, hashedFor };
  return { items, masks, rowFilter, hashedFor, digest: hash('sha256', canonicalJson(named), 'hex') };
}
