/** The far exchange's API (docs/reference/openapi.json), as much of it as reading needs. */
import { createHash } from 'node:crypto';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Dataset, DatasetSummary, Version } from '../../schemas/generated/api.ts';
import type { Manifest } from '../../schemas/generated/manifest.ts';
import type { ConnectorContext } from '../connector.ts';
import { type WebAnswer, WebClient } from '../web-client.ts';
import { baseUrl, type HuitongConfig } from './config.ts';

const ARROW_STREAM = 'application/vnd.apache.arrow.stream';

/** Close it when done. Every call throws what `WebClient.request` throws; a dataset without a grant is TABLE_NOT_FOUND. */
export class FarExchange {
  readonly base: URL;
  private readonly config: HuitongConfig;
  private readonly client: WebClient;

  /** Throws CONFIG_INVALID. */
  constructor(config: HuitongConfig, context: ConnectorContext) {
    this.base = baseUrl(config);
    this.config = config;
    const { ca, connectTimeoutMs, responseTimeoutMs } = config;
    this.client = new WebClient({ context, ca, connectTimeoutMs, responseTimeoutMs });
  }

  close(): void {
    this.client.close();
  }

  /** Every dataset of the catalog, page by page. */
  async *datasets(): AsyncGenerator<DatasetSummary> {
    let cursor: string | null | undefined;
    do {
      const query = { limit: String(limits.pageRowsDefault), ...(cursor == null ? {} : { cursor }) };
      const page = await this.json<{ items: DatasetSummary[]; next?: string | null }>(['datasets'], query);
      yield* page.items;
      cursor = page.next;
    } while (cursor != null);
  }

  dataset(code: string): Promise<Dataset> {
    return this.json<Dataset>(['datasets', code]);
  }

  version(code: string, number: number): Promise<Version> {
    return this.json<Version>(['datasets', code, 'versions', String(number)]);
  }

  /** The manifest, proved to be the one that the version names; undefined where our grant does not show all columns. */
  async manifest(version: Version): Promise<Manifest | undefined> {
    try {
      const { bytes } = await this.client.bytes(
        this.request(['datasets', version.dataset, 'versions', String(version.version), 'manifest']),
        limits.documentBytesMax,
      );
      assertDigest(bytes, version.manifestDigest, version.dataset);
      return parsed<Manifest>(bytes, version.dataset);
    } catch (cause) {
      if (isHuitongError(cause, 'TABLE_NOT_FOUND') || isHuitongError(cause, 'SOURCE_FORBIDDEN')) return undefined;
      throw cause;
    }
  }

  /** One part, proved by its digest. */
  async part(code: string, number: number, digest: string): Promise<Buffer> {
    const path = ['datasets', code, 'versions', String(number), 'parts', digest];
    const { bytes } = await this.client.bytes(this.request(path), limits.objectBytesMax);
    assertDigest(bytes, digest, code);
    return bytes;
  }

  /** A version's data as an Arrow stream, or its first bytes. Columns in the order asked for; absent: all granted ones. */
  data(code: string, number: number, columns?: string[], firstBytes?: number): Promise<WebAnswer> {
    const query = { ...this.grantQuery(), ...(columns === undefined ? {} : { columns: columns.join(',') }) };
    const request = this.request(['datasets', code, 'versions', String(number), 'data'], query, ARROW_STREAM);
    const headers: Record<string, string> = { ...request.headers };
    // The stream's own compression is better than any that is laid over it.
    headers['accept-encoding'] = 'identity';
    if (firstBytes !== undefined) headers.range = `bytes=0-${firstBytes - 1}`;
    return this.client.request({ ...request, headers });
  }

  /** Whether our token may read it; leaves no entry in the far log. */
  async mayRead(code: string): Promise<boolean> {
    try {
      const request = this.request(['datasets', code, 'data'], this.grantQuery(), ARROW_STREAM);
      const answer = await this.client.request({ ...request, method: 'HEAD' });
      answer.body.destroy();
      return true;
    } catch (cause) {
      if (isHuitongError(cause, 'TABLE_NOT_FOUND') || isHuitongError(cause, 'SOURCE_FORBIDDEN')) return false;
      throw cause;
    }
  }

  private grantQuery(): Record<string, string> {
    return this.config.grant === undefined ? {} : { grant: this.config.grant };
  }

  private async json<T>(path: string[], query: Record<string, string> = {}): Promise<T> {
    const { bytes } = await this.client.bytes(this.request(path, query), limits.documentBytesMax);
    return parsed<T>(bytes, path.join('/'));
  }

  private request(path: string[], query: Record<string, string> = {}, accept = 'application/json') {
    const url = new URL(`${this.base.href.replace(/\/$/, '')}/v1/${path.map(encodeURIComponent).join('/')}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return { url, headers: { accept }, credentials: { authorization: `Bearer ${this.config.token}` } };
  }
}

/** Counts and texts only: numbers of the data itself never pass here. */
function parsed<T>(bytes: Buffer, at: string): T {
  try {
    return JSON.parse(bytes.toString()) as T;
  } catch (cause) {
    throw new HuitongError('SOURCE_FAILED', 'the exchange answered with what is not JSON', {
      at,
      cause,
      hint: 'Check that the URL is that of an exchange, without /v1.',
    });
  }
}

function assertDigest(bytes: Buffer, digest: string, at: string): void {
  if (createHash('sha256').update(bytes).digest('hex') === digest) return;
  throw new HuitongError('DIGEST_MISMATCH', 'what the exchange sent is not what its version names', { at });
}
