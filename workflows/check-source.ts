/** Has the department's worker try a source: resolve, connect, authenticate, read, snapshot. */
import type { CheckReport } from '../connectors/connector.ts';
import { sourceQueue } from '../lib/pure/task-queues.ts';
import { describeFailure, toWorkflowFailure } from './failures.ts';
import type { SourceReference } from './messages.ts';
import { inquiry } from './proxies.ts';

/** A source's own failures are steps of the report; the workflow fails with WORKER_ABSENT or WORKER_LOST. */
export async function checkSource(request: { source: SourceReference }): Promise<CheckReport> {
  try {
    return await inquiry(sourceQueue(request.source.department)).checkSource(request);
  } catch (e: unknown) {
    throw toWorkflowFailure(describeFailure(e));
  }
}
