/** What a person asks of a table: its answers hold, or tell of, rows, and are sealed for the process that asks. */
import type { Connector, TableRequest } from '../../connectors/connector.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { BoxSealer } from '../../lib/sealed-box.ts';
import { type InferRequest, inferDataset } from '../../pipeline/infer/infer.ts';
import type { OpenedSource } from '../../pipeline/infer/sample.ts';
import { previewDataset } from '../../pipeline/preview.ts';
import type { StagedObject, StagingClient } from '../../pipeline/staging.ts';

/** Who may read the answer: the raw X25519 public key, base64, of a pair that the asking process made for it. */
interface Sealed {
  sealTo: string;
}

export type InferInquiry = Sealed & Pick<InferRequest, 'department' | 'table' | 'name' | 'key' | 'strict'>;

export interface PreviewInquiry extends Sealed {
  request: TableRequest;
  contract: ContractDocument;
  masked: string[];
}

/** A source that an activity has opened. */
export interface AskedSource {
  code: string;
  connector: Connector;
  config: unknown;
  signal: AbortSignal;
  loopbackAllowed: boolean;
}

export async function answerInfer(
  staging: StagingClient,
  source: AskedSource,
  { sealTo, ...inquiry }: InferInquiry,
): Promise<StagedObject> {
  const inferred = await inferDataset(opened(source, 'infer'), { ...inquiry, source: source.code });
  return stage(staging, source.code, sealTo, inferred);
}

export async function answerPreview(
  staging: StagingClient,
  source: AskedSource,
  { sealTo, ...inquiry }: PreviewInquiry,
): Promise<StagedObject> {
  return stage(staging, source.code, sealTo, await previewDataset(opened(source, 'preview'), inquiry));
}

function opened({ code, connector, config, signal, loopbackAllowed }: AskedSource, what: string): OpenedSource {
  return { connector, config, context: { signal, label: `huitong/${what}/${code}`, loopbackAllowed } };
}

async function stage(staging: StagingClient, source: string, sealTo: string, answer: object): Promise<StagedObject> {
  const plain = Buffer.from(JSON.stringify(answer));
  const sealer = new BoxSealer(sealTo);
  const sealed = Buffer.concat([sealer.start(), sealer.seal(plain), sealer.end()]);
  if (sealed.byteLength <= limits.sealedAnswerBytesMax) return staging.stageAnswer(source, sealed);
  throw new HuitongError('OBJECT_TOO_LARGE', `the answer takes ${sealed.byteLength} bytes`, {
    at: source,
    hint: 'Read fewer or narrower columns: name them in the definition.',
  });
}
