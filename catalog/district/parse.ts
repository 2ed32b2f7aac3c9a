/** A district's files → the district, or every mistake in them at once. */
import type { ContractDocument } from '../../contracts/contract.ts';
import { pointerTo } from '../../contracts/pointer.ts';
import { HuitongError, type Problem } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { codeOfPath, districtFileKind, requiredDistrictFiles } from '../../schemas/definition/layout.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import { readContract } from './contract-file.ts';
import { crossCheck } from './cross-check.ts';
import { contractPathOf, type Declarations, type Declared } from './declarations.ts';
import { contractDigestOf } from './digest.ts';
import type { District, DistrictDataset, DistrictFiles } from './district.ts';
import { type ReadDocument, readDocument } from './document.ts';
import { type DefinitionKind, validateDefinition } from './validate.ts';

export interface ParsedDistrict {
  /** Null where there are problems. */
  district: District | null;
  /** By file and line. */
  problems: Problem[];
}

/** Pure: reads nothing but `files`. Never throws for what a file holds. */
export function parseDistrict(files: DistrictFiles): ParsedDistrict {
  const problems = checkPaths(Object.keys(files));
  const found: Declarations = {
    district: [],
    policy: [],
    departments: [],
    sources: [],
    datasets: [],
    contracts: new Map(),
    codes: { departments: new Set(), sources: new Set(), datasets: new Set() },
  };
  for (const [path, text] of Object.entries(files)) problems.push(...readFile(path, text, found));
  problems.push(...crossCheck(found));
  problems.sort(byPlace);
  return { district: problems.length === 0 ? assemble(found) : null, problems };
}

/** The district. Throws the first problem's code with all of them in `problems`. */
export function parseDistrictOrThrow(files: DistrictFiles): District {
  const { district, problems } = parseDistrict(files);
  if (district !== null) return district;
  const [first] = problems;
  throw new HuitongError(first?.code ?? 'DEFINITION_INVALID', `${problems.length} mistakes in the district’s files`, {
    at: first?.at,
    pointer: first?.pointer,
    problems,
  });
}

function checkPaths(paths: string[]): Problem[] {
  if (paths.length > limits.districtFilesMax) {
    return [{ code: 'PATH', message: `more than ${limits.districtFilesMax} files` }];
  }
  const missing = requiredDistrictFiles.filter((path) => !paths.includes(path));
  return [
    ...missing.map((path): Problem => ({ code: 'DEFINITION_INVALID', message: 'the file is missing', at: path })),
    ...paths
      .filter((path) => districtFileKind(path) === undefined)
      .map((path): Problem => ({ code: 'PATH', message: 'no definition lies at such a path', at: path })),
  ];
}

/** Adds what the file declares to `found`, where it has no problems. */
export function readFile(path: string, text: string, found: Declarations): Problem[] {
  const kind = districtFileKind(path);
  if (kind === undefined) return [];
  if (kind === 'contract') return readContract(path, text, found.contracts);
  // Known before it is read: an unreadable file is one finding, not one for each reference to it.
  if (kind === 'source') found.codes.sources.add(codeOfPath(path));
  if (kind === 'dataset') found.codes.datasets.add(codeOfPath(path));
  const document = readDocument(path, text);
  if (document.value === undefined) return document.problems;
  switch (kind) {
    case 'district':
      return declare('district', document, found.district);
    case 'policy':
      return declare('policy', document, found.policy);
    case 'departments':
      return readDepartments(document, found);
    case 'source':
      return [...declare('source', document, found.sources), ...checkCodeOfPath(document)];
    case 'dataset':
      return [...declare('dataset', document, found.datasets), ...checkCodeOfPath(document)];
  }
}

function readDepartments(document: ReadDocument, found: Declarations): Problem[] {
  if (!Array.isArray(document.value))
    return [document.problem('DEFINITION_INVALID', '', 'must be a list of departments')];
  return document.value.flatMap((value: unknown, i) => {
    const code = codeIn(value);
    if (code !== undefined) found.codes.departments.add(code);
    return declare('department', document, found.departments, value, pointerTo(i));
  });
}

/** The schema named by `kind` is what makes the value a `T`. */
function declare<T>(
  kind: DefinitionKind,
  document: ReadDocument,
  into: Declared<T>[],
  value: unknown = document.value,
  pointer = '',
): Problem[] {
  const problems = validateDefinition(kind, document, value, pointer);
  if (problems.length === 0) into.push({ value: value as T, document, pointer });
  return problems;
}

function checkCodeOfPath(document: ReadDocument): Problem[] {
  const code = codeIn(document.value);
  const expected = codeOfPath(document.path);
  if (code === undefined || code === expected) return [];
  return [document.problem('PATH', '/code', `a file at this path has the code ${expected}`)];
}

function codeIn(value: unknown): string | undefined {
  const code = typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function assemble(found: Declarations): District {
  const byCode = <T extends { code: string }>(a: T, b: T) => (a.code < b.code ? -1 : 1);
  return {
    definition: found.district[0]!.value,
    policy: found.policy[0]!.value,
    departments: found.departments.map(({ value }) => value).sort(byCode),
    sources: found.sources.map(({ value }) => value).sort(byCode),
    datasets: found.datasets
      .map((dataset) => assembleDataset(dataset.value, found.contracts.get(contractPathOf(dataset))!))
      .sort((a, b) => byCode(a.definition, b.definition)),
  };
}

export function assembleDataset(definition: DatasetDefinition, contract: Declared<ContractDocument>): DistrictDataset {
  return {
    definition,
    contract: contract.value,
    contractDigest: contractDigestOf(contract.value),
    contractAt: contract.document.at('/version'),
  };
}

export function byPlace(a: Problem, b: Problem): number {
  const [fileA = '', lineA = '0'] = (a.at ?? '').split(':');
  const [fileB = '', lineB = '0'] = (b.at ?? '').split(':');
  return fileA < fileB ? -1 : fileA > fileB ? 1 : Number(lineA) - Number(lineB);
}
