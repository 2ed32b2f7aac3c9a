/** What is found in a district's files, each definition with its place, before it is a district. */
import type { ContractDocument } from '../../contracts/contract.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { DepartmentDefinition } from '../../schemas/generated/department.ts';
import type { DistrictDefinition } from '../../schemas/generated/district.ts';
import type { PolicyDefinition } from '../../schemas/generated/policy.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';
import type { ReadDocument } from './document.ts';

/** A definition with the place where it stands. */
export interface Declared<T> {
  value: T;
  document: ReadDocument;
  /** Of the definition within its document. */
  pointer: string;
}

/** What could be read. A definition that is itself wrong is left out; its code is still known to those who refer to it. */
export interface Declarations {
  district: Declared<DistrictDefinition>[];
  policy: Declared<PolicyDefinition>[];
  departments: Declared<DepartmentDefinition>[];
  sources: Declared<SourceDefinition>[];
  datasets: Declared<DatasetDefinition>[];
  /** By path. */
  contracts: Map<string, Declared<ContractDocument>>;
  codes: { departments: Set<string>; sources: Set<string>; datasets: Set<string> };
}

/** The contract lies beside its dataset. */
export function contractPathOf({ document, value }: Declared<DatasetDefinition>): string {
  return document.path.replace(/[^/]+$/, value.contract);
}
