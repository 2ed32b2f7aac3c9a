/** What Temporal keeps of every workflow. */
import type { Client } from '@temporalio/client';

/** All histories as one text. Payloads are base64 there: without decoding them nothing would ever be found. */
export async function historiesOf(temporal: Client): Promise<string> {
  let text = '';
  for await (const { workflowId, runId } of temporal.workflow.list()) {
    const { events } = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    text += JSON.stringify(events, (name, value) =>
      name === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : value,
    );
  }
  return text;
}
