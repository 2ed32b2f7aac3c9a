/**
 * A run is admitted to its source when the source's limits allow it (docs/decisions/0205-limits-of-a-source.md): within
 * a window, and with connections of its own. What it holds stands in its row and is held while the run goes on: by all
 * workers of the department together, whatever becomes of any of them, because every workflow ends its run.
 */
import type { Catalog } from '../../catalog/database.ts';
import { limits } from '../../lib/limits.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';
import { addLeaf } from './outbox.ts';
import type { Publication } from './publication.ts';
import { type RunRow, readRunRow } from './rows.ts';
import { nextOpening } from './windows.ts';

/** One to hold the snapshot, one to read. */
const CONNECTIONS_MIN = 2;

export interface AdmitRun {
  runId: string;
  /** How often the run has asked before; those that wait for connections ask less and less often. */
  asked: number;
}

/** `until`: RFC 3339; when the window opens, or when to ask for connections again. */
export type Admission = { admitted: true } | { admitted: false; waitingFor: 'window' | 'connections'; until: string };

/** Whether runs of a source have to ask. */
export function needsAdmission(source: SourceDefinition): boolean {
  const { windows, connections, rowsPerSecond } = source.limits ?? {};
  return windows !== undefined || connections !== undefined || rowsPerSecond !== undefined;
}

/**
 * Admits the run, or says what it waits for and until when; both stand in its row. A run that was admitted stays so, and
 * one that has ended is not kept waiting: its next step is FENCED. Throws NOT_FOUND.
 */
export async function admitRun(
  { catalog }: Publication,
  { runId, asked }: AdmitRun,
  now: Date = new Date(),
): Promise<Admission> {
  return catalog.transaction(async (transaction) => {
    // The source before the run, in each admission: two of one source are decided one after the other.
    const { dataset } = await readRunRow(transaction, runId);
    const { source, definition } = await sourceOf(transaction, dataset);
    const run = await readRunRow(transaction, runId, 'update');
    if (run.admitted_at !== null || run.state !== 'running') return { admitted: true };
    const outside = await outsideUntil(transaction, source, now);
    if (outside !== undefined && !run.regardless) return wait(transaction, runId, 'window', outside);
    const connections = await connectionsFor(transaction, source, definition);
    if (connections === undefined) {
      const delay = Math.min(limits.admissionRetryMs * 2 ** Math.min(asked, 16), limits.admissionRetryMaxMs);
      return wait(transaction, runId, 'connections', new Date(now.getTime() + delay));
    }
    await transaction('run')
      .where({ id: runId })
      .update({ admitted_at: now, connections, waiting_for: null, waiting_until: null });
    if (outside !== undefined) await tellOverride(transaction, run, source);
    return { admitted: true };
  });
}

async function sourceOf(transaction: Catalog, dataset: string) {
  const row = await transaction('dataset')
    .join('source', 'source.code', 'dataset.source')
    .where({ 'dataset.code': dataset })
    .forUpdate('source')
    .first<{ source: SourceDefinition; definition: DatasetDefinition }>({
      source: 'source.definition',
      definition: 'dataset.definition',
    });
  return row;
}

/** When the next window opens; undefined where the source has none or is within one. */
async function outsideUntil(transaction: Catalog, source: SourceDefinition, now: Date): Promise<Date | undefined> {
  const windows = source.limits?.windows;
  if (windows === undefined) return undefined;
  const district = await transaction('district_apply')
    .orderBy('sequence', 'desc')
    .first<{ definition: { timeZone: string } }>();
  const opens = nextOpening(windows, now, district.definition.timeZone);
  return opens > now ? opens : undefined;
}

/**
 * How many connections the run gets: null where the source has no such limit, undefined where there are not enough now.
 * With a limit of rows a second one run has all of it: side by side, two would not be sooner done.
 */
async function connectionsFor(
  transaction: Catalog,
  { code, limits: limited }: SourceDefinition,
  definition: DatasetDefinition,
): Promise<number | null | undefined> {
  const [{ runs, used }] = await transaction('run')
    .join('dataset', 'dataset.code', 'run.dataset')
    .where({ 'dataset.source': code, 'run.state': 'running' })
    .whereNotNull('run.admitted_at')
    .select<{ runs: string; used: string }[]>(
      transaction.raw('count(*) as runs'),
      transaction.raw('coalesce(sum(run.connections), 0) as used'),
    );
  if (limited?.rowsPerSecond !== undefined && Number(runs) > 0) return undefined;
  if (limited?.connections === undefined) return null;
  const free = limited.connections - Number(used);
  const wanted = Math.min(definition.partitions ?? limits.partitionsDefault, limited.partitionsMax ?? Infinity) + 1;
  return free < CONNECTIONS_MIN ? undefined : Math.max(CONNECTIONS_MIN, Math.min(free, wanted));
}

async function wait(
  transaction: Catalog,
  runId: string,
  waitingFor: 'window' | 'connections',
  until: Date,
): Promise<Admission> {
  await transaction('run').where({ id: runId }).update({ waiting_for: waitingFor, waiting_until: until });
  return { admitted: false, waitingFor, until: until.toISOString() };
}

/** Who set a source's windows aside stands in the log. */
async function tellOverride(transaction: Catalog, run: RunRow, source: SourceDefinition): Promise<void> {
  await addLeaf(transaction, {
    actor: run.actor,
    onBehalfOf: source.department,
    action: 'source.read-outside-window',
    object: `source/${source.code}`,
    decision: 'allow',
    run: run.id,
  });
}
