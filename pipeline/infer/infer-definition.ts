/** The definition of an inferred dataset as YAML, with a comment wherever somebody has to decide. */
import { hash } from 'node:crypto';
import { DataType } from 'apache-arrow';
import { Document, isNode } from 'yaml';
import type { SourceTable, TypeOverride } from '../../connectors/connector.ts';
import type { DatasetDefinition, ItemDefinition } from '../../schemas/generated/dataset.ts';
import { type InferredColumn, plainText } from './infer-contract.ts';

export interface DefinitionFacts {
  department: string;
  source: string;
  /** The second half of the dataset's code. */
  name: string;
  table: SourceTable;
  columns: InferredColumn[];
  overrides: Record<string, TypeOverride & { why: string }>;
  key: { columns: string[]; guaranteed: boolean };
  sample: { rows: number; complete: boolean };
}

const NAME_CHARACTERS_MAX = 63;

/** A name for the table's dataset. What Latin letters cannot say gets a name by its digest, for somebody to better. */
export function datasetName({ schema, name }: { schema?: string; name: string }): string {
  const latin = (text: string) =>
    text
      .replace(/(\p{Ll})(\p{Lu})/gu, '$1-$2')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '');
  const spelt = latin(name);
  const told = /^[\x20-\x7e]*$/.test(name) && spelt !== '';
  const own = told ? spelt : `table-${hash('sha256', name, 'hex').slice(0, 8)}`;
  const prefix = schema === undefined || schema === 'public' || schema === 'dbo' ? '' : `${latin(schema)}-`;
  const whole = `${prefix}${own}`.replace(/^[^a-z]+/, 't-');
  if (whole.length <= NAME_CHARACTERS_MAX) return whole;
  return `${whole.slice(0, NAME_CHARACTERS_MAX - 9).replace(/-+$/, '')}-${hash('sha256', whole, 'hex').slice(0, 8)}`;
}

export function definitionOf(facts: DefinitionFacts): DatasetDefinition {
  const { table, columns, overrides } = facts;
  const code = `${facts.department}.${facts.name}`;
  const title = plainText(table.comment ?? table.name);
  const items = columns.flatMap((column) => {
    const item = itemOf(column);
    return item === undefined ? [] : [[column.field.name, item] as const];
  });
  const sensitive = columns.some(({ sensitivity }) => sensitivity !== undefined);
  return {
    code,
    title: { zh: title, en: plainText(table.name) },
    abstract: { zh: title, en: `Rows of ${plainText(table.name)}` },
    source: facts.source,
    table: { ...(table.schema === undefined ? {} : { schema: table.schema }), name: table.name },
    ...(Object.keys(overrides).length === 0
      ? {}
      : { overrides: Object.fromEntries(Object.entries(overrides).map(([name, { why: _, ...to }]) => [name, to])) }),
    contract: `${facts.name}.contract.json`,
    sharing: {
      class: 'not-shared',
      basis: { zh: '尚未定级，由数据提供部门确认', en: 'Not classified yet; for the providing department to decide' },
    },
    openness: 'not-open',
    updateCycle: 'irregular',
    securityGrade: sensitive ? 'important' : 'general',
    ...(items.length === 0 ? {} : { items: Object.fromEntries(items) }),
  };
}

function itemOf({ field, source, sensitivity }: InferredColumn): ItemDefinition | undefined {
  if (source.comment === undefined && sensitivity === undefined) return undefined;
  return {
    ...(source.comment === undefined ? {} : { title: { zh: plainText(source.comment), en: plainText(field.name) } }),
    ...(sensitivity === undefined
      ? {}
      : { sensitivity: sensitivity.sensitivity, mask: maskFor(sensitivity.mask, field.type) }),
  };
}

/** The mask where it fits the column's type; leaving a column out always does. */
function maskFor(mask: NonNullable<ItemDefinition['mask']>, type: DataType): NonNullable<ItemDefinition['mask']> {
  if (mask === 'partial') return DataType.isUtf8(type) ? mask : 'drop';
  if (mask === 'truncate') return DataType.isDate(type) || DataType.isTimestamp(type) ? mask : 'drop';
  return mask;
}

export function definitionText(definition: DatasetDefinition, facts: DefinitionFacts): string {
  const { sample, key, table } = facts;
  const document = new Document(definition);
  const of = sample.complete ? `all ${sample.rows} rows` : `a sample of ${sample.rows} rows`;
  document.commentBefore = [
    ` Inferred from ${table.kind} ${table.schema ? `${table.schema}.` : ''}${plainText(table.name)} and ${of}.`,
    ' What stands behind "suggested" is for the department to confirm; the code cannot change once it is applied.',
    key.guaranteed
      ? ` The key ${key.columns.map(plainText).join(', ')} is kept unique by the source.`
      : ` Suggested: the key ${key.columns.map(plainText).join(', ')}. The source keeps none; publishing checks it.`,
  ].join('\n');
  comment(document, ['sharing'], ' suggested: the strictest class, until it is decided');
  for (const [name, { why }] of Object.entries(facts.overrides)) comment(document, ['overrides', name], ` ${why}`);
  for (const { field, sensitivity } of facts.columns) {
    if (sensitivity) comment(document, ['items', field.name], ` suggested: ${sensitivity.why}`);
  }
  return document.toString({ lineWidth: 0 });
}

function comment(document: Document, path: string[], text: string): void {
  const node = document.getIn(path, true);
  if (isNode(node)) node.commentBefore = text;
}
