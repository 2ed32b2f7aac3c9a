/** A normalized schema over the columns of one Arrow schema, as one check. */

import type { Problem } from '../lib/errors.ts';
import { decide, failsNull, isMerged, mergedKernels } from './cell-keywords.ts';
import { type Column, imageKernel, ownFormat } from './cell-tests.ts';
import { all, always, type CellTest, type Check, cells, countBranches, failAll, never, not, when } from './check.ts';
import type { KeywordRoute } from './contract.ts';
import { formats } from './formats/index.ts';
import {
  applicators,
  appliesTo,
  codeOf,
  keywordType,
  type SchemaNode,
  type SchemaObject,
  typesOf,
} from './keywords.ts';
import type { NormalContract } from './normalize.ts';
import { createOracle } from './oracle.ts';
import { pointerTo } from './pointer.ts';
import { patternTest } from './regex/pattern.ts';

/** Where a schema stands: in a branch (`anyOf`, `not`, `if`, …) a verdict of "never" can be meant. */
interface Place {
  pointer: string;
  inBranch: boolean;
}

export class SchemaCompiler {
  readonly routes: KeywordRoute[] = [];
  readonly problems: Problem[] = [];
  private readonly columns: ReadonlyMap<string, Column>;
  private readonly contract: NormalContract;

  constructor(contract: NormalContract, columns: Column[]) {
    this.contract = contract;
    this.columns = new Map(columns.map((column) => [column.field.name, column]));
  }

  private route(pointer: string, route: KeywordRoute['route'], reason?: string): void {
    this.routes.push(reason === undefined ? { pointer, route } : { pointer, route, reason });
  }

  private mismatch(pointer: string, message: string): void {
    this.problems.push({ code: 'CONTRACT_MISMATCH', pointer, message });
  }

  /** A schema whose instance is the row. */
  row(schema: SchemaNode, place: Place): Check {
    if (typeof schema === 'boolean') {
      return schema ? never : always('', 'FALSE_SCHEMA');
    }
    const pointer = this.contract.pointerOf(schema, place.pointer);
    const at = { ...place, pointer };
    const checks = Object.entries(schema).map(([keyword, value]) => this.rowKeyword(schema, keyword, value, at));
    return all([...checks, ...this.composites(schema, '', at, (node, to) => this.row(node, to))]);
  }

  private rowKeyword(schema: SchemaObject, keyword: string, value: unknown, place: Place): Check {
    const pointer = place.pointer + pointerTo(keyword);
    const about = keywordType(keyword);
    if (about !== null && about !== 'object') {
      this.mismatch(pointer, `${keyword} is about a ${about}; a row is an object`);
      return never;
    }
    switch (keyword) {
      case 'type':
        return this.fixed(typesOf(value).includes('object'), keyword, pointer);
      case 'const':
      case 'enum':
        this.mismatch(pointer, `${keyword} of whole rows is not supported; use it on a property`);
        return never;
      case 'properties':
      case 'patternProperties':
      case 'additionalProperties':
        return this.members(schema, keyword, place);
      case 'required':
        return this.required(value as string[], pointer, place);
      case 'dependentSchemas': {
        const schemas = Object.entries(value as Record<string, SchemaNode>);
        const present = schemas.filter(([name]) => this.columns.has(name));
        return all(present.map(([name, node]) => this.row(node, { ...place, pointer: pointer + pointerTo(name) })));
      }
      case 'dependentRequired':
        return this.dependentRequired(value as Record<string, string[]>, pointer);
      case 'propertyNames': {
        const names = createOracle(value as SchemaNode);
        return this.fixed(
          [...this.columns.keys()].every((name) => names.passes(name)),
          keyword,
          pointer,
        );
      }
      case 'minProperties':
        return this.fixed(this.columns.size >= Number(value), keyword, pointer);
      case 'maxProperties':
        return this.fixed(this.columns.size <= Number(value), keyword, pointer);
      default:
        return never;
    }
  }

  /** Every row has the same members, so a keyword about members alone is decided here. */
  private fixed(holds: boolean, keyword: string, pointer: string): Check {
    this.route(pointer, 'static', 'every row has every column');
    return holds ? never : always('', codeOf(keyword));
  }

  private required(names: string[], pointer: string, place: Place): Check {
    const missing = names.filter((name) => !this.columns.has(name));
    if (!place.inBranch) {
      for (const name of missing) {
        this.mismatch(pointer, `the source has no column "${name}"`);
      }
    }
    return this.fixed(missing.length === 0, 'required', pointer);
  }

  private dependentRequired(names: Record<string, string[]>, pointer: string): Check {
    const missing = Object.entries(names).filter(
      ([name, others]) => this.columns.has(name) && others.some((other) => !this.columns.has(other)),
    );
    return this.fixed(missing.length === 0, 'dependentRequired', pointer);
  }

  private members(schema: SchemaObject, keyword: string, place: Place): Check {
    const pointer = place.pointer + pointerTo(keyword);
    if (keyword === 'additionalProperties') {
      return this.additional(schema, pointer, place);
    }
    const checks: Check[] = [];
    for (const [name, node] of Object.entries(schema[keyword] as Record<string, SchemaNode>)) {
      const to = { ...place, pointer: pointer + pointerTo(name) };
      if (keyword === 'patternProperties') {
        const named = patternTest(name);
        const columns = [...this.columns.values()].filter((column) => named(column.field.name));
        checks.push(...columns.map((column) => this.value(node, column, to)));
        continue;
      }
      const column = this.columns.get(name);
      if (column === undefined) {
        this.mismatch(to.pointer, `the source has no column "${name}"`);
      } else {
        checks.push(this.value(node, column, to));
      }
    }
    return all(checks);
  }

  private additional(schema: SchemaObject, pointer: string, place: Place): Check {
    const node = schema.additionalProperties as SchemaNode;
    const declared = Object.keys((schema.properties ?? {}) as object);
    const patterns = Object.keys((schema.patternProperties ?? {}) as object).map(patternTest);
    const others = [...this.columns.values()].filter(
      ({ field: { name } }) => !declared.includes(name) && !patterns.some((matches) => matches(name)),
    );
    if (node === false) {
      return this.fixed(others.length === 0, 'additionalProperties', pointer);
    }
    return all(others.map((column) => this.value(node, column, { ...place, pointer })));
  }

  /** `allOf`, `anyOf`, `oneOf`, `not`, `if`, whether the instance is a row or a cell. */
  private composites(
    schema: SchemaObject,
    instance: string,
    place: Place,
    compile: (node: SchemaNode, place: Place) => Check,
  ): Check[] {
    const checks: Check[] = [];
    const inner = (node: SchemaNode, inBranch: boolean, ...tokens: (string | number)[]) =>
      compile(node, { pointer: place.pointer + pointerTo(...tokens), inBranch: place.inBranch || inBranch });
    const list = (keyword: string, inBranch: boolean) =>
      ((schema[keyword] ?? []) as SchemaNode[]).map((node, i) => inner(node, inBranch, keyword, i));
    checks.push(...list('allOf', false));
    if ('anyOf' in schema) {
      checks.push(countBranches(list('anyOf', true), 'any', instance));
    }
    if ('oneOf' in schema) {
      checks.push(countBranches(list('oneOf', true), 'one', instance));
    }
    if ('not' in schema) {
      checks.push(not(inner(schema.not as SchemaNode, true, 'not'), instance));
    }
    if ('if' in schema) {
      const [condition, consequence, alternative] = ['if', 'then', 'else'].map((keyword) =>
        inner((schema[keyword] ?? true) as SchemaNode, true, keyword),
      );
      checks.push(when(condition!, consequence!, alternative!));
    }
    return checks;
  }

  /** A schema whose instance is one column's cell. */
  value(schema: SchemaNode, column: Column, place: Place): Check {
    if (typeof schema === 'boolean') {
      const nothing: CellTest = { code: 'FALSE_SCHEMA', kernel: failAll, nullFails: true };
      return schema ? never : cells(column.index, column.pointer, [nothing]);
    }
    const at = { ...place, pointer: this.contract.pointerOf(schema, place.pointer) };
    if (column.image.jsonType === 'array' || column.image.jsonType === 'object') {
      this.route(at.pointer, 'rows', `a column of Arrow type ${column.field.type} goes through ajv`);
      return oracleCheck(schema, column);
    }
    const tests = Object.keys(schema).flatMap((keyword) => this.cellTest(schema, keyword, column, at) ?? []);
    const own = cells(column.index, column.pointer, tests, mergedKernels(schema, column));
    return all([own, ...this.composites(schema, column.pointer, at, (node, to) => this.value(node, column, to))]);
  }

  private cellTest(schema: SchemaObject, keyword: string, column: Column, place: Place): CellTest | null {
    const pointer = place.pointer + pointerTo(keyword);
    const value = schema[keyword];
    if (!appliesTo(keyword, column.image.jsonType)) {
      this.mismatch(
        pointer,
        `${keyword} never acts on "${column.field.name}", whose image is ${column.image.jsonType}`,
      );
      return null;
    }
    if (keyword in applicators) {
      return null;
    }
    const decision = decide(schema, keyword, column);
    const nullFails = failsNull(keyword, value);
    const code = codeOf(keyword, value);
    if (decision === 'pass') {
      this.route(pointer, nullFails ? 'columns' : 'static');
      return { code, kernel: null, nullFails };
    }
    if (decision === 'rows') {
      this.route(pointer, 'rows', `tested on the JSON image of Arrow type ${column.field.type}`);
      const oracle = createOracle({ [keyword]: value });
      return { code, kernel: imageKernel(column.image, (image) => oracle.passes(image)), nullFails };
    }
    if (decision.kernel === failAll && !place.inBranch) {
      const looks = ownFormat(column.field) ?? column.image.jsonType;
      this.mismatch(pointer, `no cell of "${column.field.name}" can pass: its image is ${looks}`);
    }
    const borrowed = keyword === 'format' && formats.get(String(value))?.bytes === undefined;
    this.route(pointer, borrowed ? 'rows' : 'columns', borrowed ? 'tested on decoded text' : undefined);
    return { code, kernel: decision.kernel, nullFails, merged: isMerged(keyword) };
  }
}

/** Lists and structs: the whole schema, by ajv, on each cell's image. */
function oracleCheck(schema: SchemaObject, column: Column): Check {
  const oracle = createOracle(schema);
  const { index, image, pointer } = column;
  return {
    mark(batch, from, to, mask) {
      const data = batch.columns[index]!;
      for (let row = from; row < to; row++) {
        if (!oracle.passes(data.getValid(row) ? image.value(data, row) : null)) {
          mask[row] = 1;
        }
      }
    },
    explain(batch, row, report) {
      const data = batch.columns[index]!;
      for (const error of oracle.errors(data.getValid(row) ? image.value(data, row) : null)) {
        report(pointer + error.pointer, error.code);
      }
    },
  };
}
