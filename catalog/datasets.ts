/** Datasets, as readers of the catalog see them. Metadata is open to every department. */
import { decodeCursor, type Page, pageOf } from '../lib/cursor.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { Dataset, DatasetSummary, SharingClass } from '../schemas/generated/api.ts';
import type { DatasetDefinition } from '../schemas/generated/dataset.ts';
import type { Catalog } from './database.ts';
import { itemsOf } from './items.ts';
import { publishRulesOf } from './publishing.ts';
import type { ContractRow, DatasetRow } from './rows.ts';
import { searchPatterns } from './search.ts';

export interface ListDatasets {
  /** Words that must all occur somewhere in what the entry and its items say, or in its department's names. */
  search?: string;
  department?: string;
  sharingClass?: SharingClass;
  /** Default 100, at most 1,000. */
  limit?: number;
  cursor?: string;
}

/** Active datasets, by code. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listDatasets(catalog: Catalog, request: ListDatasets = {}): Promise<Page<DatasetSummary>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog('dataset')
    .select<DatasetRow[]>('*')
    .where({ state: 'active' })
    .orderByRaw('code collate "C"')
    .limit(limit + 1);
  if (request.department !== undefined) query.where({ department: request.department });
  if (request.sharingClass !== undefined) query.where({ sharing_class: request.sharingClass });
  for (const pattern of searchPatterns(request.search ?? '')) query.whereRaw(`${SEARCHED} like ?`, [pattern]);
  if (request.cursor !== undefined) query.whereRaw('code collate "C" > ?', [decodeCursor(request.cursor, 'text')[0]]);
  return pageOf(await query, limit, ({ code }) => [code], toSummary);
}

/** What is stored for the search, and the names that its department has now. */
const SEARCHED = `search_text || E'\\n' || (
  select lower(normalize(name_zh || E'\\n' || name_en, nfkc)) from department where department.code = dataset.department
)`;

/** Active, retired or revoked. Throws NOT_FOUND. */
export async function getDataset(catalog: Catalog, code: string): Promise<Dataset> {
  const row = await catalog<DatasetRow>('dataset').where({ code }).first();
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该数据集 · there is no such dataset', { at: code });
  const contract = await catalog<ContractRow>('contract')
    .where({ dataset: code, version: row.contract_version })
    .first();
  if (contract === undefined) throw new HuitongError('INTERNAL', 'a dataset without its contract', { at: code });
  return toDataset(row, contract);
}

function toSummary(row: DatasetRow): DatasetSummary {
  const { title, abstract, openness, updateCycle, securityGrade } = row.definition;
  return {
    code: row.code,
    department: row.department,
    title,
    abstract,
    sharingClass: row.sharing_class,
    openness,
    updateCycle,
    securityGrade,
    contractVersion: row.contract_version,
    currentVersion: row.current_version,
    state: row.state,
    updatedAt: row.updated_at.toISOString(),
  };
}

function toDataset(row: DatasetRow, contract: ContractRow): Dataset {
  const { keywords, sharing, modes, related } = row.definition;
  const { quarantinedShareMax, versionsMin, versionDays } = publishRulesOf(row.definition);
  return {
    ...toSummary(row),
    ...stated(row.definition),
    keywords: keywords ?? [],
    source: row.source,
    sharing,
    modes: modes ?? ['bulk'],
    tolerance: { quarantinedShareMax },
    retention: { versionsMin, versionDays },
    publishedAt: row.created_at.toISOString(),
    review: row.review,
    related: related ?? [],
    contractDigest: row.contract_digest,
    key: contract.document.key,
    items: itemsOf(row.definition, contract.document),
  };
}

/** What an entry may say or not. */
function stated(definition: DatasetDefinition) {
  const { catalogCode, format, category, opennessConditions, coverage, contact, schedule, verifications } = definition;
  const members = { catalogCode, format, category, opennessConditions, coverage, contact, schedule, verifications };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<
    typeof members
  >;
}
