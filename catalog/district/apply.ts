/** Makes the catalog match a plan's district: all of it in one transaction, or nothing. */
import { v7 as uuidv7 } from 'uuid';
import { HuitongError } from '../../lib/errors.ts';
import type { Catalog } from '../database.ts';
import { strictestClass } from '../items.ts';
import { searchText } from '../search.ts';
import { type District, type DistrictDataset, departmentOf } from './district.ts';
import { assertApplicable, type DistrictPlan, type EntryKind, isEmptyPlan, toApiPlan } from './plan.ts';
import { type Present, readPresent } from './present.ts';

export interface Applied {
  /** False where the catalog was already as the plan's district says; nothing was written then. */
  changed: boolean;
  /** Of the record in `district_apply`; absent where nothing changed. */
  id?: string;
}

/**
 * @param actor as the audit log names actors, for instance `token:<id>`
 * @param alongside what else belongs into the transaction of an apply that changes something: its leaf for the log
 * @throws PLAN_STALE where the catalog is not in the state the plan was made against; BREAKING_CONTRACT,
 *   CONTRACT_VERSION or DISTRICT_MISMATCH where the plan has such a problem
 */
export async function applyDistrict(
  catalog: Catalog,
  plan: DistrictPlan,
  actor: string,
  alongside?: (transaction: Catalog) => Promise<void>,
): Promise<Applied> {
  assertApplicable(plan);
  return catalog.transaction(async (transaction) => {
    const present = await lockedPresent(transaction);
    if (present.digest !== plan.base) {
      throw new HuitongError(
        'PLAN_STALE',
        '生成计划之后目录已有变化 · the catalog has changed since the plan was made',
      );
    }
    if (isEmptyPlan(plan)) return { changed: false };
    const id = await putIntoForce(transaction, plan, actor);
    await alongside?.(transaction);
    return { changed: true, id };
  });
}

/** What is in force, until the transaction ends. Those who change it take turns; readers, and runs, go on. */
export async function lockedPresent(transaction: Catalog): Promise<Present> {
  await transaction.raw('lock table district_apply in exclusive mode');
  return readPresent(transaction);
}

/**
 * Writes what the plan changes. The caller has the present that the plan was made of, locked, and has found the plan
 * applicable. Gives the id of the record in `district_apply`.
 */
export async function putIntoForce(transaction: Catalog, plan: DistrictPlan, actor: string): Promise<string> {
  await retire(transaction, plan);
  await writeEntries(transaction, plan);
  return record(transaction, plan, actor);
}

/** In the order of their references; a code that was retired comes back with its versions and contracts. */
async function writeEntries(transaction: Catalog, plan: DistrictPlan): Promise<void> {
  const { departments, sources, datasets } = plan.target;
  const touched = (kind: EntryKind) =>
    new Set([...plan.added, ...plan.changed].filter((entry) => entry.kind === kind).map(({ code }) => code));
  const [newDepartments, newSources, newDatasets] = [touched('department'), touched('source'), touched('dataset')];
  const newContracts = new Set(plan.contracts.map(({ dataset }) => dataset));
  for (const { dataset } of plan.contracts) newDatasets.add(dataset);

  // A credit code may move from one department to another in one apply.
  await transaction('department')
    .whereIn('code', [...newDepartments])
    .update({ credit_code: null });
  await upsert(
    transaction,
    'department',
    departments.filter(({ code }) => newDepartments.has(code)).map(departmentRow),
  );
  await upsert(transaction, 'source', sources.filter(({ code }) => newSources.has(code)).map(sourceRow));
  const changedDatasets = datasets.filter(({ definition }) => newDatasets.has(definition.code));
  await upsert(transaction, 'dataset', changedDatasets.map(datasetRow));
  const contracts = changedDatasets.filter(({ definition }) => newContracts.has(definition.code)).map(contractRow);
  if (contracts.length > 0) await transaction.batchInsert('contract', contracts, 500);
}

async function upsert(transaction: Catalog, table: string, rows: Record<string, unknown>[]): Promise<void> {
  for (let start = 0; start < rows.length; start += 500) {
    const updated = { state: 'active', updated_at: transaction.fn.now() };
    const batch = rows.slice(start, start + 500).map((row) => ({ ...row, ...updated }));
    await transaction(table).insert(batch).onConflict('code').merge();
  }
}

/** What is gone from the files is kept and marked: versions, runs and audit entries refer to it. */
async function retire(transaction: Catalog, plan: DistrictPlan): Promise<void> {
  for (const kind of ['department', 'source', 'dataset'] as const) {
    const codes = plan.removed.filter((entry) => entry.kind === kind).map(({ code }) => code);
    // A successor may bear the credit code of a department that is gone.
    const freed = kind === 'department' ? { credit_code: null } : {};
    await transaction(kind)
      .whereIn('code', codes)
      .update({ state: 'retired', updated_at: transaction.fn.now(), ...freed });
  }
}

async function record(transaction: Catalog, plan: DistrictPlan, actor: string): Promise<string> {
  const id = uuidv7();
  const { definition, policy } = plan.target;
  await transaction('district_apply').insert({
    id,
    actor,
    district: definition.code,
    plan_digest: plan.digest,
    plan: JSON.stringify(toApiPlan(plan)),
    definition: JSON.stringify(definition),
    policy: JSON.stringify(policy),
  });
  return id;
}

function departmentRow(definition: District['departments'][number]) {
  const { code, name, creditCode } = definition;
  return {
    code,
    name_zh: name.zh,
    name_en: name.en,
    credit_code: creditCode ?? null,
    definition: JSON.stringify(definition),
  };
}

function sourceRow(definition: District['sources'][number]) {
  const { code, department, kind, title } = definition;
  return { code, department, kind, title_zh: title.zh, title_en: title.en, definition: JSON.stringify(definition) };
}

function datasetRow({ definition, contract, contractDigest }: DistrictDataset) {
  return {
    code: definition.code,
    department: departmentOf(definition.code),
    source: definition.source,
    title_zh: definition.title.zh,
    title_en: definition.title.en,
    definition: JSON.stringify(definition),
    sharing_class: strictestClass(definition),
    contract_digest: contractDigest,
    contract_version: contract.version,
    search_text: searchText(definition, contract),
  };
}

function contractRow({ definition, contract, contractDigest }: DistrictDataset) {
  return {
    dataset: definition.code,
    version: contract.version,
    digest: contractDigest,
    document: JSON.stringify(contract),
  };
}
