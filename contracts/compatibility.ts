/**
 * What a new contract means to those who read under the old one. The promise of a version that is not major: every row
 * valid under the new contract, cut to the old one's columns, is valid under the old one. docs/reference/contracts.md
 * has the table of changes; what cannot be proved is major.
 */
import { validateContract } from './compile.ts';
import type { ContractDocument } from './contract.ts';
import { implies } from './implication.ts';
import type { SchemaNode, SchemaObject } from './keywords.ts';
import { equalImages } from './oracle.ts';
import { pointerTo } from './pointer.ts';
import { patternTest } from './regex/pattern.ts';

export type CompatibilityLevel = 'none' | 'patch' | 'minor' | 'major';

export interface CompatibilityFinding {
  /** Into the new document, or into the old one where the thing is gone. */
  pointer: string;
  level: Exclude<CompatibilityLevel, 'none'>;
  message: string;
}

export interface Compatibility {
  /** The highest of the findings; `none` where the documents say the same. */
  level: CompatibilityLevel;
  findings: CompatibilityFinding[];
}

const order: CompatibilityLevel[] = ['none', 'patch', 'minor', 'major'];

/** Pure. Throws as `validateContract` where either document is no contract. `version` itself is not compared. */
export function compareContracts(old: ContractDocument, next: ContractDocument): Compatibility {
  const [oldRoot, nextRoot] = [old, next].map((document) => validateContract(document).root as SchemaObject) as [
    SchemaObject,
    SchemaObject,
  ];
  const findings = [...keyChanges(old, next), ...propertyChanges(oldRoot, nextRoot), ...rowChanges(oldRoot, nextRoot)];
  if (findings.length === 0 && !equalImages({ ...old, version: '' }, { ...next, version: '' })) {
    findings.push({ pointer: '', level: 'patch', message: 'only words, policies or spelling changed' });
  }
  const level = order[Math.max(0, ...findings.map((finding) => order.indexOf(finding.level)))]!;
  return { level, findings };
}

function keyChanges(old: ContractDocument, next: ContractDocument): CompatibilityFinding[] {
  const same = old.key.length === next.key.length && old.key.every((name, i) => name === next.key[i]);
  return same ? [] : [{ pointer: '/key', level: 'major', message: 'the key changed' }];
}

function propertyChanges(old: SchemaObject, next: SchemaObject): CompatibilityFinding[] {
  const [before, after] = [old.properties, next.properties] as Record<string, SchemaNode>[];
  const removed = Object.keys(before!)
    .filter((name) => !Object.hasOwn(after!, name))
    .map((name): CompatibilityFinding => {
      const pointer = pointerTo('properties', name);
      return { pointer, level: 'major', message: `the column "${name}" is gone` };
    });
  const rest = Object.entries(after!).flatMap(([name, schema]): CompatibilityFinding[] => {
    const pointer = pointerTo('properties', name);
    const known = Object.hasOwn(before!, name) ? before![name] : undefined;
    if (known === undefined) {
      return [addedProperty(old, name, schema, pointer)];
    }
    if (equalImages(known, schema)) {
      return [];
    }
    if (!implies(schema, known)) {
      return [{ pointer, level: 'major', message: `"${name}" may hold values that it could not hold before` }];
    }
    const level = implies(known, schema) ? 'patch' : 'minor';
    return [{ pointer, level, message: `"${name}" promises ${level === 'patch' ? 'the same' : 'more than before'}` }];
  });
  return [...removed, ...rest];
}

/** A column that the old contract described only by a pattern, or as one of "others", must keep that promise. */
function addedProperty(old: SchemaObject, name: string, schema: SchemaNode, pointer: string): CompatibilityFinding {
  const patterns = Object.entries((old.patternProperties ?? {}) as Record<string, SchemaNode>);
  const matching = patterns.filter(([pattern]) => patternTest(pattern)(name)).map(([, promised]) => promised);
  const others = old.additionalProperties as SchemaNode | undefined;
  const promises = matching.length > 0 ? matching : typeof others === 'object' ? [others] : [];
  if (promises.every((promise) => implies(schema, promise))) {
    return { pointer, level: 'minor', message: `the column "${name}" is new` };
  }
  return { pointer, level: 'major', message: `"${name}" was promised otherwise, by a pattern or for other columns` };
}

/** Keywords between columns: kept, or added (then the new contract promises more), or else major. */
function rowChanges(old: SchemaObject, next: SchemaObject): CompatibilityFinding[] {
  const findings: CompatibilityFinding[] = [];
  const handled = new Set(['properties', 'type']);
  const keywords = new Set([...Object.keys(old), ...Object.keys(next)].filter((keyword) => !handled.has(keyword)));
  for (const keyword of keywords) {
    const pointer = pointerTo(keyword);
    if (equalImages(old[keyword], next[keyword])) {
      continue;
    }
    const kept = rowKeywordKept(keyword, old[keyword], next[keyword], old, next);
    findings.push(
      kept
        ? { pointer, level: 'minor', message: `${keyword} promises more than before` }
        : { pointer, level: 'major', message: `${keyword} no longer promises what it did` },
    );
  }
  return findings;
}

const conditional = ['if', 'then', 'else'];

function rowKeywordKept(
  keyword: string,
  before: unknown,
  after: unknown,
  old: SchemaObject,
  next: SchemaObject,
): boolean {
  if (conditional.includes(keyword)) {
    return conditional.every((k) => old[k] === undefined);
  }
  if (before === undefined) {
    // A pattern takes columns away from what was promised of all others.
    return keyword !== 'patternProperties' || typeof old.additionalProperties !== 'object';
  }
  switch (keyword) {
    case 'required':
      // A declared column is there in every row.
      return (before as string[]).every((name) => Object.hasOwn(next.properties as object, name));
    case 'allOf':
      return (before as SchemaNode[]).every((part) =>
        ((after ?? []) as SchemaNode[]).some((p) => equalImages(p, part)),
      );
    case 'additionalProperties':
      return next.additionalProperties === false && equalImages(old.patternProperties, next.patternProperties);
    default:
      return false;
  }
}

/** The least version that a change of this level may have. `version` is a semantic version. */
export function requiredVersion(version: string, level: CompatibilityLevel): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  switch (level) {
    case 'major':
      return `${major + 1}.0.0`;
    case 'minor':
      return `${major}.${minor + 1}.0`;
    case 'patch':
      return `${major}.${minor}.${patch + 1}`;
    case 'none':
      return version;
  }
}
