/**
 * Compiles a contract against an Arrow schema: everything that can be wrong with the two together is found now, all at
 * once, each with a pointer; what is left is decided in columns, batch by batch.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Field, RecordBatch, Schema } from 'apache-arrow';
import { Type } from 'apache-arrow';
import type { UnrepresentableCell } from '../columnar/batch.ts';
import { HuitongError, type Problem } from '../lib/errors.ts';
import type { Column } from './cell-tests.ts';
import { all, type Check, type CheckedBatch, cells } from './check.ts';
import type { BatchVerdict, CompileContract, ContractDocument, RowError } from './contract.ts';
import { cellImages } from './image.ts';
import { validUtf8 } from './kernels/bytes.ts';
import { type NormalContract, normalize } from './normalize.ts';
import { pointerTo } from './pointer.ts';
import { patternTest } from './regex/pattern.ts';
import { assertSafeName, throwFindings, unsafeFindings } from './safety.ts';
import { SchemaCompiler } from './schema-compiler.ts';

/** What becomes of a cell that the source holds and Arrow cannot: `x-unrepresentable` of its property. */
const policies = ['null', 'quarantine', 'reject'] as const;
type Policy = (typeof policies)[number];

const semanticVersion = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;
let metaSchema: Ajv2020 | undefined;

/**
 * Throws SCHEMA_UNSAFE, CONTRACT_INVALID, CONTRACT_MISMATCH or TYPE_UNMAPPED with all findings in `problems`.
 * `check` throws UNREPRESENTABLE where a property says that such a cell rejects the run.
 */
export const compileContract: CompileContract = (document, schema) => {
  const contract = validateContract(document);
  const images = cellImages(schema);
  const columns: Column[] = schema.fields.map((field, index) => ({
    index,
    field,
    image: images[index]!,
    pointer: pointerTo(field.name),
  }));
  const compiler = new SchemaCompiler(contract, columns);
  const root = compiler.row(contract.root, { pointer: '', inBranch: false });
  const problems = [...compiler.problems, ...undeclared(document, schema), ...keyFindings(document, schema)];
  throwFindings(problems, 'the contract does not fit the source');

  const guards = columns.flatMap((column) => guardsOf(column, document.key.includes(column.field.name)));
  const checker = new BatchChecker(all(guards), root, columns, policiesOf(document, columns));
  return {
    document,
    key: document.key,
    routes: compiler.routes,
    check: (batch, unrepresentable = []) => checker.check(batch, unrepresentable),
  };
};

/** Checks a contract by itself, without a source. Throws as `compileContract`; returns the plain schema. */
export function validateContract(document: ContractDocument): NormalContract {
  throwFindings(unsafeFindings(document), 'the contract is refused');
  throwFindings(shapeFindings(document), 'the contract is invalid');
  const contract = normalize(document);
  throwFindings(contract.problems, 'the contract is invalid');
  return contract;
}

function shapeFindings(document: ContractDocument): Problem[] {
  const problems: Problem[] = [];
  const invalid = (pointer: string, message: string) => problems.push({ code: 'CONTRACT_INVALID', pointer, message });
  metaSchema ??= new Ajv2020({ allErrors: true, strict: false, validateFormats: false, logger: false });
  if (!metaSchema.validate('https://json-schema.org/draft/2020-12/schema', document)) {
    for (const error of metaSchema.errors ?? []) {
      invalid(error.instancePath, `${error.message ?? error.keyword} (JSON Schema 2020-12)`);
    }
  }
  if (document.type !== 'object' || typeof document.properties !== 'object') {
    invalid('', 'a contract has type "object" and properties');
  }
  if (!semanticVersion.test(document.version)) {
    invalid('/version', 'a contract has a semantic version such as 1.0.0');
  }
  if (!Array.isArray(document.key) || document.key.length === 0 || !document.key.every((k) => typeof k === 'string')) {
    invalid('/key', 'a contract has a key: the list of columns that identify a row');
    return problems;
  }
  for (const [name, property] of Object.entries(document.properties ?? {})) {
    const policy: unknown =
      typeof property === 'object' && property !== null && Reflect.get(property, 'x-unrepresentable');
    if (policy && !policies.includes(policy as Policy)) {
      invalid(`/properties${pointerTo(name)}/x-unrepresentable`, `one of ${policies.join(', ')}`);
    }
  }
  return problems;
}

/** A column that nobody described is not published, unless the contract says that others may be there. */
function undeclared(document: ContractDocument, schema: Schema): Problem[] {
  const patterns = Object.keys((document.patternProperties ?? {}) as object).map(patternTest);
  const open = document.additionalProperties !== undefined && document.additionalProperties !== false;
  const mismatch = (message: string): Problem => ({ code: 'CONTRACT_MISMATCH', pointer: '/properties', message });
  return schema.fields.flatMap(({ name }) => {
    if (name === '__proto__') {
      return mismatch('a column cannot be named __proto__; leave it out');
    }
    assertSafeName(name, '/properties');
    const declared = Object.hasOwn(document.properties, name) || patterns.some((matches) => matches(name));
    return declared || open ? [] : mismatch(`the column "${name}" is not in the contract`);
  });
}

function keyFindings(document: ContractDocument, schema: Schema): Problem[] {
  return document.key.flatMap((name, i): Problem[] => {
    const field: Field | undefined = schema.fields.find((f) => f.name === name);
    const pointer = `/key/${i}`;
    if (field === undefined) {
      return [{ code: 'CONTRACT_MISMATCH', pointer, message: `the key column "${name}" is not in the source` }];
    }
    const nested = field.type.typeId === Type.List || field.type.typeId === Type.Struct;
    return nested ? [{ code: 'CONTRACT_MISMATCH', pointer, message: 'a list or struct cannot be a key' }] : [];
  });
}

/** What holds for every contract: text is UTF-8, and a key is not null. */
function guardsOf(column: Column, isKey: boolean): Check[] {
  const text = column.field.type.typeId === Type.Utf8;
  return [
    ...(text
      ? [cells(column.index, column.pointer, [{ code: 'INVALID_TEXT', kernel: validUtf8, nullFails: false }])]
      : []),
    ...(isKey ? [cells(column.index, column.pointer, [{ code: 'KEY_NULL', kernel: null, nullFails: true }])] : []),
  ];
}

function policiesOf(document: ContractDocument, columns: Column[]): Policy[] {
  return columns.map(({ field }) => {
    const property = document.properties[field.name];
    const policy = typeof property === 'object' && property !== null && Reflect.get(property, 'x-unrepresentable');
    return policies.find((p) => p === policy) ?? 'quarantine';
  });
}

class BatchChecker {
  private readonly guards: Check;
  private readonly root: Check;
  private readonly columns: Column[];
  private readonly policies: Policy[];

  constructor(guards: Check, root: Check, columns: Column[], rules: Policy[]) {
    this.guards = guards;
    this.root = root;
    this.columns = columns;
    this.policies = rules;
  }

  check(batch: RecordBatch, unrepresentable: UnrepresentableCell[]): BatchVerdict {
    const checked: CheckedBatch = { columns: batch.data.children };
    const mask = new Uint8Array(batch.numRows);
    this.guards.mark(checked, 0, batch.numRows, mask);
    // Hardly ever: then what the guards say of a row need not be asked again.
    const explain = mask.includes(1) ? all([this.guards, this.root]) : this.root;
    this.root.mark(checked, 0, batch.numRows, mask);
    const quarantined = unrepresentable.filter((cell) => this.policyOf(cell) === 'quarantine');
    for (const cell of quarantined) {
      mask[cell.row] = 1;
    }
    const failed = mask.reduce((sum, bit) => sum + bit, 0);
    return {
      failed,
      mask: failed === 0 ? null : mask,
      errors: () => (failed === 0 ? [] : this.errors(checked, mask, explain, quarantined)),
    };
  }

  private policyOf(cell: UnrepresentableCell): Policy {
    const policy = this.policies[cell.column]!;
    if (policy === 'reject') {
      const pointer = this.columns[cell.column]!.pointer;
      throw new HuitongError('UNREPRESENTABLE', `a cell of this column is ${cell.code}`, { pointer });
    }
    return policy;
  }

  private errors(
    batch: CheckedBatch,
    mask: Uint8Array,
    explain: Check,
    quarantined: UnrepresentableCell[],
  ): RowError[] {
    const known = groupByRow(quarantined);
    const out: RowError[] = [];
    for (let row = mask.indexOf(1); row >= 0; row = mask.indexOf(1, row + 1)) {
      out.push(...this.rowErrors(batch, row, explain, known.get(row) ?? []));
    }
    return out;
  }

  private rowErrors(batch: CheckedBatch, row: number, explain: Check, quarantined: UnrepresentableCell[]): RowError[] {
    const found: RowError[] = [];
    /** Of a cell that has no readable value, nothing else is said. */
    const unreadable = new Set<string>();
    const add = (pointer: string, code: string) => {
      // The same keyword can fail twice where `allOf` repeats it.
      if (!found.some((error) => error.pointer === pointer && error.code === code)) {
        found.push({ row, pointer, code });
      }
    };
    for (const cell of quarantined) {
      const { pointer } = this.columns[cell.column]!;
      unreadable.add(pointer);
      add(pointer, cell.code);
    }
    explain.explain(batch, row, (pointer, code) => {
      if (!unreadable.has(pointer)) {
        add(pointer, code);
      }
      if (code === 'INVALID_TEXT') {
        unreadable.add(pointer);
      }
    });
    return found.sort((a, b) => compareText(a.pointer, b.pointer) || compareText(a.code, b.code));
  }
}

/** By code unit: the same order everywhere, whatever the locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function groupByRow(cells: UnrepresentableCell[]): Map<number, UnrepresentableCell[]> {
  const rows = new Map<number, UnrepresentableCell[]>();
  for (const cell of cells) {
    rows.set(cell.row, [...(rows.get(cell.row) ?? []), cell]);
  }
  return rows;
}
