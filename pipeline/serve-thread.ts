/** One reading thread: it takes tasks one after the other, tells its progress, and stops when told to. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Connector } from '../connectors/connector.ts';
import type { CompileContract, ContractDocument } from '../contracts/contract.ts';
import { HuitongError, toHuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { joinSession } from './http-staging.ts';
import { compactParts } from './incremental/append.ts';
import { mergeBuckets } from './incremental/merge.ts';
import {
  type FromThread,
  type PartitionProgress,
  type ThreadOutcome,
  type ThreadSetup,
  type ThreadTask,
  type ToThread,
  transportError,
} from './messages.ts';
import { type ReadingContext, readPartition } from './read-partition.ts';
import { removeDuplicates } from './remove-duplicates.ts';
import { RowBudget } from './row-budget.ts';

/** What a thread looks up by itself, because functions do not cross threads. */
export interface ThreadParts {
  connectorOf(kind: string): Connector;
  compileContract: CompileContract;
}

/** Serves the owner until the port is closed. To be called at the top of a thread's entry file. */
export function serveThread(parts: ThreadParts): void {
  const port = parentPort;
  if (port === null) throw new HuitongError('INTERNAL', 'this file is the entry of a thread');
  const cancellation = new AbortController();
  const say = (message: FromThread) => port.postMessage(message);
  let context: ReadingContext | undefined;
  port.on('message', (message: ToThread) => {
    if ('cancel' in message) {
      cancellation.abort(new HuitongError('CANCELLED', 'the run was cancelled'));
      port.close();
      return;
    }
    const work = async () => {
      context ??= contextOf(parts, workerData as ThreadSetup, cancellation.signal);
      return perform(
        context,
        message.task,
        throttled((progress) => say({ progress })),
      );
    };
    work().then(say, (e: unknown) =>
      say({ failure: transportError(toHuitongError(cancellation.signal.aborted ? cancellation.signal.reason : e)) }),
    );
  });
}

function contextOf(parts: ThreadParts, setup: ThreadSetup, signal: AbortSignal): ReadingContext {
  const connector = parts.connectorOf(setup.kind);
  const schema = connector.arrowSchema(setup.plan);
  const contract = parts.compileContract(setup.assignment.contract as unknown as ContractDocument, schema);
  const session = joinSession(setup.handle, setup.assignment);
  const rowBudget = setup.rowBudget && new RowBudget(setup.rowBudget);
  return { setup, connector, contract, schema, session, signal, rowBudget };
}

async function perform(
  context: ReadingContext,
  task: ThreadTask,
  onProgress: (progress: PartitionProgress) => void,
): Promise<ThreadOutcome> {
  switch (task.kind) {
    case 'deduplicate':
      return { results: await removeDuplicates(context, task.results, task.earlier) };
    case 'compact':
      return { parts: await compactParts(context, task.parts) };
    case 'merge': {
      const { contract, schema, session, setup, signal } = context;
      const { quarantineKey } = setup.assignment;
      return { merged: await mergeBuckets({ schema, key: contract.key, session, quarantineKey, signal }, task) };
    }
    case 'read':
      return { results: [await readPartition(context, task, onProgress)] };
  }
}

function throttled(say: (progress: PartitionProgress) => void): (progress: PartitionProgress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (now - last < limits.progressIntervalMs) return;
    last = now;
    say(progress);
  };
}
