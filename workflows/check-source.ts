/** Has the department's worker try a source: resolve, connect, authenticate, read, snapshot. */
import type { CheckReport } from '../connectors/connector.ts';
import { describeFailure, toWorkflowFailure } from './failures.ts';
import type { SourceInquiry } from './messages.ts';
import { inquiry } from './proxies.ts';

/** A source's own failures are steps of the report; the workflow fails with WORKER_UNAVAILABLE or WORKER_LOST. */
export async function checkSource({ source, queue }: SourceInquiry): Promise<CheckReport> {
  try {
    return await inquiry(queue).checkSource({ source });
  } catch (e: unknown) {
    throw toWorkflowFailure(describeFailure(e));
  }
}
