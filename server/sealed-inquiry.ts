/** Asks a department's worker about rows: what it answers comes sealed, beside Temporal, and is kept nowhere. */
import { takeAnswer } from '../exchange/publication/answers.ts';
import { HuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { generateBoxKeys } from '../lib/sealed-box.ts';
import type { SourceDefinition } from '../schemas/generated/source.ts';
import { exchangeQueue, type StagedAnswer, sourceQueue } from '../workflows/messages.ts';
import type { AppDependencies } from './dependencies.ts';
import { executeWorkflow } from './temporal.ts';

export interface SealedInquiry {
  type: 'inferDataset' | 'previewDataset';
  source: SourceDefinition;
  inquiry: object;
  requestId: string;
}

/**
 * The key that opens the answer lives in this call only.
 * @throws what the worker answers, WORKER_UNAVAILABLE, OBJECT_TOO_LARGE for a question that Temporal cannot carry
 */
export async function askSealed<Answer>(
  { publication, temporal }: Pick<AppDependencies, 'publication' | 'temporal'>,
  { type, source, inquiry, requestId }: SealedInquiry,
): Promise<Answer> {
  const { publicKey, privateKey } = generateBoxKeys();
  const { code, kind, connection, department } = source;
  const argument = {
    source: { code, kind, connection },
    queue: sourceQueue(department),
    inquiry: { ...inquiry, sealTo: publicKey },
  };
  if (Buffer.byteLength(JSON.stringify(argument)) > limits.temporalPayloadBytesMax) {
    throw new HuitongError('OBJECT_TOO_LARGE', 'the definition and its contract are too large to be tried', {
      at: code,
    });
  }
  const { digest } = await executeWorkflow<StagedAnswer>(
    temporal,
    { type, workflowId: `${type}/${code}/${requestId}`, taskQueue: exchangeQueue, argument },
    limits.askWorkerTimeoutMs,
  );
  return JSON.parse((await takeAnswer(publication, digest, privateKey)).toString());
}
