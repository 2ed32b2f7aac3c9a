/** What one generation reads: the whole table, what is behind a cursor, a range of it again, or what the source's log tells. */
import { KEY_HASH } from '../../columnar/keys.ts';
import { schemaMessage } from '../../columnar/message.ts';
import type {
  CaptureLag,
  CaptureRequest,
  ChangePosition,
  Connector,
  ConnectorContext,
  CursorPosition,
  ReadPlan,
  Snapshot,
  TableRequest,
} from '../../connectors/connector.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { IncrementalAssignment } from '../../schemas/generated/assignment.ts';
import type { AppendMode, ChangesMode, PublishMode, UpsertMode } from '../../schemas/generated/dataset.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { StagingSession } from '../staging.ts';

/** Absent for a snapshot, which knows nothing of what was before. */
export interface Increment {
  mode: Exclude<PublishMode, { kind: 'snapshot' }>;
  /** What is built on, where there is something that can be. */
  base?: Manifest;
  full: boolean;
  backfill: boolean;
  /** Up to where the source is read when this is done; of changes it is known only then. */
  position?: CursorPosition | ChangePosition;
  changes?: { capture: CaptureRequest; after: ChangePosition; changesMax: number };
}

export interface Opening {
  snapshot: Snapshot;
  request: TableRequest;
  plan: ReadPlan;
  increment?: Increment;
}

export interface OpeningJob {
  connector: Connector;
  config: unknown;
  session: StagingSession;
  context: ConnectorContext;
}

/** The snapshot is the caller's to close. @throws HuitongError MODE_UNSUPPORTED, CURSOR_UNSAFE, and what connectors throw */
export async function openSource(job: OpeningJob): Promise<Opening> {
  const { assignment } = job.session;
  const request: TableRequest = {
    table: assignment.table,
    columns: assignment.columns,
    overrides: assignment.overrides as TableRequest['overrides'],
  };
  const { captureToDrop: name, incremental } = assignment;
  if (name !== undefined) {
    const key = assignment.contract.key as string[];
    await job.connector.capture?.drop(job.config, { ...request, name, key }, job.context);
  }
  if (incremental === undefined) {
    return opened(job, async (snapshot) => ({ snapshot, request, plan: await planOf(job, snapshot, request) }));
  }
  // Its schema is that of the definition: the exchange has checked it.
  const mode = incremental.mode as unknown as PublishMode;
  switch (mode.kind) {
    case 'append':
    case 'upsert':
      return opened(job, (snapshot) => openCursor(job, snapshot, request, incremental, mode));
    case 'changes':
      return openChanges(job, request, incremental, mode);
    case 'snapshot':
      throw new HuitongError('INTERNAL', 'a snapshot is no increment', { at: assignment.dataset });
  }
}

async function opened(job: OpeningJob, body: (snapshot: Snapshot) => Promise<Opening>): Promise<Opening> {
  return closingOnFailure(await job.connector.openSnapshot(job.config, job.context), body);
}

async function closingOnFailure(snapshot: Snapshot, body: (snapshot: Snapshot) => Promise<Opening>): Promise<Opening> {
  try {
    return await body(snapshot);
  } catch (e) {
    await snapshot.close();
    throw e;
  }
}

function planOf({ connector, session }: OpeningJob, snapshot: Snapshot, request: TableRequest): Promise<ReadPlan> {
  return connector.plan(snapshot, request, { partitions: session.assignment.plan.partitions });
}

async function openCursor(
  job: OpeningJob,
  snapshot: Snapshot,
  request: TableRequest,
  { backfill, base: ref, full: asked, position: before }: IncrementalAssignment,
  mode: AppendMode | UpsertMode,
): Promise<Opening> {
  const { connector } = job;
  if (connector.cursorBound === undefined) throw unsupported(job, 'reads no part of a table by a cursor');
  const whole = await planOf(job, snapshot, request);
  const base = await readBase(job, ref, whole, mode.kind === 'upsert');
  const full = asked || base === undefined;
  const increment = { mode, base, full, backfill: backfill !== undefined && !full };
  const { cursor: column, lagSeconds = 0 } = mode;
  if (increment.backfill) {
    const window = { column, after: backfill!.from, upTo: backfill!.to };
    const ranged = { ...request, window };
    const plan = await planOf(job, snapshot, ranged);
    return { snapshot, request: ranged, plan, increment: { ...increment, position: before } };
  }
  const after = full ? undefined : before;
  const bound = await connector.cursorBound(snapshot, request, { column, lagSeconds, after });
  const position = bound ?? after;
  // What is put over again does no harm, so that a full read may be of everything; what is appended must not come twice.
  if (full && mode.kind === 'upsert') {
    return { snapshot, request, plan: whole, increment: { ...increment, position } };
  }
  if (bound === undefined) {
    return { snapshot, request, plan: { ...whole, partitions: [] }, increment: { ...increment, position } };
  }
  const windowed = { ...request, window: { column, after, upTo: bound } };
  const plan = await planOf(job, snapshot, windowed);
  return { snapshot, request: windowed, plan, increment: { ...increment, position } };
}

async function openChanges(
  job: OpeningJob,
  request: TableRequest,
  { base: ref, captureName: name, full: asked, position: after }: IncrementalAssignment,
  mode: ChangesMode,
): Promise<Opening> {
  const { config, connector, context, session } = job;
  const { capture } = connector;
  if (capture === undefined) throw unsupported(job, 'tells no changes');
  const what: CaptureRequest = { ...request, name, key: session.assignment.contract.key as string[] };
  let lost: string | undefined;
  if (!asked && after !== undefined) {
    lost = whyLost(await capture.lag(config, what, after, context), mode);
    if (lost === undefined) {
      const going = await opened(job, async (snapshot) => {
        const plan = await planOf(job, snapshot, request);
        const base = await readBase(job, ref, plan, true);
        const changes = { capture: what, after, changesMax: mode.changesMax ?? limits.captureChangesMax };
        return { snapshot, request, plan, increment: { mode, base, full: false, backfill: false, changes } };
      });
      if (going.increment?.base !== undefined) {
        // The version that has them was committed: this is the first to know it.
        await capture.acknowledge(config, what, after, context);
        return going;
      }
      await going.snapshot.close();
    }
    await capture.drop(config, what, context);
  }
  const started = await capture.start(config, what, context);
  return closingOnFailure(started.snapshot, async (snapshot) => {
    const plan = await planOf(job, snapshot, request);
    // The run's record says why everything was read.
    if (lost !== undefined) plan.description.restarted = { code: 'CAPTURE_LOST', message: lost };
    const base = await readBase(job, ref, plan, true);
    return {
      snapshot,
      request,
      plan,
      increment: { mode, base, full: true, backfill: false, position: started.position },
    };
  });
}

/** Undefined where the capture goes on. */
function whyLost({ bytes = 0, readable }: CaptureLag, { lagBytesMax }: ChangesMode): string | undefined {
  if (!readable) return 'the source no longer tells what changed since the last version, or the table is another one';
  const max = lagBytesMax ?? limits.captureLagBytesMax;
  return bytes <= max ? undefined : `the source kept ${bytes} bytes of its log for it, and ${max} are allowed`;
}

/** Undefined where there is no base, or none of these columns and this layout. */
async function readBase(
  { connector, session }: OpeningJob,
  ref: IncrementalAssignment['base'],
  plan: ReadPlan,
  bucketed: boolean,
): Promise<Manifest | undefined> {
  if (ref === undefined) return undefined;
  const base = JSON.parse(Buffer.from(await session.readObject(ref.manifest)).toString()) as Manifest;
  const schema = Buffer.from(schemaMessage(connector.arrowSchema(plan))).toString('base64');
  const alike = bucketed ? base.buckets?.hash === KEY_HASH : base.buckets === undefined;
  return alike && base.arrowSchema === schema ? base : undefined;
}

function unsupported({ connector, session }: OpeningJob, what: string): HuitongError {
  return new HuitongError('MODE_UNSUPPORTED', `a source of kind ${connector.kind} ${what}`, {
    at: session.assignment.dataset,
  });
}
