/** What a making thread is given, and what it and the server say to each other. */
import type { ErrorCode } from '../../../lib/errors.ts';
import type { ManifestPart } from '../../../schemas/generated/manifest.ts';
import type { Making } from './make-projection.ts';

export interface ThreadJob extends Making {
  /** An Arrow IPC schema message. */
  schema: Uint8Array;
  parts: ManifestPart[];
}

/** What the thread asks of the server's store; one answer each, in the order asked. */
export type StoreQuestion =
  | { ask: 'open'; digest: string }
  | { ask: 'read'; digest: string; offset: number; length: number }
  | { ask: 'close'; digest: string }
  /** The next bytes of the object that is being put; null: that was all. */
  | { ask: 'put'; bytes: Uint8Array | null };

export interface WireFailure {
  code: ErrorCode;
  message: string;
  at?: string;
  pointer?: string;
}

export type FromThread = StoreQuestion | { made: ManifestPart[] } | { failure: WireFailure };
export type StoreAnswer = { value: unknown } | { failure: WireFailure };
