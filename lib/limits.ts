/** Named limits, one place. The unit is the last word of the name. Everything that can grow has one. */
import { workflowLimits } from './pure/workflow-limits.ts';

export const limits = {
  /** Decoded bytes of one record batch that we read back; our own writer stays far below. */
  arrowBatchBytesMax: 512 * 1024 * 1024,
  /** Footer, or metadata of one message, of an Arrow file that we read. */
  arrowMetadataBytesMax: 16 * 1024 * 1024,
  /**
   * Rows of one record batch; a batch is also cut by `batchBytesMax`, whichever comes first. Four times as many cost
   * 15 MB a reading thread, and bring neither speed nor a smaller part (docs/reference/performance.md).
   */
  batchRowsMax: 16_384,
  /** Decoded bytes of one record batch. A single larger cell makes a batch of one row. */
  batchBytesMax: 4 * 1024 * 1024,
  /** Short-lived objects of a reading thread: it makes few, and V8 would let 48 MB of them gather. */
  threadYoungHeapMb: 8,
  /** The largest cell that is read. */
  cellBytesMax: 64 * 1024 * 1024,
  /** Decoded rows and bytes of one part. */
  partRowsMax: 1_048_576,
  partBytesMax: 256 * 1024 * 1024,
  /** Files of one folder or bucket that are looked at. */
  sourceFilesMax: 100_000,
  /** One file that is uploaded for a source, files of one source, and bytes of a file's name. */
  sourceUploadBytesMax: 4 * 1024 * 1024 * 1024,
  sourceUploadsMax: 1_000,
  uploadNameBytesMax: 200,
  /** How long it is told that a file was there which has been replaced or removed. */
  uploadToldMs: 366 * 24 * 60 * 60 * 1000,
  /** What one member of a compressed file may grow to, and how many times its stored size. */
  decompressedBytesMax: 4 * 1024 * 1024 * 1024,
  decompressedRatioMax: 500,
  /** Texts that the cells of a spreadsheet share, all of them together. */
  sharedTextBytesMax: 512 * 1024 * 1024,
  /** Rows that a reading thread sorts by key at once, and their decoded bytes; rows of one batch of a sorted run. */
  sortRowsMax: 1_000_000,
  sortBytesMax: 16 * 1024 * 1024,
  sortBatchRows: 2_048,
  /** Decoded bytes that a bucket should have when its dataset is first divided, and buckets at most. */
  bucketBytesWanted: 4 * 1024 * 1024,
  bucketsMax: 65_536,
  /** Keys of one version whose newest state broke the contract. */
  staleKeysMax: 100_000,
  /** Changes of one version, and how far a capture may lag behind its source, where the definition says nothing. */
  captureChangesMax: 1_000_000,
  captureLagBytesMax: 10 * 1024 * 1024 * 1024,
  /** A replication slot waits for every transaction that was open before it. */
  captureStartMaxMs: 5 * 60_000,
  /** Trailing segments of an appended dataset that are made one, and the stored bytes that one of them has at most. */
  segmentsCompactMin: 16,
  segmentBytesSmall: 16 * 1024 * 1024,
  /** New rows of an appended dataset whose keys are compared with those of earlier segments at a time. */
  appendRowsMax: 500_000,
  /** Columns of one dataset. */
  columnsMax: 1_600,
  /** A preview of a decision: rows that a filter is tried on, and rows that are shown. */
  previewRowsMax: 1_000_000,
  previewSampleRows: 10,
  /** A sample from which a dataset is inferred, and what a preview of a dataset reads: the first of them to be reached ends it. */
  sampleRowsMax: 20_000,
  sampleCellsMax: 2_000_000,
  sampleBytesMax: 64 * 1024 * 1024,
  sampleTimeMaxMs: 15_000,
  /** Places of a table that a sample is taken from. */
  samplePartitions: 8,
  datasetPreviewRowsMax: 100_000,
  datasetPreviewShownRows: 20,
  /** An answer of a department's worker that is sealed for who asked. */
  sealedAnswerBytesMax: 16 * 1024 * 1024,
  /** A contract document (GOVERNANCE: SCHEMA_UNSAFE). */
  contractBytesMax: 256 * 1024,
  contractDepthMax: 64,
  /** How long a person is signed in, and how long a sign-in may stay at the identity provider. */
  signInSessionMs: 8 * 60 * 60 * 1000,
  oidcSignInMs: 10 * 60 * 1000,
  /** Checks of passwords that run at once (32 MiB each), and that may wait. */
  passwordChecksMax: 2,
  passwordChecksWaitingMax: 64,
  /** How long a rotated token's former secret is accepted: by default, and at most. */
  tokenOverlapSecondsDefault: 24 * 60 * 60,
  tokenOverlapSecondsMax: 30 * 24 * 60 * 60,
  /** Rows of a quarantine listing page, and of any other page. */
  pageRowsMax: 1_000,
  pageRowsDefault: 100,
  /** The catalog's pool in one process; how long a connection and a statement may take. */
  catalogConnectionsMax: 10,
  catalogConnectTimeoutMs: 10_000,
  catalogStatementTimeoutMs: 60_000,
  /** A commit whose outcome is unknown is read again this often; the delay doubles each time: 3 s in all. */
  catalogAttemptsMax: 6,
  catalogRetryDelayMs: 100,
  /** What holds where a dataset's definition says nothing: tolerance, publish guard, and what is kept of old versions. */
  quarantinedShareDefault: 0.05,
  lostShareDefault: 0.5,
  versionsKeptMin: 2,
  versionDays: 365,
  /** Versions of one dataset that expire in one pass. */
  expiriesOfDatasetMax: 100,
  /** A district's files. */
  districtFilesMax: 25_000,
  definitionBytesMax: 256 * 1024,
  ...workflowLimits,
  /** An upload that has not grown for this long belongs to a process that died. */
  uploadAgeMaxMs: 24 * 60 * 60 * 1000,
  /** How long an object that nothing refers to is kept: longer than any upload takes to be staged. */
  collectGraceMs: 24 * 60 * 60 * 1000,
  /** How often the server looks for such objects, and how soon after its start. */
  collectIntervalMs: 60 * 60 * 1000,
  collectFirstMs: 60 * 1000,
  /** Objects that the collector removes in one transaction, while stagers wait. */
  collectBatchObjectsMax: 100,
  /** Calls of an S3 service that fails in passing, the first included. */
  storeAttemptsMax: 5,
  storeRetryMs: 200,
  /** One staged object as it arrives: a part's stored bytes, with room for what does not compress. */
  objectBytesMax: 512 * 1024 * 1024,
  /** A run report or a manifest, which are read whole: 100,000 parts and their sums. */
  documentBytesMax: 32 * 1024 * 1024,
  /** Parallel readers of a dataset whose definition names none. */
  partitionsDefault: 2,
  /** How long quarantined rows are kept where the definition says nothing. */
  quarantineDays: 30,
  /**
   * The one buffer that a reader of a stored file holds: large ones for the first of them, small ones for others at the
   * same time. 64 slow readers hold 11 MiB (docs/reference/performance.md). Those that wait to be lent again are few.
   */
  readBufferBytes: 1024 * 1024,
  readBuffersLargeMax: 8,
  readBufferSmallBytes: 64 * 1024,
  readBuffersFreeMax: 8,
  /** Tags of the parts that were read last, in memory: those of 128 GiB of parts. */
  chunkTagsRecentBytes: 32 * 1024 * 1024,
  /** Where the batches of the parts that were read last lie. */
  partIndexesRecentBytes: 32 * 1024 * 1024,
  /** A reader's lease; renewed while it reads. */
  leaseMs: 15 * 60 * 1000,
  /** A grant's row filter: nodes of its tree, and how deep it may be. */
  filterNodesMax: 1_000,
  filterDepthMax: 32,
  /** The terms of a grant, as JSON text. */
  grantTermsBytesMax: 256 * 1024,
  /** A stream's grant is asked for again after each so many bytes; a stop takes at most two of them (8 MiB). */
  grantCheckBytes: 4 * 1024 * 1024,
  /** Who makes a projection renews its lease; where it died, another begins again after this. */
  projectionLeaseMs: 30_000,
  /** Threads that make projections, in one process; below so many stored bytes it is done without one. */
  projectionThreadsMax: 2,
  projectionThreadBytesMin: 256 * 1024,
  /** How often others look whether it is there. */
  projectionPollMs: 100,
  /** A projection that nobody has read for so long is collected; reading notes it at most once in a tenth of that. */
  projectionIdleMs: 7 * 24 * 60 * 60 * 1000,
  /** Tokens that one query looks up for callers that come together. */
  tokensAtOnceMax: 512,
  /** A look-up: keys of one call, rows of a version that has an index (16 bytes a slot in memory while it is made). */
  lookupKeysMax: 1_000,
  lookupRowsMax: 20_000_000,
  /** Rows that go into an index before other requests have their turn. */
  lookupIndexRowsAtOnce: 2_000,
  /** How long the first look-up of a dataset waits for its index; then the caller is asked to come again. */
  lookupFirstWaitMs: 20_000,
  /** How long a look-up waits for the copy of a newer index before it is answered from the one at hand. */
  lookupNewerWaitMs: 1_000,
  /** How often the server looks for versions that have no index yet. */
  lookupIndexIntervalMs: 5_000,
  /** How long a chosen grant is used without choosing anew; that it still holds is asked for in each call. */
  lookupDecisionMs: 5_000,
  /** Decisions, and compiled policies of one version, that are kept; and calls that share one question. */
  lookupDecisionsMax: 10_000,
  lookupPoliciesMax: 1_000,
  lookupRoundMax: 512,
  /** Indexes that one server holds open, and files that its cache keeps. */
  lookupIndexesOpenMax: 64,
  lookupCacheFilesMax: 256,
  /** How long the index of a version stays in the store once a newer version has one. */
  lookupIndexKeptMs: 60 * 60 * 1000,
  /** One leaf of the audit log, encoded: the keys' hashes of the largest look-up are 80 kB. */
  auditLeafBytesMax: 128 * 1024,
  /** Leaves of one flush, and leaves that may wait for theirs; beyond it the access is refused. */
  auditFlushLeavesMax: 8_192,
  auditFlushBytesMax: 16 * 1024 * 1024,
  auditQueueLeavesMax: 65_536,
  auditQueueBytesMax: 64 * 1024 * 1024,
  /** How long a flush may take before its outcome counts as unknown. */
  auditFlushTimeoutMs: 10_000,
  /** How often a server looks whether the log's tenure is free, and how often its holder gives a sign of life. */
  auditElectionIntervalMs: 200,
  auditTenureBeatMs: 1_000,
  /** A holder without a sign of life for so long is stopped or cut off: another takes over. */
  auditTenureSilentMs: 5_000,
  /** One frame between servers: a flush's leaves, or its answer, with room for what frames them. */
  auditFrameBytesMax: 24 * 1024 * 1024,
  /** Servers that one may hold the log for; questions of one of them that wait for their answer. */
  auditPeersMax: 64,
  auditPeerQuestionsMax: 8_192,
  /** How long a connection to the log's holder may take, and how long an answer: longer than a flush. */
  auditPeerConnectTimeoutMs: 2_000,
  auditPeerAnswerTimeoutMs: 15_000,
  /** Leaves that are counted into metering and the rest at once, in one transaction. */
  projectedLeavesMax: 10_000,
  /** Up to this many stars a rating wants an answer of the provider. */
  lowRatingMax: 2,
  /** How often the server looks for cases that are due by themselves, and the first time after its start. */
  tendCasesIntervalMs: 60_000,
  tendCasesFirstMs: 2_000,
  /** Look-ups of one person that are told at once, and how long it is kept that they concern the person. */
  subjectLookupsMax: 1_000,
  subjectAccessKeptMs: 3 * 366 * 24 * 60 * 60 * 1000,
  /** How long a run that has its outcome may take to leave the workflow, for whoever publishes again; how often it is tried. */
  runEndWaitMs: 10_000,
  runEndPollMs: 50,
  /** Rows that are moved from the outbox to the log at once, and how often it is looked at. */
  auditOutboxRowsMax: 1_000,
  auditOutboxPollMs: 250,
  /** Times that one partition is read within one snapshot, and the first wait between; it doubles. */
  partitionAttemptsMax: 3,
  partitionRetryMs: 250,
  /** How often a reading thread tells what it has done. */
  progressIntervalMs: 300,
  /** After cancelling, how long a thread may take to close its connection before it is ended. */
  threadStopMs: 2_000,
  /** A call to the exchange's staging that may be made again: how often, and the first wait. */
  stagingAttemptsMax: 5,
  stagingRetryMs: 200,
  /** How long the exchange may leave a staging request without any progress. */
  stagingIdleMs: 60_000,
  /** Rows whose keys are compared byte by byte at a time, when hashes say that they may be duplicates. */
  duplicateCandidatesMax: 500_000,
  /** Body of an API request; a district's files have more, staged objects have their own. */
  requestBytesMax: 1024 * 1024,
  districtBytesMax: 64 * 1024 * 1024,
  /** How long a person waits for a department's worker to try or list a source. */
  askWorkerTimeoutMs: 60_000,
  /** How long the answer to a write with an Idempotency-Key is kept, and how long one may be without its answer. */
  idempotencyMs: 24 * 60 * 60 * 1000,
  idempotencyAnswerMaxMs: 10 * 60 * 1000,
  /** A connection on which nothing moves; longer than any answer takes to begin. */
  connectionIdleMs: 3 * 60 * 1000,
  /** One answer of a web API that is read whole, as it arrives and decompressed; a source's definition may lower it. */
  webAnswerBytesMax: 64 * 1024 * 1024,
  /** Requests of one page, the first included; the first wait between, which doubles, and the longest. */
  webAttemptsMax: 5,
  webRetryMs: 250,
  webRetryMaxMs: 60_000,
  webRedirectsMax: 5,
  /** Pages of one table: beyond it the far side repeats itself. */
  webPagesMax: 1_000_000,
  /** A result that passes through Temporal, with room below its own limit of 2 MB. */
  temporalPayloadBytesMax: 1_800_000,
} as const;
