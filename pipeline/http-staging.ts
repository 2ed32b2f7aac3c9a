/**
 * The staging client over HTTP(S): docs/ARCHITECTURE.md, `POST /v1/staging/…`. It opens a generation with the worker's
 * token, and everything else with the token of that generation.
 *
 * What may be sent twice is sent again after a failure of the network or the server: opening a generation (an older one
 * is fenced), reading, and the report (objects are named by content). A part is sent as it is made, so it cannot be: its
 * partition is read again.
 */
import { createHash } from 'node:crypto';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { canonicalJson } from '../lib/canonical-json.ts';
import { type ErrorCode, errorCodes } from '../lib/error-codes.ts';
import { HuitongError, isHuitongError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { Assignment } from '../schemas/generated/assignment.ts';
import type { RunReport } from '../schemas/generated/run-report.ts';
import type {
  ObjectRange,
  PinnedUpload,
  StagedKind,
  StagedObject,
  StagedObjectWriter,
  StagingClient,
  StagingHandle,
  StagingSession,
} from './staging.ts';

const GENERATION_HEADER = 'x-huitong-generation';
/** Kept alive: a run stages many objects. */
const agents = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };

export interface HttpStagingOptions {
  /** The exchange's base URL, for instance `https://exchange.longhua.gov`. */
  url: string;
  /** The worker's own bearer token. */
  token: string;
}

export function httpStagingClient({ url, token }: HttpStagingOptions): StagingClient {
  return {
    async openGeneration(runId, attempt = 1) {
      const handle: StagingHandle = { url, runId, generation: 0, token };
      const opened = await sendAgain(handle, 'POST', `generations?attempt=${attempt}`);
      const { assignment, generation, token: session } = parseJson<OpenedGeneration>(opened, url);
      return joinSession({ url, runId, generation, token: session }, assignment);
    },
    async listUploads(source) {
      const handle: StagingHandle = { url, runId: 'uploads', generation: 0, token };
      const listed = await sendAgain(handle, 'GET', encodeURIComponent(source));
      return parseJson<{ items: PinnedUpload[] }>(listed, url).items;
    },
    async *readUpload(source, digest) {
      const handle: StagingHandle = { url, runId: 'uploads', generation: 0, token };
      const request = startRequest(handle, 'GET', `${encodeURIComponent(source)}/${digest}`);
      request.end();
      yield* streamOf(request, url);
    },
    async stageAnswer(source, sealed) {
      const handle: StagingHandle = { url, runId: 'answers', generation: 0, token };
      const answer = await sendAgain(handle, 'POST', encodeURIComponent(source), sealed);
      const stored = parseJson<StagedObject>(answer, url);
      return checkDigest(stored, sha256(sealed), stored);
    },
  };
}

interface OpenedGeneration {
  assignment: Assignment;
  generation: number;
  token: string;
}

/** The same session in another thread: `handle` and `assignment` are plain data. */
export function joinSession(handle: StagingHandle, assignment: Assignment): StagingSession {
  return {
    assignment,
    generation: handle.generation,
    handle,
    openObject: async (kind) => new HttpObjectWriter(handle, kind),
    readObject: async (digest, range) => {
      if (range?.length === 0) return new Uint8Array(0);
      const bytes = await sendAgain(handle, 'GET', `objects/${digest}`, undefined, range);
      if (range !== undefined) return bytes;
      return checkDigest({ digest, sizeBytes: bytes.byteLength }, sha256(bytes), bytes);
    },
    submitReport: async (report) => {
      const bytes = Buffer.from(canonicalJson(report satisfies RunReport));
      const stored = parseJson<StagedObject>(await sendAgain(handle, 'POST', 'objects?kind=report', bytes), handle.url);
      return checkDigest(stored, sha256(bytes), stored);
    },
  };
}

/** One object, sent in chunks as it is made; its digest is computed on both sides. */
class HttpObjectWriter implements StagedObjectWriter {
  private readonly hash = createHash('sha256');
  private readonly request: ClientRequest;
  private readonly url: string;
  private readonly answer: Promise<Buffer>;
  private failure: unknown;

  constructor(handle: StagingHandle, kind: StagedKind) {
    this.url = handle.url;
    this.request = startRequest(handle, 'POST', `objects?kind=${kind}`);
    this.answer = answerOf(this.request, handle.url);
    // A refusal may come before all is sent; the next write or `finish` tells it.
    this.answer.catch((e: unknown) => {
      this.failure = e;
    });
  }

  /** Done when the bytes have left for the kernel, so that the caller may use their memory again. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.hash.update(chunk);
    const sent = new Promise<void>((resolve, reject) => {
      this.request.write(chunk, (e) => (e ? reject(unreachable(this.url, e)) : resolve()));
    });
    // Whichever comes first; an early answer other than a failure is as good as none until all is sent.
    await Promise.race([sent, this.answer.then(() => sent)]).catch(async (e: unknown) => {
      await Promise.race([this.answer.catch(() => {}), wait(EARLY_ANSWER_MS)]);
      throw this.failure ?? e;
    });
  }

  async finish(): Promise<StagedObject> {
    this.request.end();
    const stored = parseJson<StagedObject>(await this.answer, this.url);
    return checkDigest(stored, this.hash.digest('hex'), stored);
  }

  async abort(): Promise<void> {
    this.request.destroy();
    await this.answer.catch(() => {});
  }
}

/** A refused upload ends in a reset connection and a problem; this is how long we wait for the latter. */
const EARLY_ANSWER_MS = 100;

/** For calls that may be made twice. Retries what is retriable, with a wait that doubles. */
async function sendAgain(
  handle: StagingHandle,
  method: string,
  path: string,
  body?: Uint8Array,
  range?: ObjectRange,
): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const request = startRequest(handle, method, path);
      if (range) request.setHeader('range', `bytes=${range.offset}-${range.offset + range.length - 1}`);
      const answer = answerOf(request, handle.url);
      request.end(body);
      return await answer;
    } catch (e) {
      if (!isHuitongError(e) || e.recovery !== 'retriable' || attempt >= limits.stagingAttemptsMax) throw e;
      await wait(limits.stagingRetryMs * 2 ** (attempt - 1));
    }
  }
}

function startRequest(handle: StagingHandle, method: string, path: string): ClientRequest {
  const url = new URL(`v1/staging/${encodeURIComponent(handle.runId)}/${path}`, withSlash(handle.url));
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HuitongError('CONFIG_INVALID', `the exchange's URL starts with ${url.protocol}`, {
      hint: 'It starts with https:// (or http:// on one machine).',
    });
  }
  const headers: Record<string, string> = { authorization: `Bearer ${handle.token}`, accept: 'application/json' };
  if (handle.generation > 0) headers[GENERATION_HEADER] = String(handle.generation);
  if (method === 'POST' && !path.startsWith('generations')) headers['content-type'] = 'application/octet-stream';
  const options = { method, headers, agent: agents[url.protocol], timeout: limits.stagingIdleMs };
  const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
  return request.on('timeout', () => request.destroy(new Error('no progress')));
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

/** The body of a successful answer; otherwise the problem as our error. */
async function answerOf(request: ClientRequest, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamOf(request, url)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** As `answerOf`, as it comes. */
async function* streamOf(request: ClientRequest, url: string): AsyncGenerator<Uint8Array> {
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.on('error', reject);
    });
    const status = response.statusCode ?? 500;
    if (status < 300) {
      yield* response;
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    throw problemOf(status, Buffer.concat(chunks), url);
  } catch (e) {
    throw e instanceof HuitongError ? e : unreachable(url, e);
  }
}

/** RFC 9457 problem → the same error as on the other side; without one of our codes, by status. */
function problemOf(status: number, body: Buffer, url: string): HuitongError {
  const problem = problemMembers(body);
  const code = problem.code ?? (status >= 500 || status === 429 ? 'STAGING_UNREACHABLE' : byStatus(status));
  return new HuitongError(code, problem.detail ?? `the exchange answered ${status}`, { at: url });
}

function byStatus(status: number): ErrorCode {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  return status === 409 ? 'FENCED' : 'REQUEST_INVALID';
}

function problemMembers(body: Buffer): { code?: ErrorCode; detail?: string } {
  try {
    const { code, detail } = JSON.parse(body.toString()) as Record<string, unknown>;
    return {
      code: typeof code === 'string' && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : undefined,
      detail: typeof detail === 'string' ? detail : undefined,
    };
  } catch {
    // A proxy's page, not a problem document: the status is all there is.
    return {};
  }
}

function parseJson<T>(body: Buffer, url: string): T {
  try {
    return JSON.parse(body.toString()) as T;
  } catch (cause) {
    throw new HuitongError('STAGING_UNREACHABLE', 'what answered is not the exchange', { at: url, cause });
  }
}

function checkDigest<T>(stored: StagedObject, digest: string, result: T): T {
  if (stored.digest === digest) return result;
  throw new HuitongError('DIGEST_MISMATCH', 'the exchange and the worker see different bytes of one object', {
    at: stored.digest,
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function unreachable(url: string, cause: unknown): HuitongError {
  return new HuitongError('STAGING_UNREACHABLE', 'the exchange cannot be reached', { at: url, cause });
}
