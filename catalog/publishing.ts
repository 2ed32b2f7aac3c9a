/** What the exchange needs of the catalog to publish a dataset. */
import type { ContractDocument } from '../contracts/contract.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { Assignment } from '../schemas/generated/assignment.ts';
import type { DatasetDefinition, PublishMode } from '../schemas/generated/dataset.ts';
import type { Catalog } from './database.ts';
import type { ContractRow, DatasetRow, SourceRow } from './rows.ts';
import { connectionOf } from './sources.ts';

/** An assignment (schemas/document/assignment.json) without what belongs to one run. */
type AssignmentParts = Omit<Assignment, 'runId' | 'generation' | 'quarantineKey' | 'contract'> & {
  contract: ContractDocument;
};

export interface Publishable {
  assignment: AssignmentParts;
  contractVersion: string;
  contractDigest: string;
  /** Whose worker reads the source; what a department's worker hands over is checked again. */
  worker: 'department' | 'exchange';
  /** What the source's naive times mean; absent: they stay naive. */
  timeZone?: string;
  rules: PublishRules;
  /** How a version is made; absent: a snapshot. */
  mode?: PublishMode;
}

/** When a run publishes nothing, and how long things are kept; every default is filled in. */
export interface PublishRules {
  /** Quarantined rows over rows read, 0 to 1. */
  quarantinedShareMax: number;
  /** Whether a version without rows may follow one with rows. */
  emptyAllowed: boolean;
  /** The share of rows that a version may lose against the one before, 0 to 1. */
  lostShareMax: number;
  quarantineDays: number;
  versionsMin: number;
  versionDays: number;
}

/** One consistent read of dataset, source and contract. Throws NOT_FOUND where the dataset is absent or retired. */
export async function assignmentParts(catalog: Catalog, code: string): Promise<Publishable> {
  const row = await catalog('dataset')
    .join('source', 'source.code', 'dataset.source')
    .join('contract', function onCurrent() {
      this.on('contract.dataset', 'dataset.code').andOn('contract.version', 'dataset.contract_version');
    })
    .where({ 'dataset.code': code, 'dataset.state': 'active' })
    .first<JoinedRow | undefined>(
      'dataset.department',
      'dataset.definition',
      'dataset.contract_version',
      'dataset.contract_digest',
      'contract.document',
      { source_definition: 'source.definition' },
    );
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该数据集 · there is no such dataset', { at: code });
  const { definition } = row;
  return {
    assignment: toAssignment(row),
    contractVersion: row.contract_version,
    contractDigest: row.contract_digest,
    worker: definition.worker ?? 'department',
    ...(definition.timeZone === undefined ? {} : { timeZone: definition.timeZone }),
    rules: publishRulesOf(definition),
    ...(definition.mode === undefined ? {} : { mode: definition.mode }),
  };
}

/** The rules of a definition, with the defaults that schemas/definition/dataset.json tells. */
export function publishRulesOf({ tolerance, publishGuard, retention }: DatasetDefinition): PublishRules {
  return {
    quarantinedShareMax: tolerance?.quarantinedShareMax ?? limits.quarantinedShareDefault,
    emptyAllowed: publishGuard?.emptyAllowed ?? false,
    lostShareMax: publishGuard?.lostShareMax ?? limits.lostShareDefault,
    quarantineDays: retention?.quarantineDays ?? limits.quarantineDays,
    versionsMin: retention?.versionsMin ?? limits.versionsKeptMin,
    versionDays: retention?.versionDays ?? limits.versionDays,
  };
}

export interface ScheduledDataset {
  dataset: string;
  department: string;
  cron: string;
  timeZone: string;
}

/** Every active dataset with a schedule; one without a time zone of its own has the district's. */
export async function listSchedules(catalog: Catalog): Promise<ScheduledDataset[]> {
  const latest = await catalog('district_apply')
    .orderBy('sequence', 'desc')
    .first<{ definition: { timeZone: string } }>();
  const rows = await catalog<DatasetRow>('dataset')
    .where({ state: 'active' })
    .whereRaw(`jsonb_exists(definition, 'schedule')`)
    .orderBy('code');
  return rows.flatMap(({ code, department, definition: { schedule } }) =>
    schedule === undefined
      ? []
      : [{ dataset: code, department, cron: schedule.cron, timeZone: schedule.timeZone ?? latest.definition.timeZone }],
  );
}

type JoinedRow = Pick<DatasetRow, 'department' | 'definition' | 'contract_version' | 'contract_digest'> &
  Pick<ContractRow, 'document'> & { source_definition: SourceRow['definition'] };

function toAssignment({ department, definition, document, source_definition: source }: JoinedRow): AssignmentParts {
  const wanted = definition.partitions ?? limits.partitionsDefault;
  return {
    dataset: definition.code,
    department,
    source: {
      code: source.code,
      kind: source.kind,
      connection: connectionOf(source),
      ...limitsOf(source),
    },
    table: definition.table,
    ...(definition.columns === undefined ? {} : { columns: definition.columns }),
    ...(definition.overrides === undefined ? {} : { overrides: definition.overrides }),
    contract: document,
    plan: {
      partitions: Math.min(wanted, source.limits?.partitionsMax ?? wanted),
      controlTotals: definition.controlTotals ?? true,
    },
  };
}

/** What a generation is told of its source's limits; the connections that it may have are the run's. */
function limitsOf({ limits: limited }: SourceRow['definition']): Pick<Assignment['source'], 'limits'> {
  const { rowsPerSecond, snapshotAgeMaxMs } = limited ?? {};
  if (rowsPerSecond === undefined && snapshotAgeMaxMs === undefined) return {};
  return {
    limits: {
      ...(rowsPerSecond !== undefined && { rowsPerSecond }),
      ...(snapshotAgeMaxMs !== undefined && { snapshotAgeMaxMs }),
    },
  };
}
