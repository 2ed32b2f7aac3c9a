/** A generation: one attempt to extract, with one snapshot. Opening it fences the one before. */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Assignment } from '../../schemas/generated/assignment.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';
import type { Publication } from './publication.ts';
import { readRunRow } from './rows.ts';

export interface OpenGeneration {
  runId: string;
  /** Whether the worker that asks is the exchange's own; what any other stages is checked against its contract again. */
  trusted: boolean;
  /** Public X25519 key (base64) to which quarantined rows are sealed. */
  quarantineKey: string;
}

/**
 * Raises the run's generation and tells what is to be done. The contract is the dataset's at this moment; the commit
 * demands that the report was made by it. Throws NOT_FOUND, and FENCED where the run has ended or a newer run began.
 */
export async function openGeneration(
  { catalog }: Publication,
  { runId, trusted, quarantineKey }: OpenGeneration,
): Promise<{ generation: number; assignment: Assignment }> {
  await readRunRow(catalog, runId);
  return catalog.transaction(async (transaction) => {
    const { rows } = await transaction.raw<{ rows: { generation: number }[] }>(RAISE, [trusted, runId]);
    if (rows.length === 0) {
      throw new HuitongError('FENCED', 'the run has ended, or a newer run of its dataset began', { at: runId });
    }
    const [{ generation }] = rows;
    return { generation, assignment: await readAssignment(transaction, runId, generation, quarantineKey) };
  });
}

const RAISE = `
  update run set generation = run.generation + 1, contract_version = dataset.contract_version,
                 trusted = ?, rechecked_report = null
  from dataset
  where run.id = ? and run.state = 'running' and dataset.code = run.dataset and dataset.epoch = run.epoch
  returning run.generation`;

interface AssignmentRow {
  dataset: string;
  department: string;
  definition: DatasetDefinition;
  source_definition: SourceDefinition;
  contract: Assignment['contract'];
}

async function readAssignment(
  catalog: Catalog,
  runId: string,
  generation: number,
  quarantineKey: string,
): Promise<Assignment> {
  const [row] = await catalog('run')
    .join('dataset', 'dataset.code', 'run.dataset')
    .join('source', 'source.code', 'dataset.source')
    .join('contract', { 'contract.dataset': 'dataset.code', 'contract.version': 'run.contract_version' })
    .where('run.id', runId)
    .select<AssignmentRow[]>({
      dataset: 'dataset.code',
      department: 'dataset.department',
      definition: 'dataset.definition',
      source_definition: 'source.definition',
      contract: 'contract.document',
    });
  const { definition, source_definition: source } = row;
  const wanted = definition.partitions ?? limits.partitionsDefault;
  return {
    runId,
    generation,
    dataset: row.dataset,
    department: row.department,
    source: { code: source.code, kind: source.kind, connection: source.connection },
    table: definition.table,
    ...(definition.columns && { columns: definition.columns }),
    ...(definition.overrides && { overrides: definition.overrides }),
    contract: row.contract,
    plan: {
      partitions: Math.min(wanted, source.limits?.partitionsMax ?? wanted),
      controlTotals: definition.controlTotals ?? true,
    },
    quarantineKey,
  };
}
