/** Every contract that a dataset ever had. */
import { HuitongError } from '../lib/errors.ts';
import type { Contract } from '../schemas/generated/api.ts';
import type { Catalog } from './database.ts';
import type { ContractRow } from './rows.ts';

/** Newest first; empty for a dataset that does not exist. */
export async function listContracts(catalog: Catalog, dataset: string): Promise<Contract[]> {
  const rows = await catalog<ContractRow>('contract')
    .where({ dataset })
    .orderByRaw(`string_to_array(version, '.')::int[] desc`);
  return rows.map(toContract);
}

/** Throws NOT_FOUND. */
export async function getContract(catalog: Catalog, dataset: string, version: string): Promise<Contract> {
  const row = await catalog<ContractRow>('contract').where({ dataset, version }).first();
  if (row === undefined)
    throw new HuitongError('NOT_FOUND', '没有该版本的数据契约 · there is no such contract', {
      at: `${dataset}@${version}`,
    });
  return toContract(row);
}

function toContract({ dataset, version, digest, document, created_at }: ContractRow): Contract {
  return { dataset, version, digest, createdAt: created_at.toISOString(), document };
}
