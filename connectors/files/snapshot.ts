/**
 * What a run sees of a source of files: the files that were there when it began, each in the state it had. Nothing
 * keeps others from writing to them: every reader proves that its file is still the pinned one before the first byte
 * and behind the last, and fails with SNAPSHOT_LOST where it is not. So what is read is one state or nothing, and any
 * number of readers share it by knowing the pins.
 */
import { randomUUID } from 'node:crypto';
import { access, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname } from 'node:path';
import { HuitongError } from '../../lib/errors.ts';
import { makeScratch } from '../../lib/scratch.ts';
import type { ConnectorContext, ControlTotals, PlanOptions, ReadPlan, Snapshot, TableRequest } from '../connector.ts';
import { checkConfig, type FilesConfig } from './config.ts';
import { type Location, type PinnedFile, stopIfCancelled } from './location.ts';
import { openLocation } from './open-location.ts';
import { type FilesPartition, planTable } from './plan.ts';
import { countRows } from './totals.ts';

const LEASE = 'files-';

export class FilesSnapshot implements Snapshot {
  readonly guarantee = 'snapshot';
  readonly openedAt = new Date();
  readonly files: PinnedFile[];
  readonly config: FilesConfig;
  private readonly location: Location;
  private readonly signal: AbortSignal;
  /** A folder that is there for as long as the owner holds the snapshot: readers that outlive it stop. */
  private readonly lease: string;
  private readonly planned = new Map<string, PinnedFile>();
  private closed = false;

  /** Use `openSnapshot`. */
  constructor(config: FilesConfig, location: Location, files: PinnedFile[], lease: string, signal: AbortSignal) {
    this.config = config;
    this.location = location;
    this.files = files;
    this.lease = lease;
    this.signal = signal;
    signal.addEventListener('abort', this.end, { once: true });
  }

  private readonly end = () => void this.close();

  async plan(request: TableRequest, options: PlanOptions): Promise<ReadPlan<FilesPartition>> {
    this.assertOpen();
    const plan = await planTable(this.location, this.config, this.files, request, options);
    for (const piece of plan.partitions.flatMap(({ pieces }) => pieces)) this.planned.set(piece.file.path, piece.file);
    return { ...plan, guarantee: this.guarantee, snapshotToken: this.lease };
  }

  controlTotals(request: TableRequest): Promise<ControlTotals | undefined> {
    this.assertOpen();
    return countRows(this.location, this.config, this.files, request, this.signal);
  }

  /** Looks at the files that were planned; the others are nobody's business. */
  async assertAlive(): Promise<void> {
    this.assertOpen();
    for (const file of this.planned.values()) {
      const opened = await this.location.open(file);
      await opened.close();
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.signal.removeEventListener('abort', this.end);
    await rm(this.lease, { recursive: true, force: true });
    await this.location.close();
  }

  private assertOpen(): void {
    stopIfCancelled(this.signal);
    if (this.closed) throw new HuitongError('SNAPSHOT_LOST', 'the snapshot was closed by its owner');
  }
}

/** Throws CONFIG_INVALID, CANCELLED, and what `Location.list` throws. */
export async function openSnapshot(config: FilesConfig, context: ConnectorContext): Promise<FilesSnapshot> {
  checkConfig(config);
  stopIfCancelled(context.signal);
  const location = await openLocation(config, context.signal);
  try {
    const files = await location.list();
    const lease = await makeScratch(`${LEASE}${randomUUID()}`);
    return new FilesSnapshot(config, location, files, lease, context.signal);
  } catch (e: unknown) {
    await location.close();
    throw e;
  }
}

/** Throws SNAPSHOT_LOST where the owner of the plan's snapshot has closed it. */
export async function joinSnapshot(token = ''): Promise<void> {
  const isLease = basename(token).startsWith(`huitong-${LEASE}`) && dirname(token) === tmpdir();
  const isHeld =
    isLease &&
    (await access(token).then(
      () => true,
      () => false,
    ));
  if (!isHeld) throw new HuitongError('SNAPSHOT_LOST', 'the owner of the snapshot has closed it');
}
