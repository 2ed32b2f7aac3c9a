/**
 * A district is files (docs/reference/district.md).
 *
 * Glossary
 *   files     path → text, as a client sends them
 *   district  what the files declare, checked: definitions and contracts, with where each was found
 *   present   what the catalog holds now, in the same shape
 *   plan      what must change so that the present becomes the district
 */
import type { ContractDocument } from '../../contracts/contract.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { DepartmentDefinition } from '../../schemas/generated/department.ts';
import type { DistrictDefinition } from '../../schemas/generated/district.ts';
import type { PolicyDefinition } from '../../schemas/generated/policy.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';

/** By path within the district's folder, with `/`. */
export type DistrictFiles = Record<string, string>;

export interface District {
  definition: DistrictDefinition;
  policy: PolicyDefinition;
  departments: DepartmentDefinition[];
  sources: SourceDefinition[];
  datasets: DistrictDataset[];
}

export interface DistrictDataset {
  definition: DatasetDefinition;
  contract: ContractDocument;
  /** SHA-256 of the contract's canonical JSON, hex. */
  contractDigest: string;
  /** File and line of the contract's version, for a finding about its change. */
  contractAt: string;
}

/** `health.vaccinations` belongs to `health`. */
export function departmentOf(datasetCode: string): string {
  return datasetCode.slice(0, datasetCode.indexOf('.'));
}
