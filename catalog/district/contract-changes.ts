/**
 * The gate that contracts pass: a version, once applied, never changes; a new one is greater than the one before, by as
 * much as its change demands (docs/reference/contracts.md tells what is a major, a minor and a patch change).
 */
import { compareContracts, requiredVersion } from '../../contracts/compatibility.ts';
import type { Problem } from '../../lib/errors.ts';
import type { DistrictDataset } from './district.ts';
import type { DatasetContracts } from './present.ts';

export interface ContractChange {
  dataset: string;
  /** Absent where the dataset has no contract yet. */
  from?: string;
  to: string;
  level: 'new' | 'none' | 'patch' | 'minor' | 'major';
  /** One line each: what changed, and why that has its level. */
  findings: string[];
  /** Why it is refused. */
  problem?: Problem;
}

/** Undefined where the contract is the one the dataset has. Pure. */
export function contractChange(
  dataset: DistrictDataset,
  known: DatasetContracts | undefined,
): ContractChange | undefined {
  const { contract, contractDigest, contractAt } = dataset;
  const change = { dataset: dataset.definition.code, to: contract.version };
  if (known === undefined) return { ...change, level: 'new', findings: [] };
  const { current, digests } = known;
  if (current.digest === contractDigest) return undefined;

  const { level, findings } = compareContracts(current.document, contract);
  const compared = { ...change, from: current.version, level, findings: findings.map(({ message }) => message) };
  const refuse = (code: Problem['code'], message: string): ContractChange => ({
    ...compared,
    problem: { code, message: `${change.dataset}: ${message}`, at: contractAt, pointer: '/version' },
  });
  if (digests.has(contract.version)) {
    return refuse('CONTRACT_VERSION', `contract ${contract.version} was applied with other content`);
  }
  const least = requiredVersion(current.version, level);
  if (compareVersions(contract.version, least) >= 0) return compared;
  const message = `a ${level} change of contract ${current.version} needs version ${least} or higher`;
  return refuse(level === 'major' ? 'BREAKING_CONTRACT' : 'CONTRACT_VERSION', message);
}

/** By number, not by letter: 1.10.0 comes after 1.9.0. Negative where `a` comes first. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
