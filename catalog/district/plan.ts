/** What an apply would do, before it is done. */
import { HuitongError, type Problem } from '../../lib/errors.ts';
import type { Change, Plan } from '../../schemas/generated/api.ts';
import type { Catalog } from '../database.ts';
import { type ContractChange, contractChange } from './contract-changes.ts';
import { differences } from './difference.ts';
import { digestOf } from './digest.ts';
import type { District } from './district.ts';
import { datasetPath, type Present, readPresent } from './present.ts';
import { withReviewed } from './reviewed.ts';

export type EntryKind = 'district' | 'policy' | 'department' | 'source' | 'dataset';

interface Entry {
  kind: EntryKind;
  code: string;
}

interface ChangedEntry extends Entry {
  changes: Change[];
}

export interface DistrictPlan {
  /** What the catalog shall hold. */
  target: District;
  /** Digest of the catalog's state that the plan was made against. */
  base: string;
  /** Of base and target: what a person saw and agreed to. */
  digest: string;
  added: Entry[];
  changed: ChangedEntry[];
  /** Retired: no longer published, not listed; versions and contracts stay. */
  removed: Entry[];
  contracts: ContractChange[];
  /** Datasets of which the files say something else than is in force by review: they stay as they are. */
  kept: string[];
  /** Why it cannot be applied; empty where it can. */
  problems: Problem[];
}

/** Reads one consistent state and compares. Changes nothing. */
export async function planDistrict(catalog: Catalog, district: District): Promise<DistrictPlan> {
  const present = await catalog.transaction(readPresent, { isolationLevel: 'repeatable read', readOnly: true });
  const { target, kept, problems } = withReviewed(present, district);
  const plan = comparePlan(present, target);
  return { ...plan, kept, problems: [...plan.problems, ...problems] };
}

/** Pure. What must change, whoever wants it. */
export function comparePlan(present: Present, target: District): DistrictPlan {
  const { definition, policy } = target;
  const compared = [
    compareKind('district', asMap(present.district), asMap(definition)),
    compareKind(
      'policy',
      asMap(present.policy && { ...present.policy, code: 'policy' }),
      asMap({ ...policy, code: 'policy' }),
    ),
    compareKind('department', present.departments, byCode(target.departments)),
    compareKind('source', present.sources, byCode(target.sources)),
    compareKind('dataset', present.datasets, byCode(target.datasets.map((dataset) => dataset.definition))),
  ];
  const contracts = target.datasets.flatMap(
    (dataset) => contractChange(dataset, present.contracts.get(dataset.definition.code)) ?? [],
  );
  return {
    target,
    base: present.digest,
    digest: digestOf({ base: present.digest, target: withoutPlaces(target) }),
    added: compared.flatMap(({ added }) => added),
    changed: compared.flatMap(({ changed }) => changed),
    removed: compared.flatMap(({ removed }) => removed),
    contracts,
    kept: [],
    problems: [
      ...checkDistrict(present, target),
      ...checkCaptures(present, target),
      ...contracts.flatMap(({ problem }) => problem ?? []),
    ],
  };
}

export function isEmptyPlan({ added, changed, removed, contracts }: DistrictPlan): boolean {
  return [added, changed, removed, contracts].every((list) => list.length === 0);
}

/** As the API shows it. */
export function toApiPlan(plan: DistrictPlan): Plan {
  return {
    district: plan.target.definition.code,
    digest: plan.digest,
    empty: isEmptyPlan(plan),
    added: plan.added,
    changed: plan.changed,
    removed: plan.removed,
    contracts: plan.contracts.map(({ problem, ...change }) => change),
    kept: plan.kept,
    problems: plan.problems,
  };
}

/** Throws the first of the plan's problems, with all of them in `problems`. */
export function assertApplicable({ problems }: DistrictPlan): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw new HuitongError(first.code, first.message + more, { at: first.at, pointer: first.pointer, problems });
}

/** Another district's files would retire everything that is here. */
function checkDistrict(present: Present, { definition }: District): Problem[] {
  if (present.district === null || present.district.code === definition.code) return [];
  const message = `the catalog is that of ${present.district.code}, the files are those of ${definition.code}`;
  return [{ code: 'DISTRICT_MISMATCH', message, at: 'district.yaml', pointer: '/code' }];
}

/** A dataset that goes while its source keeps a log for it (a replication slot) would fill the source's disk. */
function checkCaptures({ datasets }: Present, target: District): Problem[] {
  const kept = new Set(target.datasets.map(({ definition }) => definition.code));
  const open = [...datasets.values()].filter(({ code, mode }) => mode?.kind === 'changes' && !kept.has(code));
  return open.map((dataset) => ({
    code: 'CAPTURE_OPEN',
    message: `${dataset.code} follows its source’s log, and would leave it open`,
    at: datasetPath(dataset),
    pointer: '/mode',
  }));
}

type Coded = { code: string };

function compareKind(kind: EntryKind, from: Map<string, Coded>, to: Map<string, Coded>) {
  const added: Entry[] = [];
  const changed: ChangedEntry[] = [];
  for (const [code, definition] of to) {
    const before = from.get(code);
    const changes = before === undefined ? [] : differences(before, definition);
    if (before === undefined) added.push({ kind, code });
    else if (changes.length > 0) changed.push({ kind, code, changes });
  }
  const removed = [...from.keys()].filter((code) => !to.has(code)).map((code): Entry => ({ kind, code }));
  return { added, changed, removed };
}

function asMap(definition: Coded | null): Map<string, Coded> {
  return byCode(definition === null ? [] : [definition]);
}

function byCode(definitions: Coded[]): Map<string, Coded> {
  return new Map(definitions.map((definition) => [definition.code, definition]));
}

/** Where a contract stands in its file says nothing of what it is. */
function withoutPlaces({ datasets, ...district }: District) {
  return { ...district, datasets: datasets.map(({ definition, contractDigest }) => ({ definition, contractDigest })) };
}
