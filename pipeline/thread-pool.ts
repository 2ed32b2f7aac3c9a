/**
 * Partitions to threads, in order, each thread one at a time. A partition that fails for a reason that may pass is read
 * again while the snapshot lives; anything else, or a lost snapshot, ends the generation.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Snapshot } from '../connectors/connector.ts';
import { HuitongError, toHuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { ReportedPart } from '../schemas/generated/run-report.ts';
import type { MergeResult, MergeTask } from './incremental/merge.ts';
import type { EarlierParts, PartitionResult, ThreadOutcome, ThreadSetup } from './messages.ts';
import type { ProgressBoard } from './progress.ts';
import { ReadingThread } from './reading-thread.ts';

export interface ThreadPoolOptions {
  entry: URL;
  setup: ThreadSetup;
  size: number;
  snapshot: Snapshot;
  signal: AbortSignal;
  board: ProgressBoard;
}

export class ThreadPool {
  private readonly options: ThreadPoolOptions;
  private readonly threads: (ReadingThread | undefined)[];
  private stopping: Promise<void> | undefined;

  constructor(options: ThreadPoolOptions) {
    this.options = options;
    this.threads = new Array(options.size).fill(undefined);
    options.signal.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Results in the order of the partitions. The first failure that is final rejects; `stop` ends the rest. */
  async readAll(partitions: number): Promise<PartitionResult[]> {
    const results = new Array<PartitionResult>(partitions);
    let next = 0;
    const lane = async (place: number) => {
      while (next < partitions) {
        const partition = next++;
        results[partition] = await this.readOne(place, partition);
        this.options.board.finish(results[partition]);
      }
    };
    await Promise.all(this.threads.map((_, place) => lane(place)));
    return results;
  }

  /** `earlier`: parts of versions before, whose keys are taken too. */
  async deduplicate(results: PartitionResult[], earlier?: EarlierParts): Promise<PartitionResult[]> {
    return resultsOf(await (await this.thread(0)).run({ kind: 'deduplicate', results, earlier }));
  }

  async compact(parts: ReportedPart[]): Promise<ReportedPart[]> {
    const outcome = await (await this.thread(0)).run({ kind: 'compact', parts });
    if ('parts' in outcome) return outcome.parts;
    throw new HuitongError('INTERNAL', 'a thread that was to compact gave something else');
  }

  async merge(task: MergeTask): Promise<MergeResult> {
    const outcome = await (await this.thread(0)).run(task);
    if ('merged' in outcome) return outcome.merged;
    throw new HuitongError('INTERNAL', 'a thread that was to merge gave something else');
  }

  /** Ends all threads; safe to call again. */
  stop(): Promise<void> {
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.stopping ??= Promise.all(this.threads.map((thread) => thread?.stop())).then(() => undefined);
    return this.stopping;
  }

  private readonly onAbort = (): void => {
    // Its outcome is awaited by `stop`.
    this.stop().catch(() => {});
  };

  private async readOne(place: number, partition: number): Promise<PartitionResult> {
    for (let attempt = 1; ; attempt++) {
      this.options.signal.throwIfAborted();
      try {
        const thread = await this.thread(place);
        const [result] = resultsOf(await thread.run({ kind: 'read', partition, attempt }));
        return result!;
      } catch (e) {
        await this.assertWorthTrying(e, attempt);
        this.options.board.reset(partition);
      }
    }
  }

  /** Waits before the next attempt, or throws what makes one pointless. */
  private async assertWorthTrying(e: unknown, attempt: number): Promise<void> {
    const error = toHuitongError(e);
    const { signal, snapshot } = this.options;
    const final = error.recovery !== 'retriable' || error.code === 'SNAPSHOT_LOST';
    if (final || signal.aborted || this.stopping !== undefined || attempt >= limits.partitionAttemptsMax) throw error;
    await wait(limits.partitionRetryMs * 2 ** (attempt - 1), undefined, { signal });
    await snapshot.assertAlive();
  }

  private async thread(place: number): Promise<ReadingThread> {
    const { board, entry, setup } = this.options;
    const running = this.threads[place];
    if (running?.usable) return running;
    this.assertRunning();
    const started = await ReadingThread.start(entry, setup, (progress) => board.update(progress));
    this.threads[place] = started;
    // Stopped meanwhile: `stop` has not seen this one.
    if (this.stopping !== undefined) await started.stop();
    this.assertRunning();
    return started;
  }

  private assertRunning(): void {
    if (this.stopping !== undefined) throw new HuitongError('CANCELLED', 'the run is being stopped');
  }
}

function resultsOf(outcome: ThreadOutcome): PartitionResult[] {
  if ('results' in outcome) return outcome.results;
  throw new HuitongError('INTERNAL', 'a thread that was to read gave something else');
}
