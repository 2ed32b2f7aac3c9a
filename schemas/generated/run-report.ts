/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * Hashes of keys whose newest state broke the contract: the part has an older state of them.
 */
export type StaleKeys = string[]

/**
 * What one generation of one run read, staged and found. Staged as an object; only its digest passes through Temporal.
 */
export interface RunReport {
format: "huitong.run-report/1"
runId: string
generation: number
dataset: string
contractVersion: string
/**
 * Arrow IPC schema message of every part.
 */
arrowSchema: string
/**
 * The connector's description of its plan, the encoder and the batch and part limits.
 */
plan: {
[k: string]: unknown
}
guarantee: ("snapshot" | "transaction" | "none")
snapshotAt: string
rowsRead: number
rowsPublished: number
rowsQuarantined: number
/**
 * In reading order: partition by partition.
 */
parts: ReportedPart[]
/**
 * Encrypted parts.
 */
quarantine: ReportedPart[]
/**
 * Quarantined rows by the code of their first error; adds up to rowsQuarantined.
 */
quarantinedByCode: {
[k: string]: number
}
/**
 * Exact sums of the published rows' integer and decimal columns.
 */
sums: {
[k: string]: string
}
/**
 * Taken by the source's own SQL in the same snapshot, and equal to what was read (published and quarantined).
 */
controlTotals?: {
rows: number
sums: {
[k: string]: string
}
}
incremental?: ReportedIncrement
elapsedMs: number
}
export interface ReportedPart {
/**
 * SHA-256 of the stored bytes, lower-case hex.
 */
digest: string
sizeBytes: number
rows: number
partition?: number
/**
 * Which bucket the part is.
 */
bucket?: number
stale?: StaleKeys
}
/**
 * Absent for a snapshot. Then rowsPublished are the rows read that kept the contract (inserted + updated + unchanged + deleted), sums are those of the whole version, and parts are all of its buckets, or for append the new segment alone.
 */
export interface ReportedIncrement {
mode: ("append" | "upsert" | "changes")
/**
 * Everything was read, not only what is new.
 */
full: boolean
/**
 * The version that this one is built on.
 */
base?: number
/**
 * Up to where the source has been read, in the source's own text; it counts once the version is committed.
 */
position?: string
/**
 * A range was read again; the position is that of the run before.
 */
backfill?: boolean
/**
 * Append: how many of the base's segments stay before the new one; the rest are in it.
 */
segmentsKept?: number
buckets?: Buckets
changes: ChangeCounts
}
/**
 * Rows are divided by the first bits of their key's hash, and lie in a bucket in the order of hash and key; a bucket without rows has no part.
 */
export interface Buckets {
/**
 * A power of two.
 */
count: number
/**
 * @minItems 1
 */
key: string[]
/**
 * How keys are hashed.
 */
hash: string
}
/**
 * What the version changed in the one before. Its rows = those before + inserted - deleted - vanished.
 */
export interface ChangeCounts {
inserted: number
updated: number
unchanged: number
/**
 * The source said so.
 */
deleted: number
/**
 * A full read no longer found them.
 */
vanished: number
/**
 * Changes that a later change of the same key in the same run replaced; they are not among the rows read.
 */
superseded: number
/**
 * Keys of the version that are out of date.
 */
stale: number
}
