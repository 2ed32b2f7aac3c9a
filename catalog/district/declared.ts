/** A district that is in force already, as declarations: so that it can be checked together with files that change it. */
import type { ContractDocument } from '../../contracts/contract.ts';
import { contractPathOf, type Declarations, type Declared } from './declarations.ts';
import type { District } from './district.ts';
import type { ReadDocument } from './document.ts';
import { datasetPath } from './present.ts';

/** @param known codes of datasets that may be named although they are not in force: a revoked one may come back */
export function declarationsOf(district: District, known: Iterable<string> = []): Declarations {
  const datasets = district.datasets.map(({ definition }) => declared(datasetPath(definition), definition));
  const contracts = district.datasets.map(({ contract }, i): [string, Declared<ContractDocument>] => {
    const path = contractPathOf(datasets[i]!);
    return [path, declared(path, contract)];
  });
  const codes = (definitions: { code: string }[]) => definitions.map(({ code }) => code);
  return {
    district: [declared('district.yaml', district.definition)],
    policy: [declared('policy.yaml', district.policy)],
    departments: district.departments.map((department) => declared('departments.yaml', department)),
    sources: district.sources.map((source) => declared(`sources/${source.code}.yaml`, source)),
    datasets,
    contracts: new Map(contracts),
    codes: {
      departments: new Set(codes(district.departments)),
      sources: new Set(codes(district.sources)),
      datasets: new Set([...codes(datasets.map(({ value }) => value)), ...known]),
    },
  };
}

function declared<T>(path: string, value: T): Declared<T> {
  return { value, document: inCatalog(path, value), pointer: '' };
}

/** No file, so no line: a finding names the file in which it would stand. */
function inCatalog(path: string, value: unknown): ReadDocument {
  return {
    ...{ path, value, problems: [], at: () => path },
    problem: (code, pointer, message) => ({ code, message, at: path, pointer }),
  };
}
