/**
 * A row filter, checked against a schema and compiled to functions over batches. There is no text of a query language
 * anywhere: a filter is a tree of known operators, a column is looked up by name, a literal is bound to its type.
 */
import { type Data, DataType, type Field, type RecordBatch, type Schema } from 'apache-arrow';
import { amongLiterals, compareCells, type Relation, startsWithBytes } from '../../../columnar/order.ts';
import { andInto, blurNulls, invert, nullsOf, orInto, type Truths } from '../../../columnar/truth.ts';
import { limits } from '../../../lib/limits.ts';
import type { Comparison, Literal, RowFilter } from '../../../schemas/generated/grant-terms.ts';
import { bindLiteral, isOrdered, policyInvalid } from './literals.ts';

/** The truth of the filter for each row of a batch; the array is the caller's. */
export type BatchFilter = (batch: RecordBatch) => Truths;

/** The columns that a filter names, in the order of their first mention. */
export function columnsOf(filter: RowFilter): string[] {
  const names = new Set<string>();
  const visit = (node: RowFilter): void => {
    const { and, or, not, ...leaf } = node;
    for (const child of [...(and ?? []), ...(or ?? [])]) visit(child);
    if (not) visit(not);
    for (const { column } of Object.values(leaf)) names.add(column);
  };
  visit(filter);
  return [...names];
}

/**
 * @param masked columns that may not be filtered by: what is hidden in a cell must not show by whether the row is there
 * @throws POLICY_INVALID with a pointer below `pointer`: an unknown column, a masked one, a literal of another type
 */
export function compileFilter(
  filter: RowFilter,
  schema: Schema,
  masked: ReadonlySet<string>,
  pointer = '/rowFilter',
): BatchFilter {
  const places = new Map(schema.fields.map((field, place) => [field.name, { field, place }]));
  let nodes = 0;
  const compile = (node: RowFilter, at: string, depth: number): BatchFilter => {
    if (++nodes > limits.filterNodesMax) throw policyInvalid(`a filter has at most ${limits.filterNodesMax} nodes`, at);
    if (depth > limits.filterDepthMax) throw policyInvalid(`a filter is at most ${limits.filterDepthMax} deep`, at);
    const children = (list: RowFilter[], name: string) =>
      list.map((child, i) => compile(child, `${at}/${name}/${i}`, depth + 1));
    if (node.and) return combine(children(node.and, 'and'), andInto);
    if (node.or) return combine(children(node.or, 'or'), orInto);
    if (node.not) {
      const inner = compile(node.not, `${at}/not`, depth + 1);
      return (batch) => invert(inner(batch));
    }
    const [[operator, leaf] = ['', undefined]] = Object.entries(node) as [string, Leaf | undefined][];
    if (leaf === undefined) throw policyInvalid('a node of a filter has one operator', at);
    const found = places.get(leaf.column);
    const pointerOfColumn = `${at}/${operator}/column`;
    if (found === undefined) throw policyInvalid('the dataset has no such column', pointerOfColumn);
    if (masked.has(leaf.column)) throw policyInvalid('a masked column is not filtered by', pointerOfColumn);
    const test = cellTest(found.field, node, `${at}/${operator}`);
    return (batch) => test(batch.data.children[found.place]!);
  };
  return compile(filter, pointer, 1);
}

interface Leaf {
  column: string;
}

type CellTest = (data: Data) => Truths;

const relations: Relation[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

function cellTest(field: Field, node: RowFilter, pointer: string): CellTest {
  if (node.isNull) return nullsOf;
  if (node.startsWith) return prefixTest(field, node.startsWith.value, pointer);
  if (node.in) return membershipTest(field, node.in.values, pointer);
  if (node.between) {
    const { column, low, high } = node.between;
    const above = relationTest(field, 'ge', { column, value: low }, `${pointer}/low`);
    const below = relationTest(field, 'le', { column, value: high }, `${pointer}/high`);
    return (data) => andInto(above(data), below(data));
  }
  for (const relation of relations) {
    const comparison = node[relation];
    if (comparison) return relationTest(field, relation, comparison, `${pointer}/value`);
  }
  throw policyInvalid('this operator is not known', pointer);
}

function relationTest(field: Field, relation: Relation, { value }: Comparison, pointer: string): CellTest {
  if (!isOrdered(field) && relation !== 'eq' && relation !== 'ne') {
    throw policyInvalid('this column is compared with eq, ne and in only', pointer);
  }
  const literal = bindLiteral(field, value, pointer);
  return (data) => blurNulls(compareCells(data.length, relation, literal.order(data)), data);
}

function membershipTest(field: Field, values: Literal[], pointer: string): CellTest {
  const literals = values
    .map((value, i) => bindLiteral(field, value, `${pointer}/values/${i}`))
    .sort((a, b) => a.compare(b));
  return (data) =>
    blurNulls(
      amongLiterals(
        data.length,
        literals.map((literal) => literal.order(data)),
      ),
      data,
    );
}

function prefixTest({ type }: Field, prefix: string, pointer: string): CellTest {
  if (!DataType.isUtf8(type) && !DataType.isLargeUtf8(type)) throw policyInvalid('only text has a beginning', pointer);
  const bytes = Buffer.from(prefix);
  return (data) => blurNulls(startsWithBytes(data, bytes), data);
}

function combine(filters: BatchFilter[], into: (target: Truths, other: Truths) => Truths): BatchFilter {
  const [first, ...rest] = filters;
  if (first === undefined) return (batch) => new Uint8Array(batch.numRows);
  return (batch) => rest.reduce((truths, filter) => into(truths, filter(batch)), first(batch));
}
