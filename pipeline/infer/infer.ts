/**
 * A dataset from a table: what the source says of it, and what a sample shows, become the two files of a dataset.
 * `huitong apply` takes them as they are. Rows stay in the department: the files hold no cell of a column that may be
 * personal.
 */
import type { Schema } from 'apache-arrow';
import type { SourceBatch, SourceTable, TableName, TypeOverride } from '../../connectors/connector.ts';
import { compileContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { candidateKey } from './candidate-key.ts';
import { type ColumnProfile, ColumnProfiler } from './column-profile.ts';
import { type InferredColumn, inferContract, plainText, withSuggestions } from './infer-contract.ts';
import { type DefinitionFacts, datasetName, definitionOf, definitionText } from './infer-definition.ts';
import { type OpenedSource, readSample, type SampleLimits, type SampleSize } from './sample.ts';
import { sensitivityOf } from './sensitivity.ts';

export interface InferRequest {
  department: string;
  source: string;
  table: TableName;
  /** The second half of the dataset's code; absent: from the table's name. */
  name?: string;
  /** The columns that identify a row; absent: the source's key, or one that fits the sample. */
  key?: string[];
  /** Puts what the sample suggests into force. */
  strict?: boolean;
}

export interface InferredDataset {
  dataset: string;
  /** Of the district's folder: path → text. */
  files: Record<string, string>;
  key: { columns: string[]; guaranteed: boolean };
  sample: { rows: number; complete: boolean };
  /** Columns that are read otherwise than by their type, and why. */
  overrides: { column: string; as: string; why: string }[];
  /** Columns that may hold personal data, and why. */
  sensitive: { column: string; sensitivity: string; why: string }[];
}

type Overrides = DefinitionFacts['overrides'];

/** @throws TABLE_NOT_FOUND, COLUMN_NOT_FOUND, KEY_NOT_FOUND, and what the connector throws */
export async function inferDataset(opened: OpenedSource, request: InferRequest): Promise<InferredDataset> {
  const table = await findTable(opened, request.table);
  const unmapped = table.columns.filter((column) => column.arrowType === undefined);
  const overrides: Overrides = Object.fromEntries(
    unmapped.map(({ name, sourceType }) => [
      name,
      { as: 'text', why: `${plainText(sourceType)} has no Arrow type: read as the source's own text` },
    ]),
  );
  const sampled = await profileTable(opened, table, overrides);
  const columns = columnsOf(table, sampled);
  const key = keyOf(table, request.key, sampled);
  const facts: DefinitionFacts = {
    department: request.department,
    source: request.source,
    name: request.name ?? datasetName(table),
    table,
    columns,
    overrides: sampled.overrides,
    key,
    sample: sampled.size,
  };
  const title = plainText(table.comment ?? table.name);
  const inferred = inferContract(title, key.columns, columns);
  const contract = request.strict === true ? withSuggestions(inferred) : inferred;
  // What cannot be applied must not be written.
  compileContract(contract, sampled.schema);
  return resultOf(facts, contract);
}

/**
 * Without a schema the only one of that name. Where a source has no schemas, what was taken for one is the beginning of
 * the name: `ledger.xlsx`.
 */
async function findTable({ connector, config, context }: OpenedSource, wanted: TableName): Promise<SourceTable> {
  const tables = await connector.discover(config, context);
  const found = tables.filter(
    ({ schema, name }) =>
      (name === wanted.name && (wanted.schema === undefined || schema === wanted.schema)) ||
      (schema === undefined && name === `${wanted.schema}.${wanted.name}`),
  );
  const [table] = found;
  if (table === undefined) {
    throw new HuitongError('TABLE_NOT_FOUND', 'the source shows no table of this name', { at: wanted.name });
  }
  if (found.length === 1) return table;
  const places = found.map(({ schema, name }) => `${schema}.${name}`).join(', ');
  throw new HuitongError('TABLE_NOT_FOUND', `several tables have this name: ${places}`, {
    at: wanted.name,
    hint: 'Name its schema too.',
  });
}

interface Sampled {
  schema: Schema;
  profiles: ColumnProfile[];
  overrides: Overrides;
  size: SampleSize;
}

/** Where the sample has cells that an Arrow type cannot hold, their columns are read again as text. */
async function profileTable(opened: OpenedSource, table: SourceTable, overrides: Overrides): Promise<Sampled> {
  const bounds: SampleLimits = {
    rowsMax: Math.max(1, Math.min(limits.sampleRowsMax, Math.floor(limits.sampleCellsMax / table.columns.length))),
    bytesMax: limits.sampleBytesMax,
    timeMaxMs: limits.sampleTimeMaxMs,
  };
  const unrepresentable = new Set<string>();
  let schema: Schema | undefined;
  let profilers: ColumnProfiler[] = [];
  const start = (planned: Schema) => {
    schema = planned;
    // A partition's last batch may go over the limit.
    profilers = planned.fields.map((field) => new ColumnProfiler(field, bounds.rowsMax + limits.batchRowsMax));
    return ({ batch, unrepresentable: cells }: SourceBatch) => {
      for (const { column } of cells) unrepresentable.add(planned.fields[column]!.name);
      for (const [i, profiler] of profilers.entries()) profiler.take(batch.data.children[i]!);
    };
  };
  const wishes: Record<string, TypeOverride> = Object.fromEntries(
    Object.entries(overrides).map(([name, { why: _, ...wish }]) => [name, wish]),
  );
  const request = { table: { schema: table.schema, name: table.name }, overrides: wishes };
  const size = await readSample(opened, request, bounds, start);
  if (unrepresentable.size === 0 || schema === undefined) {
    return { schema: schema!, profiles: profilers.map((profiler) => profiler.end()), overrides, size };
  }
  const why = 'suggested: the sample has values that its Arrow type cannot hold; read as the source’s own text';
  const more = Object.fromEntries([...unrepresentable].map((name) => [name, { as: 'text' as const, why }]));
  return profileTable(opened, table, { ...overrides, ...more });
}

function columnsOf(table: SourceTable, { schema, profiles }: Sampled): InferredColumn[] {
  return profiles.map((profile, i) => {
    const source = table.columns.find(({ name }) => name === profile.name)!;
    // A foreign table's NOT NULL is a promise that nobody keeps; what was read may be null all the same.
    const neverNull = !source.nullable && table.kind !== 'foreign' && profile.nulls === 0;
    return {
      field: schema.fields[i]!,
      source,
      profile,
      sensitivity: sensitivityOf(source, profile),
      neverNull,
    };
  });
}

function keyOf(table: SourceTable, wanted: string[] | undefined, { profiles, size }: Sampled): InferredDataset['key'] {
  const names = profiles.map(({ name }) => name);
  const isPlain = (name: string) => profiles.find((profile) => profile.name === name)?.hashes !== undefined;
  const sources = [table.primaryKey, ...table.uniqueKeys].filter((key) => key.length > 0 && key.every(isPlain));
  if (wanted !== undefined) {
    const unknown = wanted.filter((name) => !names.includes(name));
    if (unknown.length > 0)
      throw new HuitongError('COLUMN_NOT_FOUND', `the table has no columns ${unknown.join(', ')}`);
    const guaranteed = sources.some(
      (key) => key.length === wanted.length && key.every((name) => wanted.includes(name)),
    );
    return { columns: wanted, guaranteed };
  }
  if (sources[0] !== undefined) return { columns: sources[0], guaranteed: true };
  const found = candidateKey(profiles, size.rows);
  if (found !== undefined) return { columns: found, guaranteed: false };
  throw new HuitongError('KEY_NOT_FOUND', 'no columns tell the rows of the sample apart', {
    at: `${table.schema === undefined ? '' : `${table.schema}.`}${table.name}`,
  });
}

function resultOf(facts: DefinitionFacts, contract: ContractDocument): InferredDataset {
  const definition = definitionOf(facts);
  const folder = `datasets/${facts.department}`;
  return {
    dataset: definition.code,
    files: {
      [`${folder}/${facts.name}.yaml`]: definitionText(definition, facts),
      [`${folder}/${facts.name}.contract.json`]: `${JSON.stringify(contract, null, 2)}\n`,
    },
    key: facts.key,
    sample: { rows: facts.sample.rows, complete: facts.sample.complete },
    overrides: Object.entries(facts.overrides).map(([column, { as, why }]) => ({ column, as, why })),
    sensitive: facts.columns.flatMap(({ field, sensitivity }) =>
      sensitivity === undefined
        ? []
        : [{ column: field.name, sensitivity: sensitivity.sensitivity, why: sensitivity.why }],
    ),
  };
}
