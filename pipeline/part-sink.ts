/**
 * Writes one partition's batches as parts: cut at named limits, compressed, hashed and staged. Where a part ends depends
 * on the batches alone, never on timing, so that an unchanged source under the same plan gives the same parts.
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import { batchBytes } from '../columnar/size.ts';
import { BodyBuffers, PartWriter } from '../columnar/write.ts';
import { limits } from '../lib/limits.ts';
import { BoxSealer } from '../lib/sealed-box.ts';
import type { ReportedPart } from '../schemas/generated/run-report.ts';
import type { StagedObjectWriter, StagingSession } from './staging.ts';

export interface PartSinkOptions {
  session: Pick<StagingSession, 'openObject'>;
  schema: Schema;
  partition: number;
  /** Public key that parts are sealed to; such parts are quarantine. */
  sealTo?: string;
  buffers?: BodyBuffers;
  partRowsMax?: number;
  partBytesMax?: number;
}

/** Where rows lie: the part's place among those of its partition, and the row in it. */
export interface PartPlace {
  part: number;
  row: number;
}

interface OpenPart {
  writer: PartWriter;
  object: StagedObjectWriter;
  sealer?: BoxSealer;
  decodedBytes: number;
}

export class PartSink {
  private readonly options: PartSinkOptions;
  private readonly buffers: BodyBuffers;
  private readonly parts: ReportedPart[] = [];
  private open: OpenPart | undefined;
  /** The batch that is on its way while the next one is decoded, checked and compressed. */
  private pending: Promise<void> = Promise.resolve();

  constructor(options: PartSinkOptions) {
    this.options = options;
    this.buffers = options.buffers ?? new BodyBuffers();
  }

  /** Appends the rows; the batch's memory is free when this returns, though the bytes may still be on their way. */
  async write(batch: RecordBatch): Promise<PartPlace> {
    const bytes = batchBytes(batch);
    const { partRowsMax = limits.partRowsMax, partBytesMax = limits.partBytesMax } = this.options;
    const full =
      this.open !== undefined &&
      (this.open.writer.rows + batch.numRows > partRowsMax || this.open.decodedBytes + bytes > partBytesMax);
    if (full) await this.endPart();
    this.open ??= await this.startPart();
    const place = { part: this.parts.length, row: this.open.writer.rows };
    this.open.decodedBytes += bytes;
    await this.send(this.open, this.open.writer.batch(batch));
    return place;
  }

  /** Ends the last part. No rows: no part. */
  async end(): Promise<ReportedPart[]> {
    if (this.open !== undefined) await this.endPart();
    return this.parts;
  }

  /** Gives up what is open. Parts that were ended stay staged; nobody will name them. */
  async abort(): Promise<void> {
    await this.pending.catch(() => {});
    await this.open?.object.abort();
    this.open = undefined;
  }

  private async startPart(): Promise<OpenPart> {
    const { schema, sealTo, session } = this.options;
    const object = await session.openObject(sealTo === undefined ? 'part' : 'quarantine');
    const sealer = sealTo === undefined ? undefined : new BoxSealer(sealTo);
    const part: OpenPart = { writer: new PartWriter(schema, this.buffers), object, sealer, decodedBytes: 0 };
    this.open = part;
    if (sealer !== undefined) await object.write(sealer.start());
    await this.send(part, part.writer.start());
    return part;
  }

  private async endPart(): Promise<void> {
    const part = this.open!;
    await this.send(part, part.writer.end());
    await this.pending;
    if (part.sealer !== undefined) await part.object.write(part.sealer.end());
    const staged = await part.object.finish();
    this.parts.push({ ...staged, rows: part.writer.rows, partition: this.options.partition });
    this.open = undefined;
  }

  /** At most one batch is on its way: two body buffers, one filling, one leaving. */
  private async send({ object, sealer }: OpenPart, chunks: Uint8Array[]): Promise<void> {
    await this.pending;
    this.pending = (async () => {
      for (const chunk of chunks) await object.write(sealer === undefined ? chunk : sealer.seal(chunk));
    })();
    // Its failure is told by the next call; until then it must not count as unhandled.
    this.pending.catch(() => {});
  }
}
