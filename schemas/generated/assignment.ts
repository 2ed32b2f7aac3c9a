/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * What a source worker is told to do for one generation of one run. It holds secret references, never secrets.
 */
export interface Assignment {
runId: string
generation: number
dataset: string
department: string
source: {
code: string
kind: string
/**
 * The connection of the source's definition; strings such as env:NAME are references that the worker resolves.
 */
connection: {
[k: string]: unknown
}
limits?: AssignedLimits
}
/**
 * The source's uploaded files as the run pinned them, by name; absent where it takes none.
 */
uploads?: PinnedUpload[]
table: {
schema?: string
name: string
}
columns?: string[]
overrides?: {
[k: string]: unknown
}
/**
 * The contract document.
 */
contract: {
[k: string]: unknown
}
plan: {
partitions: number
/**
 * Whether the source is asked for counts and sums in the same snapshot.
 */
controlTotals: boolean
}
incremental?: IncrementalAssignment
/**
 * The dataset was published from captured changes before, and is no longer: the source must not keep them for us.
 */
captureToDrop?: string
/**
 * Public X25519 key (base64) to which the quarantine's content key is sealed: a worker can write the quarantine, not read it.
 */
quarantineKey: string
}
/**
 * What this generation may ask of the source; each absent where there is no limit.
 */
export interface AssignedLimits {
/**
 * Granted to this run: one for the snapshot, the others for reading threads.
 */
connections?: number
rowsPerSecond?: number
snapshotAgeMaxMs?: number
}
export interface PinnedUpload {
name: string
/**
 * SHA-256 of the stored bytes, lower-case hex.
 */
digest: string
sizeBytes: number
}
/**
 * Absent: the whole table becomes the version, whatever was before.
 */
export interface IncrementalAssignment {
/**
 * The definition's `mode`.
 */
mode: {
[k: string]: unknown
}
captureName: string
/**
 * Everything is to be read again.
 */
full: boolean
base?: BaseVersion
/**
 * Up to where the source was read for the base.
 */
position?: string
/**
 * Only this range of the cursor is read, and put over the base.
 */
backfill?: {
from?: string
to: string
}
}
/**
 * What is built on; its objects may be read through the staging session.
 */
export interface BaseVersion {
version: number
/**
 * SHA-256 of the stored bytes, lower-case hex.
 */
manifest: string
}
