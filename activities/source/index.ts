/** Activities of a department's task queue `source-<department>`: they know sources and secrets, and no catalog. */
import { Context } from '@temporalio/activity';
import type { CheckReport, Connector, SourceTable, TableName } from '../../connectors/connector.ts';
import { connectorOf } from '../../connectors/registry.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type ExtractProgress, extract } from '../../pipeline/extract.ts';
import type { StagedObject, StagingClient } from '../../pipeline/staging.ts';
import { withFailures } from '../failure.ts';
import { assertAddressAllowed, assertFolderAllowed, type ResolveSecret, resolveConnection } from './connection.ts';
import { heartbeating } from './heartbeat.ts';
import { type AskedSource, answerInfer, answerPreview, type InferInquiry, type PreviewInquiry } from './inquiries.ts';
import { withUploads } from './uploads.ts';

export interface SourceActivityDeps {
  staging: StagingClient;
  resolveSecret: ResolveSecret;
  /** Threads of one extract at most. */
  threads: number;
  /** Whether a source may be on the worker's own machine. */
  loopbackAllowed: boolean;
  /** Folders of this machine that sources of files may be in. Absent: none. */
  sourceFolders?: readonly string[];
  /** Absent: the registry. */
  connectorOf?: (kind: string) => Connector;
  /** A reading thread's entry file, which has to know the same connectors. */
  threadEntry?: URL;
}

/** One source of a definition; secrets in `connection` are references. */
export interface SourceReference {
  code: string;
  kind: string;
  connection: Record<string, unknown>;
}

/** What passes through Temporal: the report itself is a staged object. */
export interface ExtractResult {
  generation: number;
  reportDigest: string;
  rowsRead: number;
  rowsPublished: number;
  rowsQuarantined: number;
  parts: number;
}

export function createSourceActivities(deps: SourceActivityDeps) {
  return {
    /** A source's own failures, a missing secret among them, are steps of the report. */
    checkSource: ({ source }: { source: SourceReference }): Promise<CheckReport> =>
      withFailures(() => heartbeating((signal) => checkSource(deps, source, signal))),

    /** A result must fit into a payload of Temporal: 2 MB. */
    discoverSource: ({ source }: { source: SourceReference }): Promise<SourceTable[]> =>
      withFailures(() => heartbeating((signal) => discoverSource(deps, source, signal))),

    /** The answer is a sealed object; its digest is all that passes through Temporal. */
    inferDataset: ({ source, ...inquiry }: { source: SourceReference } & InferInquiry): Promise<StagedObject> =>
      withFailures(() =>
        heartbeating((signal) =>
          asking(deps, source, inquiry.table, signal, (asked) => answerInfer(deps.staging, asked, inquiry)),
        ),
      ),

    /** As `inferDataset`. */
    previewDataset: ({ source, ...inquiry }: { source: SourceReference } & PreviewInquiry): Promise<StagedObject> =>
      withFailures(() =>
        heartbeating((signal) =>
          asking(deps, source, inquiry.request.table, signal, (asked) => answerPreview(deps.staging, asked, inquiry)),
        ),
      ),

    /** Each attempt is a new generation: parts of two snapshots never mix. */
    extract: ({ runId }: { runId: string }): Promise<ExtractResult> => withFailures(() => extractRun(deps, runId)),
  };
}

/** The connector and its configuration. @throws HuitongError SECRET_MISSING, SSRF_BLOCKED, PATH_OUTSIDE, CONNECTOR_UNKNOWN */
async function open(deps: SourceActivityDeps, source: Omit<SourceReference, 'code'>) {
  const connector = (deps.connectorOf ?? connectorOf)(source.kind);
  const config = await resolveConnection(source.connection, deps.resolveSecret);
  await assertAddressAllowed(config, deps.loopbackAllowed);
  await assertFolderAllowed(config, deps.sourceFolders ?? []);
  return { connector, config };
}

async function asking<T>(
  deps: SourceActivityDeps,
  source: SourceReference,
  table: TableName,
  signal: AbortSignal,
  body: (asked: AskedSource) => Promise<T>,
): Promise<T> {
  const { code } = source;
  return withUploads(deps.staging, await open(deps, source), { source: code, table, signal }, (opened) =>
    body({ code, signal, loopbackAllowed: deps.loopbackAllowed, ...opened }),
  );
}

async function checkSource(
  deps: SourceActivityDeps,
  source: SourceReference,
  signal: AbortSignal,
): Promise<CheckReport> {
  try {
    const context = { signal, label: `huitong/check/${source.code}`, loopbackAllowed: deps.loopbackAllowed };
    return await withUploads(
      deps.staging,
      await open(deps, source),
      { source: source.code, signal },
      ({ connector, config }) => connector.check(config, context),
    );
  } catch (e: unknown) {
    const refused = (['SECRET_MISSING', 'SSRF_BLOCKED', 'PATH_OUTSIDE'] as const).some((code) =>
      isHuitongError(e, code),
    );
    if (!refused || !isHuitongError(e)) throw e;
    return { ok: false, steps: [{ name: 'resolve', ok: false, code: e.code, message: e.message }] };
  }
}

async function discoverSource(
  deps: SourceActivityDeps,
  source: SourceReference,
  signal: AbortSignal,
): Promise<SourceTable[]> {
  const context = { signal, label: `huitong/discover/${source.code}`, loopbackAllowed: deps.loopbackAllowed };
  const tables = await withUploads(
    deps.staging,
    await open(deps, source),
    { source: source.code, signal },
    ({ connector, config }) => connector.discover(config, context),
  );
  const bytes = Buffer.byteLength(JSON.stringify(tables));
  if (bytes <= limits.temporalPayloadBytesMax) return tables;
  throw new HuitongError('OBJECT_TOO_LARGE', `the list of ${tables.length} tables takes ${bytes} bytes`, {
    at: source.code,
    hint: 'Give the source’s user fewer tables to read.',
  });
}

async function extractRun(deps: SourceActivityDeps, runId: string): Promise<ExtractResult> {
  return heartbeating(async (signal, tell) => {
    const session = await deps.staging.openGeneration(runId, Context.current().info.attempt);
    const { assignment, generation } = session;
    const { source, table, uploads } = assignment;
    const onProgress = ({ rows, bytes, partitions }: ExtractProgress) => {
      const partitionsDone = partitions.filter(({ done }) => done).length;
      tell({ generation, rows, bytes, partitions: partitions.length, partitionsDone });
    };
    const { threads, threadEntry, loopbackAllowed } = deps;
    const job = { session, signal, onProgress, threads, threadEntry, loopbackAllowed };
    const files = { source: source.code, table, pinned: uploads, signal };
    const { report, staged } = await withUploads(deps.staging, await open(deps, source), files, (opened) =>
      extract({ ...job, ...opened }),
    );
    return {
      generation,
      reportDigest: staged.digest,
      rowsRead: report.rowsRead,
      rowsPublished: report.rowsPublished,
      rowsQuarantined: report.rowsQuarantined,
      parts: report.parts.length,
    };
  });
}
