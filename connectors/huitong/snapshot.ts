import type { Schema } from 'apache-arrow';
import { readSchemaMessage } from '../../columnar/message.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import type { Dataset, Version } from '../../schemas/generated/api.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { ConnectorContext, ControlTotals, Snapshot, TableName, TableRequest } from '../connector.ts';
import { SCHEMA_BYTES, streamSchema } from './arrow-stream.ts';
import type { HuitongConfig } from './config.ts';
import { FarExchange } from './far.ts';

/** A dataset at one version, which never changes. */
export interface PinnedDataset {
  dataset: Dataset;
  version: Version;
  schema: Schema;
  /** Present where our grant shows all columns of all rows: then parts are read and proved by their digests. */
  manifest?: Manifest;
  /** The far log's entry of what was read for the schema, where there is one. */
  receipt?: { session: string; auditIndex: string };
}

/** Pins each dataset's current version when it is first asked for. */
export class HuitongSnapshot implements Snapshot {
  readonly guarantee = 'snapshot';
  readonly openedAt = new Date();
  readonly far: FarExchange;
  private readonly signal: AbortSignal;
  private readonly pinned = new Map<string, Promise<PinnedDataset>>();

  constructor(far: FarExchange, signal: AbortSignal) {
    this.far = far;
    this.signal = signal;
  }

  /** Throws TABLE_NOT_FOUND where the dataset is not there, not granted to us, or has no version yet. */
  pin({ schema, name }: TableName): Promise<PinnedDataset> {
    if (schema !== undefined) throw notFound(name, 'datasets have no schema');
    const known = this.pinned.get(name) ?? pinDataset(this.far, name);
    this.pinned.set(name, known);
    return known;
  }

  /** The far version's own account; undefined where our grant shows only some of its rows or columns. */
  async controlTotals({ table, columns }: TableRequest): Promise<ControlTotals | undefined> {
    const { manifest } = await this.pin(table);
    if (manifest === undefined) return undefined;
    const wanted = new Set(columns ?? Object.keys(manifest.sums));
    const sums = Object.entries(manifest.sums).filter(([name]) => wanted.has(name));
    return { rows: manifest.rows, sums: Object.fromEntries(sums) };
  }

  async assertAlive(): Promise<void> {
    if (this.signal.aborted) throw new HuitongError('CANCELLED', 'the source was closed by its owner');
  }

  async close(): Promise<void> {
    this.far.close();
  }
}

/** Asks for one page of the catalog, so that a wrong token is told before anything is planned. */
export async function openSnapshot(config: HuitongConfig, context: ConnectorContext): Promise<HuitongSnapshot> {
  const far = new FarExchange(config, context);
  try {
    await far.datasets().next();
    return new HuitongSnapshot(far, context.signal);
  } catch (cause) {
    far.close();
    throw isHuitongError(cause, 'TABLE_NOT_FOUND')
      ? new HuitongError('SOURCE_FAILED', 'no exchange answers at this URL', { at: cause.at, cause })
      : cause;
  }
}

async function pinDataset(far: FarExchange, code: string): Promise<PinnedDataset> {
  const dataset = await far.dataset(code);
  if (dataset.currentVersion === null) throw notFound(code, 'the dataset has no version yet');
  const version = await far.version(code, dataset.currentVersion);
  const manifest = await far.manifest(version);
  if (manifest !== undefined) {
    const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
    return { dataset, version, schema, manifest };
  }
  return { dataset, version, ...(await beginningOf(far, code, dataset.currentVersion)) };
}

/** The schema that our grant shows, from the stream's first bytes. */
export async function beginningOf(far: FarExchange, code: string, version: number) {
  const { body, headers } = await far.data(code, version, undefined, SCHEMA_BYTES);
  try {
    const schema = await streamSchema(body);
    const [session, auditIndex] = [headers['x-huitong-session'], headers['x-huitong-audit-index']];
    const receipt = { session: String(session), auditIndex: String(auditIndex) };
    return { schema, ...(session === undefined ? {} : { receipt }) };
  } finally {
    body.destroy();
  }
}

function notFound(code: string, why: string): HuitongError {
  return new HuitongError('TABLE_NOT_FOUND', why, { at: code });
}
