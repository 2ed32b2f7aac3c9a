/**
 * From a source's columns to Arrow's, the same way for every kind: which columns are read, what becomes of each type,
 * what a dataset's definition wishes otherwise, and what is refused, all of it at planning and by name.
 */
import { type DataType, Field, Schema } from 'apache-arrow';
import { HuitongError } from '../lib/errors.ts';
import type { PlannedColumn, ReadPlan, SourceColumn, TableRequest, TypeOverride } from './connector.ts';

/** `skip` never reaches a type table: the column is left out before. */
export type TypeWish = Exclude<TypeOverride, { as: 'skip' }>;

/**
 * What becomes of each of a source's types. It is exhaustive: a type that it does not map is refused when a read is
 * planned, and never cast silently. A `Mapping` is plain data that only its kind understands; it is kept in the plan,
 * so that `read` decides nothing anew.
 */
export interface TypeTable<SourceType, Mapping> {
  /** Undefined: refused, TYPE_UNMAPPED. */
  mappingOf(type: SourceType): Mapping | undefined;
  /** The mapping that a dataset's definition asks for; `natural` is that of `mappingOf`. Undefined: it cannot be had. */
  overridden(type: SourceType, natural: Mapping | undefined, wish: TypeWish): Mapping | undefined;
  arrowTypeOf(mapping: Mapping): DataType;
  /** Whether a cell that is not null in the source can be null, and reported, in Arrow. Default: never. */
  canBeUnrepresentable?(mapping: Mapping): boolean;
  /** Metadata of the Arrow field, such as an extension type's name. Default: none. */
  metadataOf?(mapping: Mapping): Map<string, string>;
}

/** A column as the source's catalog tells it, with all that its kind needs to know of the type. */
export interface CatalogColumn<SourceType> {
  name: string;
  type: SourceType;
  /** The source's own spelling of the type. */
  sourceType: string;
  nullable: boolean;
  comment?: string;
}

export interface MappedColumn<Column, Mapping> {
  column: Column;
  mapping: Mapping;
}

/**
 * The columns that a request wants, in its order, without those that it skips, each with its mapping.
 * @param at the table, for messages
 * @param quote how the source writes a column's name
 * @throws HuitongError COLUMN_NOT_FOUND, TYPE_UNMAPPED; each names every column at fault
 */
export function mapColumns<SourceType, Mapping, Column extends CatalogColumn<SourceType>>(
  types: TypeTable<SourceType, Mapping>,
  columns: Column[],
  request: Pick<TableRequest, 'columns' | 'overrides'>,
  at: string,
  quote: (name: string) => string = (name) => name,
): MappedColumn<Column, Mapping>[] {
  const refused: Column[] = [];
  const mapped = chooseColumns(columns, request, at).flatMap((column) => {
    const wish = request.overrides?.[column.name];
    const natural = types.mappingOf(column.type);
    const mapping = wish === undefined || wish.as === 'skip' ? natural : types.overridden(column.type, natural, wish);
    if (mapping === undefined) refused.push(column);
    return mapping === undefined ? [] : [{ column, mapping }];
  });
  if (refused.length > 0) {
    const names = refused.map((column) => `${column.name} (${column.sourceType})`).join(', ');
    throw new HuitongError('TYPE_UNMAPPED', `columns whose type is not mapped, or not as asked for: ${names}`, {
      at,
      problems: refused.map((column) => ({
        code: 'TYPE_UNMAPPED',
        message: `${column.name}: ${column.sourceType}`,
        at: `${at}.${quote(column.name)}`,
      })),
    });
  }
  return mapped;
}

function chooseColumns<Column extends { name: string }>(
  all: Column[],
  request: Pick<TableRequest, 'columns' | 'overrides'>,
  at: string,
): Column[] {
  const byName = new Map(all.map((column) => [column.name, column]));
  const named = [...(request.columns ?? []), ...Object.keys(request.overrides ?? {})];
  const unknown = [...new Set(named.filter((name) => !byName.has(name)))];
  if (unknown.length > 0) {
    throw new HuitongError('COLUMN_NOT_FOUND', `the table has no columns ${unknown.join(', ')}`, { at });
  }
  const wanted = request.columns ?? all.map(({ name }) => name);
  const chosen = [...new Set(wanted)].flatMap((name) => byName.get(name) ?? []);
  return chosen.filter((column) => request.overrides?.[column.name]?.as !== 'skip');
}

/** A column as a plan keeps it. */
export function plannedColumn<Mapping>(
  { name, sourceType, nullable, comment }: CatalogColumn<unknown>,
  mapping: Mapping,
): PlannedColumn & { mapping: Mapping } {
  return { name, sourceType, nullable, ...(comment === undefined ? {} : { comment }), mapping };
}

/** A column as `discover` shows it. */
export function describedColumn<SourceType, Mapping>(
  types: TypeTable<SourceType, Mapping>,
  { name, sourceType, nullable, comment, type }: CatalogColumn<SourceType>,
): SourceColumn {
  const mapping = types.mappingOf(type);
  return {
    name,
    sourceType,
    nullable,
    ...(comment === undefined ? {} : { comment }),
    ...(mapping === undefined ? {} : { arrowType: String(types.arrowTypeOf(mapping)) }),
  };
}

/** A column is nullable in Arrow where the source says so, or where a cell may be unrepresentable. */
export function arrowSchemaOf<SourceType, Mapping>(
  types: TypeTable<SourceType, Mapping>,
  plan: Pick<ReadPlan, 'columns'>,
): Schema {
  const fields = plan.columns.map((column) => {
    // A plan's `mapping` is what this table made.
    const mapping = column.mapping as Mapping;
    const nullable = column.nullable || types.canBeUnrepresentable?.(mapping) === true;
    return new Field(column.name, types.arrowTypeOf(mapping), nullable, types.metadataOf?.(mapping));
  });
  return new Schema(fields);
}

/** Of the column sets that the source keeps unique, those that are read whole. */
export function keysWithin(keys: string[][], columns: PlannedColumn[]): string[][] {
  const read = new Set(columns.map(({ name }) => name));
  return keys.filter((key) => key.every((column) => read.has(column)));
}
