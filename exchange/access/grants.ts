/**
 * The grant: the only way to data. Two kinds are implicit, and take the same path as any other: a department's own
 * data, and the unconditional items of everybody's. Grants that were asked for and given join here, with their terms.
 */
import type { Dataset } from '../../schemas/generated/api.ts';
import { mayEver, type Principal } from './rights.ts';

export interface Grant {
  /** As it stands in the audit log. */
  id: string;
  grantee: string;
  dataset: string;
  /** The columns that it gives, in the contract's order; null: all of them, now and later. */
  columns: string[] | null;
  modes: ('bulk' | 'changes')[];
  /** Null: as long as the dataset stays as it is. */
  expiresAt: Date | null;
  /** Raised when it is revoked or changed: a stream that began under an older one ends. Implicit grants have none. */
  epoch: number;
}

/** Undefined where there is none: the caller answers NOT_FOUND, as for a dataset that does not exist. */
export function resolveGrant(principal: Principal, dataset: Dataset): Grant | undefined {
  if (!mayEver(principal, 'dataset.read')) return undefined;
  const terms = { grantee: principal.department, dataset: dataset.code, modes: ['bulk' as const], epoch: 0 };
  if (dataset.department === principal.department) {
    return { ...terms, id: 'implicit:own', columns: null, expiresAt: null };
  }
  const given = dataset.items.filter(({ sharingClass }) => sharingClass === 'unconditional');
  if (given.length === 0) return undefined;
  // A column that the contract does not name is not an item, and was never declared unconditional: hence a list.
  return { ...terms, id: 'implicit:unconditional', columns: given.map(({ name }) => name), expiresAt: null };
}
