/**
 * What a review has decided, no folder undoes (decision 0236): an entry that was published or revoked by review stays as
 * it is in an apply, and so does every entry where the policy in force demands the review of all.
 */
import type { Problem } from '../../lib/errors.ts';
import { crossCheck } from './cross-check.ts';
import type { Declarations } from './declarations.ts';
import { declarationsOf } from './declared.ts';
import { differences } from './difference.ts';
import type { District, DistrictDataset } from './district.ts';
import { datasetsOf, type Present } from './present.ts';

export interface WithReviewed {
  /** The district with the reviewed entries as they stand. */
  target: District;
  /** Of which the files say something else. */
  kept: string[];
  /** What does not fit together because of that. */
  problems: Problem[];
}

/** Pure. The first apply of all is under no review: there is nobody yet who could review it. */
export function withReviewed(present: Present, files: District): WithReviewed {
  const required = present.policy?.catalog?.review === 'required';
  const stays = ({ definition: { code } }: DistrictDataset) => required || present.reviewed.has(code);
  const standing = datasetsOf(present).filter(stays);
  const declared = files.datasets.filter(stays);
  const kept = differing(standing, declared);
  if (kept.length === 0) return { target: files, kept, problems: [] };
  const datasets = [...files.datasets.filter((dataset) => !stays(dataset)), ...standing];
  datasets.sort((a, b) => (a.definition.code < b.definition.code ? -1 : 1));
  const target = { ...files, datasets };
  return { target, kept, problems: newProblems(present, declarationsOf(target, present.reviewed)) };
}

/**
 * What is wrong with declarations that is not wrong in the district in force: who changes something does not answer for
 * what others, or a revocation, have left behind.
 */
export function newProblems(present: Present, found: Declarations): Problem[] {
  const after = crossCheck(found);
  const district = inForce(present);
  if (after.length === 0 || district === null) return after;
  const known = new Set(crossCheck(declarationsOf(district, present.reviewed)).map(nameOf));
  return after.filter((problem) => !known.has(nameOf(problem)));
}

/** The district as it is; null before the first apply. */
export function inForce(present: Present): District | null {
  const { district, policy, departments, sources } = present;
  if (district === null || policy === null) return null;
  return {
    ...{ definition: district, policy, departments: [...departments.values()], sources: [...sources.values()] },
    datasets: datasetsOf(present),
  };
}

function nameOf({ code, at, pointer, message }: Problem): string {
  return JSON.stringify([code, at?.replace(/:\d+$/, ''), pointer, message]);
}

function differing(standing: DistrictDataset[], declared: DistrictDataset[]): string[] {
  const [before, after] = [byCode(standing), byCode(declared)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().filter((code) => {
    const [now, wanted] = [before.get(code), after.get(code)];
    if (now === undefined || wanted === undefined) return true;
    return now.contractDigest !== wanted.contractDigest || differences(now.definition, wanted.definition).length > 0;
  });
}

function byCode(datasets: DistrictDataset[]): Map<string, DistrictDataset> {
  return new Map(datasets.map((dataset) => [dataset.definition.code, dataset]));
}
