/** What a making thread is given, and what it and the server say to each other. */
import type { ErrorCode } from '../../../lib/errors.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { Work } from './make.ts';

export interface ThreadJob {
  work: Work;
  /** An Arrow IPC schema message. */
  schema: Uint8Array;
  parts: ManifestPart[];
  /** Bytes pass through these: those that are read, and those that are put. A message tells only where they lie. */
  memory: { read: SharedArrayBuffer; put: SharedArrayBuffer };
}

/** What the thread asks of the server's store; one answer each, in the order asked. */
export type StoreQuestion =
  | { ask: 'open'; digest: string }
  /** No more than `memory.read` holds; answered when they are there. */
  | { ask: 'read'; digest: string; offset: number; length: number }
  | { ask: 'close'; digest: string }
  /** So many bytes of `memory.put` are the next of the object; answered when it may be written again. Null: that was all. */
  | { ask: 'put'; bytes: number | null };

export interface WireFailure {
  code: ErrorCode;
  message: string;
  at?: string;
  pointer?: string;
}

export type FromThread = StoreQuestion | { made: ManifestPart[] } | { failure: WireFailure };
export type StoreAnswer = { value: unknown } | { failure: WireFailure };
