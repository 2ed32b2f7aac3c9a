/** What the catalog holds now, in the shape that a district's files are compared with. */
import type { ContractDocument } from '../../contracts/contract.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { DepartmentDefinition } from '../../schemas/generated/department.ts';
import type { DistrictDefinition } from '../../schemas/generated/district.ts';
import type { PolicyDefinition } from '../../schemas/generated/policy.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';
import type { Catalog } from '../database.ts';
import type { DatasetRow, DepartmentRow, SourceRow } from '../rows.ts';
import { digestOf } from './digest.ts';
import type { DistrictDataset } from './district.ts';

/** Active entries by code. Contracts are those of every dataset, retired ones too: a contract's past is never lost. */
export interface Present {
  district: DistrictDefinition | null;
  policy: PolicyDefinition | null;
  departments: Map<string, DepartmentDefinition>;
  sources: Map<string, SourceDefinition>;
  datasets: Map<string, DatasetDefinition>;
  contracts: Map<string, DatasetContracts>;
  /** Datasets whose entry a review has published or revoked; no apply changes those. */
  reviewed: Set<string>;
  /** Of all of the above: a plan is good for the state it was made against, and for no other. */
  digest: string;
}

export interface DatasetContracts {
  /** The one that the dataset has now, or had when it was retired. */
  current: { version: string; digest: string; document: ContractDocument };
  /** Digest by version, of every contract there ever was. */
  digests: Map<string, string>;
}

/** In a transaction, the caller sees to it that nothing changes between the queries. */
export async function readPresent(catalog: Catalog): Promise<Present> {
  const latest = await catalog('district_apply')
    .orderBy('sequence', 'desc')
    .first<{ definition: DistrictDefinition; policy: PolicyDefinition } | undefined>('definition', 'policy');
  const active = { state: 'active' };
  const departments = await catalog<DepartmentRow>('department').where(active).orderByRaw('code collate "C"');
  const sources = await catalog<SourceRow>('source').where(active).orderByRaw('code collate "C"');
  const datasets = await catalog<DatasetRow>('dataset').where(active).orderByRaw('code collate "C"');
  const reviewed: string[] = await catalog('dataset')
    .whereNotNull('review')
    .orderByRaw('code collate "C"')
    .pluck('code');
  const contracts = await readContracts(catalog);
  const present = {
    district: latest?.definition ?? null,
    policy: latest?.policy ?? null,
    departments: byCode(departments),
    sources: byCode(sources),
    datasets: byCode(datasets),
    contracts,
    reviewed: new Set(reviewed),
  };
  return { ...present, digest: digestOfPresent(present) };
}

/** The datasets in force, as files would declare them. */
export function datasetsOf({ datasets, contracts }: Present): DistrictDataset[] {
  return [...datasets.values()].flatMap((definition) => {
    const current = contracts.get(definition.code)?.current;
    if (current === undefined) return [];
    return [
      { definition, contract: current.document, contractDigest: current.digest, contractAt: datasetPath(definition) },
    ];
  });
}

/** Where the dataset's file would lie. */
export function datasetPath({ code }: { code: string }): string {
  return `datasets/${code.replace('.', '/')}.yaml`;
}

async function readContracts(catalog: Catalog): Promise<Map<string, DatasetContracts>> {
  const rows = await catalog('contract')
    .join('dataset', 'dataset.code', 'contract.dataset')
    .orderByRaw('contract.dataset collate "C", contract.version collate "C"')
    .select<{ dataset: string; version: string; digest: string; document: ContractDocument | null }[]>(
      'contract.dataset',
      'contract.version',
      'contract.digest',
      catalog.raw('case when contract.version = dataset.contract_version then contract.document end as document'),
    );
  const digests = new Map<string, Map<string, string>>();
  for (const { dataset, version, digest } of rows) {
    digests.set(dataset, (digests.get(dataset) ?? new Map()).set(version, digest));
  }
  const contracts = new Map<string, DatasetContracts>();
  for (const { dataset, version, digest, document } of rows) {
    if (document === null) continue;
    contracts.set(dataset, { current: { version, digest, document }, digests: digests.get(dataset) ?? new Map() });
  }
  return contracts;
}

function byCode<T>(rows: { code: string; definition: T }[]): Map<string, T> {
  return new Map(rows.map(({ code, definition }) => [code, definition]));
}

function digestOfPresent(present: Omit<Present, 'digest'>): string {
  const { district, policy, departments, sources, datasets, contracts, reviewed } = present;
  return digestOf({
    district,
    policy,
    departments: [...departments],
    sources: [...sources],
    datasets: [...datasets],
    contracts: [...contracts].map(([dataset, { current, digests }]) => [dataset, current.version, [...digests]]),
    reviewed: [...reviewed],
  });
}
