/** Has the department's worker list what a source's user can read. */
import type { SourceTable } from '../connectors/connector.ts';
import { sourceQueue } from '../lib/pure/task-queues.ts';
import { describeFailure, toWorkflowFailure } from './failures.ts';
import type { DiscoverRequest } from './messages.ts';
import { inquiry } from './proxies.ts';

export async function discoverSource(request: DiscoverRequest): Promise<{ tables: SourceTable[]; more: boolean }> {
  try {
    return await inquiry(sourceQueue(request.source.department)).discoverSource(request);
  } catch (e: unknown) {
    throw toWorkflowFailure(describeFailure(e));
  }
}
