/** Rows of the catalog's tables as PostgreSQL gives them. Only `catalog/` sees them; callers get API shapes. */
import type { ContractDocument } from '../contracts/contract.ts';
import type { EntryState, SharingClass } from '../schemas/generated/api.ts';
import type { DatasetDefinition } from '../schemas/generated/dataset.ts';
import type { DepartmentDefinition } from '../schemas/generated/department.ts';
import type { SourceDefinition } from '../schemas/generated/source.ts';

export interface DepartmentRow {
  code: string;
  name_zh: string;
  name_en: string;
  credit_code: string | null;
  definition: DepartmentDefinition;
  state: EntryState;
}

export interface SourceRow {
  code: string;
  department: string;
  kind: string;
  title_zh: string;
  title_en: string;
  definition: SourceDefinition;
  state: EntryState;
  updated_at: Date;
}

export interface DatasetRow {
  code: string;
  department: string;
  source: string;
  title_zh: string;
  title_en: string;
  definition: DatasetDefinition;
  sharing_class: SharingClass;
  contract_digest: string;
  contract_version: string;
  search_text: string;
  current_version: number | null;
  state: EntryState;
  /** The case by which the entry was published or revoked last; null: by an apply. */
  review: string | null;
  created_at: Date;
  updated_at: Date;
}

export interface ContractRow {
  dataset: string;
  version: string;
  digest: string;
  document: ContractDocument;
  created_at: Date;
}
