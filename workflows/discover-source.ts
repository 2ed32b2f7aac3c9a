/** Has the department's worker list what a source's user can read. */
import type { SourceTable } from '../connectors/connector.ts';
import { describeFailure, toWorkflowFailure } from './failures.ts';
import type { SourceInquiry } from './messages.ts';
import { inquiry } from './proxies.ts';

/** The workflow fails with the worker's code, WORKER_UNAVAILABLE or WORKER_LOST. */
export async function discoverSource({ source, queue }: SourceInquiry): Promise<SourceTable[]> {
  try {
    return await inquiry(queue).discoverSource({ source });
  } catch (e: unknown) {
    throw toWorkflowFailure(describeFailure(e));
  }
}
