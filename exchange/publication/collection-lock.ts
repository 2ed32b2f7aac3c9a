/**
 * The lock between the collector and whoever begins to need an object. Staging and leasing take it shared, for the one
 * short transaction that writes their row; the collector takes it alone, for each batch that it removes. So an object
 * is either seen as needed by the collector, or seen as gone by whoever needs it; never neither.
 */
import type { Catalog } from '../../catalog/database.ts';

const COLLECTION_LOCK_KEY = 4_870_116;

/** Until the transaction ends. */
export async function holdOffCollector(transaction: Catalog): Promise<void> {
  await transaction.raw('select pg_advisory_xact_lock_shared(?)', [COLLECTION_LOCK_KEY]);
}

/** Until the transaction ends. */
export async function holdOffStagers(transaction: Catalog): Promise<void> {
  await transaction.raw('select pg_advisory_xact_lock(?)', [COLLECTION_LOCK_KEY]);
}
