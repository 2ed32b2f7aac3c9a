/**
 * The staging client: all that a department's worker knows of the exchange. It asks for a run's assignment, and hands
 * over objects and one report. It speaks HTTPS with the worker's own token, and per generation with a token that the
 * exchange gives out; neither passes through Temporal.
 */
import type { Assignment, PinnedUpload } from '../schemas/generated/assignment.ts';
import type { RunReport } from '../schemas/generated/run-report.ts';

export type { PinnedUpload };

export type StagedKind = 'part' | 'quarantine' | 'report';

export interface StagedObject {
  digest: string;
  sizeBytes: number;
}

/** One object on its way. `finish` compares the exchange's digest with ours; a difference is DIGEST_MISMATCH. */
export interface StagedObjectWriter {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<StagedObject>;
  abort(): Promise<void>;
}

export interface ObjectRange {
  offset: number;
  length: number;
}

/** One generation of one run. A newer generation fences this one: every later call throws FENCED. */
export interface StagingSession {
  readonly assignment: Assignment;
  readonly generation: number;
  openObject(kind: StagedKind): Promise<StagedObjectWriter>;
  /** What this generation staged, or an object of the version that it builds on. A range is not hashed again. */
  readObject(digest: string, range?: ObjectRange): Promise<Uint8Array>;
  submitReport(report: RunReport): Promise<StagedObject>;
  /** What a worker thread needs to open the same session: plain data. */
  readonly handle: StagingHandle;
}

export interface StagingHandle {
  url: string;
  runId: string;
  generation: number;
  token: string;
}

export interface StagingClient {
  /**
   * Raises the run's generation and returns what is to be done. An `attempt` (default 1) older than one that has opened
   * a generation is FENCED: it is the echo of an attempt that was given up.
   */
  openGeneration(runId: string, attempt?: number): Promise<StagingSession>;
  /** The files that a source of the department has now, by name. */
  listUploads(source: string): Promise<PinnedUpload[]>;
  /** The bytes of one of them, or of one that a run has pinned; they are not hashed here. Throws NOT_FOUND. */
  readUpload(source: string, digest: string): AsyncIterable<Uint8Array>;
  /** Hands over an answer about a source of the department, sealed for who asked. */
  stageAnswer(source: string, sealed: Uint8Array): Promise<StagedObject>;
}
