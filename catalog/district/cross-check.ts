/** What no schema can say: references, duplicates, secrets, check characters, and one authoritative source. */
import { formats } from '../../contracts/formats/index.ts';
import { pointerTo } from '../../contracts/pointer.ts';
import { assertSafeName } from '../../contracts/safety.ts';
import { isHuitongError, type Problem } from '../../lib/errors.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import { contractPathOf, type Declarations, type Declared } from './declarations.ts';
import { departmentOf } from './district.ts';
import { checkDuplicates } from './duplicates.ts';
import { filterColumns, isFilter } from './filter-shape.ts';
import { isCron, isTimeZone } from './schedule.ts';
import { inlineSecrets } from './secrets.ts';

export function crossCheck(found: Declarations): Problem[] {
  return [
    ...checkDistrict(found),
    ...checkDepartments(found),
    ...checkSources(found),
    ...found.datasets.flatMap((dataset) => checkDataset(dataset, found)),
    ...checkAuthoritative(found.datasets),
    ...checkDuplicates(found),
    ...checkOrphans(found),
    ...checkValues(found),
  ];
}

function checkDistrict({ district, policy, codes }: Declarations): Problem[] {
  const supervisors = district
    .filter(({ value }) => !codes.departments.has(value.supervisor))
    .map((entry) => unknown(entry, '/supervisor', `no department has the code ${entry.value.supervisor}`));
  const zones = [...district, ...policy]
    .filter(({ value }) => !isTimeZone(value.timeZone))
    .map((entry) => invalid(entry, '/timeZone', 'is not the name of a time zone'));
  return [...supervisors, ...zones];
}

function checkDepartments({ departments }: Declarations): Problem[] {
  const isCreditCode = formats.get('social-credit-code')!;
  const withCredit = departments.filter(({ value }) => value.creditCode !== undefined);
  return [
    ...duplicates(departments, ({ code }) => code, '/code'),
    ...duplicates(withCredit, ({ creditCode }) => creditCode!, '/creditCode'),
    ...withCredit
      .filter(({ value }) => !isCreditCode.text(value.creditCode!))
      .map((entry) => problem(entry, 'CHECKSUM', '/creditCode', 'the check character does not match (GB 32100)')),
  ];
}

function checkSources({ sources, codes }: Declarations): Problem[] {
  return sources.flatMap((entry) => {
    const { department, connection, limits } = entry.value;
    const secrets = inlineSecrets(connection, '/connection').map((pointer) =>
      problem(entry, 'SECRET_INLINE', pointer, 'a secret is written out'),
    );
    const zones = (limits?.windows ?? []).flatMap(({ timeZone }, i) =>
      timeZone === undefined || isTimeZone(timeZone)
        ? []
        : [invalid(entry, `/limits/windows/${i}/timeZone`, 'is not the name of a time zone')],
    );
    const found = [...secrets, ...zones];
    if (codes.departments.has(department)) return found;
    return [unknown(entry, '/department', `no department has the code ${department}`), ...found];
  });
}

function checkDataset(entry: Declared<DatasetDefinition>, found: Declarations): Problem[] {
  return [
    ...checkReferences(entry, found),
    ...checkContract(entry, found),
    ...checkBasis(entry),
    ...checkTimes(entry),
    ...checkVerifications(entry, found),
  ];
}

function checkReferences(entry: Declared<DatasetDefinition>, { codes, sources }: Declarations): Problem[] {
  const { code, source, related = [] } = entry.value;
  const department = departmentOf(code);
  const problems: Problem[] = [];
  if (!codes.departments.has(department)) {
    problems.push(unknown(entry, '/code', `no department has the code ${department}`));
  }
  if (!codes.sources.has(source)) problems.push(unknown(entry, '/source', `no source has the code ${source}`));
  const owner = sources.find(({ value }) => value.code === source)?.value.department ?? department;
  if (owner !== department) {
    problems.push(
      invalid(entry, '/source', `the source belongs to ${owner}; a department publishes from its own sources`),
    );
  }
  for (const [i, other] of related.entries()) {
    if (!codes.datasets.has(other))
      problems.push(unknown(entry, pointerTo('related', i), `no dataset has the code ${other}`));
  }
  return problems;
}

function checkContract(entry: Declared<DatasetDefinition>, { contracts }: Declarations): Problem[] {
  const path = contractPathOf(entry);
  const contract = contracts.get(path)?.value;
  // A contract that is there and wrong has its own findings.
  if (contract === undefined) return [unknown(entry, '/contract', `there is no valid contract at ${path}`)];
  const { items = {}, columns } = entry.value;
  const strangers = Object.keys(items)
    .filter((name) => !Object.hasOwn(contract.properties, name))
    .map((name) => unknown(entry, pointerTo('items', name), 'names no property of the contract'));
  const needed = new Set([...contract.key, ...(contract.required ?? [])]);
  const unread = columns === undefined ? [] : [...needed].filter((name) => !columns.includes(name));
  return [
    ...strangers,
    ...unread.map((name) => invalid(entry, '/columns', `lacks ${name}, which the contract's key or "required" names`)),
  ];
}

/** CLASS_BASIS_MISSING; an item may stand on its dataset's basis where both have the same class. */
function checkBasis(entry: Declared<DatasetDefinition>): Problem[] {
  const { sharing, items = {} } = entry.value;
  const missing = (pointer: string) =>
    problem(entry, 'CLASS_BASIS_MISSING', pointer, 'the class is not unconditional, and no basis is given');
  const own = sharing.class !== 'unconditional' && sharing.basis === undefined ? [missing('/sharing')] : [];
  const ofItems = Object.entries(items).flatMap(([name, { sharing: item }]) => {
    if (item === undefined || item.class === 'unconditional' || item.basis !== undefined) return [];
    return item.class === sharing.class && sharing.basis !== undefined
      ? []
      : [missing(pointerTo('items', name, 'sharing'))];
  });
  return [...own, ...ofItems];
}

/** That the questions of a dataset ask of what it has. What types make of them is seen by a version. */
function checkVerifications(entry: Declared<DatasetDefinition>, { contracts }: Declarations): Problem[] {
  const { properties } = contracts.get(contractPathOf(entry))?.value ?? {};
  if (properties === undefined) return [];
  return Object.entries(entry.value.verifications ?? {}).flatMap(([name, { matching = [], where }]) => {
    const place = (...path: (string | number)[]) => pointerTo('verifications', name, ...path);
    if (!isFilter(where)) return [invalid(entry, place('where'), 'is no filter tree (docs/reference/policies.md)')];
    const asked = [
      ...matching.map((column, i) => ({ column, at: place('matching', i) })),
      ...filterColumns(where).map((column) => ({ column, at: place('where') })),
    ];
    return asked
      .filter(({ column }) => !Object.hasOwn(properties, column))
      .map(({ column, at }) => unknown(entry, at, `the contract has no property ${column}`));
  });
}

function checkTimes(entry: Declared<DatasetDefinition>): Problem[] {
  const { schedule, timeZone } = entry.value;
  const problems: Problem[] = [];
  if (schedule !== undefined && !isCron(schedule.cron)) {
    problems.push(invalid(entry, '/schedule/cron', 'a field is out of its range: minute hour day month weekday'));
  }
  for (const [pointer, zone] of [
    ['/timeZone', timeZone],
    ['/schedule/timeZone', schedule?.timeZone],
  ] as const) {
    if (zone !== undefined && !isTimeZone(zone))
      problems.push(invalid(entry, pointer, 'is not the name of a time zone'));
  }
  return problems;
}

/** 一数一源: each element has one authoritative item in the whole district. */
function checkAuthoritative(datasets: Declared<DatasetDefinition>[]): Problem[] {
  const first = new Map<string, string>();
  const problems: Problem[] = [];
  for (const entry of datasets.toSorted((a, b) => (a.value.code < b.value.code ? -1 : 1))) {
    for (const [name, { authoritativeFor: element }] of Object.entries(entry.value.items ?? {})) {
      if (element === undefined) continue;
      const holder = first.get(element);
      if (holder === undefined) first.set(element, `${entry.value.code} ${name}`);
      else {
        const pointer = pointerTo('items', name, 'authoritativeFor');
        problems.push(problem(entry, 'SOURCE_CONFLICT', pointer, `${element} already comes from ${holder}`));
      }
    }
  }
  return problems;
}

/** A contract that no dataset names is a mistake of a name, most often. */
function checkOrphans({ contracts, datasets, codes }: Declarations): Problem[] {
  if (datasets.length < codes.datasets.size) return [];
  const named = new Set(datasets.map(contractPathOf));
  return [...contracts]
    .filter(([path]) => !named.has(path))
    .map(([path, entry]) => ({
      ...problem(entry, 'REFERENCE_UNKNOWN', '', 'no dataset names this contract'),
      at: path,
    }));
}

/** ENCODING: no text holds what cannot be seen. JSON_AMBIGUOUS: no number has lost digits already. */
function checkValues({ district, policy, departments, sources, datasets, contracts }: Declarations): Problem[] {
  const entries: Declared<unknown>[] = [...district, ...policy, ...departments, ...sources, ...datasets];
  const texts = [...entries, ...contracts.values()].flatMap((entry) =>
    textsOf(entry.value).flatMap(([pointer, text]) => (isSafe(text) ? [] : [unsafeText(entry, pointer)])),
  );
  const numbers = entries.flatMap((entry) =>
    inexactNumbers(entry.value).map((pointer) =>
      problem(entry, 'JSON_AMBIGUOUS', pointer, 'this number loses digits: put it in quotes'),
    ),
  );
  return [...texts, ...numbers];
}

function unsafeText(entry: Declared<unknown>, pointer: string): Problem {
  return problem(entry, 'ENCODING', pointer, 'holds NUL, a lone surrogate or a bidirectional control');
}

function isSafe(text: string): boolean {
  try {
    assertSafeName(text, '');
    return true;
  } catch (e) {
    if (isHuitongError(e, 'ENCODING')) return false;
    throw e;
  }
}

/** Every string of a document, names of members included, with its pointer. */
function textsOf(value: unknown, pointer = ''): [string, string][] {
  if (typeof value === 'string') return [[pointer, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]): [string, string][] => {
    const at = pointer + pointerTo(name);
    return [[at, name], ...textsOf(member, at)];
  });
}

/** Infinity, NaN, and integers beyond 2^53: JSON cannot say the former, and a double the latter. */
function inexactNumbers(value: unknown, pointer = ''): string[] {
  if (typeof value === 'number') {
    const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
    return exact ? [] : [pointer];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => inexactNumbers(member, pointer + pointerTo(name)));
}

function duplicates<T>(entries: Declared<T>[], codeOf: (value: T) => string, pointer: string): Problem[] {
  const first = new Map<string, Declared<T>>();
  return entries.flatMap((entry) => {
    const code = codeOf(entry.value);
    const before = first.get(code);
    first.set(code, before ?? entry);
    if (before === undefined) return [];
    return [problem(entry, 'DUPLICATE_CODE', pointer, `already given at ${before.document.at(before.pointer)}`)];
  });
}

function problem(entry: Declared<unknown>, code: Problem['code'], pointer: string, message: string): Problem {
  return entry.document.problem(code, entry.pointer + pointer, message);
}

function unknown(entry: Declared<unknown>, pointer: string, message: string): Problem {
  return problem(entry, 'REFERENCE_UNKNOWN', pointer, message);
}

function invalid(entry: Declared<unknown>, pointer: string, message: string): Problem {
  return problem(entry, 'DEFINITION_INVALID', pointer, message);
}
