/**
 * One entry of the catalog as its department proposes it: the same parser, checks, plan and contract gate as an apply
 * of the whole folder, over the district that is in force with this one dataset in place of its own.
 */
import { HuitongError, type Problem } from '../../lib/errors.ts';
import { codeOfPath, districtFileKind } from '../../schemas/definition/layout.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import { contractPathOf, type Declarations, type Declared } from './declarations.ts';
import { declarationsOf } from './declared.ts';
import { digestOf } from './digest.ts';
import type { DistrictDataset, DistrictFiles } from './district.ts';
import { assembleDataset, byPlace, readFile } from './parse.ts';
import { comparePlan, type DistrictPlan } from './plan.ts';
import type { Present } from './present.ts';
import { inForce, newProblems } from './reviewed.ts';

export interface PlannedEntry {
  /** With every problem in `problems`, those of other entries that this one would bring about included. */
  plan: DistrictPlan;
  /** Undefined where there is none in force. */
  before: DistrictDataset | undefined;
  after: DistrictDataset;
}

/**
 * The one dataset that the files are of: its own file, and its contract's where that is new.
 * @throws PATH where they are of none, of several, or of something else
 */
export function datasetOfFiles(files: DistrictFiles): string {
  const paths = Object.keys(files);
  const datasets = paths.filter((path) => districtFileKind(path) === 'dataset');
  const contracts = paths.filter((path) => districtFileKind(path) === 'contract');
  const [dataset] = datasets;
  if (dataset === undefined || datasets.length > 1 || contracts.length > 1 || paths.length > 1 + contracts.length) {
    const message = 'a proposal is one dataset: datasets/<department>/<name>.yaml, and its contract where that is new';
    throw new HuitongError('PATH', message, { at: paths.find((path) => path !== dataset) ?? 'datasets/' });
  }
  return codeOfPath(dataset);
}

/** Pure. Throws the first mistake of the files, with all of them in `problems`; NOT_FOUND before the first apply. */
export function planEntry(present: Present, files: DistrictFiles): PlannedEntry {
  const code = datasetOfFiles(files);
  const district = inForce(present);
  if (district === null) throw new HuitongError('NOT_FOUND', '尚未导入任何区的定义 · no district has been applied yet');
  const others = district.datasets.filter(({ definition }) => definition.code !== code);
  const found = declarationsOf({ ...district, datasets: others }, present.reviewed);
  const mistakes = Object.entries(files).flatMap(([path, text]) => readFile(path, text, found));
  if (mistakes.length > 0) throw invalid(mistakes.sort(byPlace));
  const after = proposed(present, files, found);
  const datasets = [...others, after].sort((a, b) => (a.definition.code < b.definition.code ? -1 : 1));
  const plan = comparePlan(present, { ...district, datasets });
  return {
    plan: { ...plan, problems: [...newProblems(present, found), ...plan.problems].sort(byPlace) },
    before: district.datasets.find(({ definition }) => definition.code === code),
    after,
  };
}

/** With the contract that the files bring; where they bring none, with the one that the dataset has. */
function proposed({ contracts }: Present, files: DistrictFiles, found: Declarations): DistrictDataset {
  const entry = found.datasets.find(({ document }) =>
    Object.hasOwn(files, document.path),
  ) as Declared<DatasetDefinition>;
  const path = contractPathOf(entry);
  const brought = Object.keys(files).find((file) => districtFileKind(file) === 'contract');
  if (brought !== undefined && brought !== path)
    throw invalid([unknown(entry, `the dataset does not name ${brought}`)]);
  const current = contracts.get(entry.value.code)?.current;
  if (brought === undefined && current !== undefined) {
    const kept = { value: current.document, document: entry.document, pointer: '' };
    found.contracts.set(path, kept);
    return { ...assembleDataset(entry.value, kept), contractDigest: current.digest };
  }
  const contract = found.contracts.get(path);
  if (contract === undefined) throw invalid([unknown(entry, `there is no contract at ${path}`)]);
  return assembleDataset(entry.value, contract);
}

/** Of the entry in force, and of nothing else: a proposal is good for the entry that its author saw. */
export function entryDigest({ datasets, contracts }: Present, code: string): string {
  return digestOf({ definition: datasets.get(code) ?? null, contract: contracts.get(code)?.current.digest ?? null });
}

function unknown({ document }: Declared<DatasetDefinition>, message: string): Problem {
  return document.problem('REFERENCE_UNKNOWN', '/contract', message);
}

function invalid(problems: Problem[]): HuitongError {
  const [first] = problems as [Problem, ...Problem[]];
  return new HuitongError(first.code, `${problems.length} mistakes in the entry’s files`, {
    ...{ at: first.at, pointer: first.pointer, problems },
  });
}
