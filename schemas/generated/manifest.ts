/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * Hashes of keys whose newest state broke the contract: the part has an older state of them.
 */
export type StaleKeys = string[]

/**
 * What a version is: its parts and what is promised of them. Stored as an object; the version's row names its digest.
 */
export interface Manifest {
format: "huitong.manifest/1"
dataset: string
version: number
contract: {
version: string
/**
 * SHA-256 of the stored bytes, lower-case hex.
 */
digest: string
}
arrowSchema: string
plan: {
[k: string]: unknown
}
guarantee: ("snapshot" | "transaction" | "none")
snapshotAt: string
rows: number
bytes: number
/**
 * The base list first, then what was added to it; a segment is shared between versions by its content.
 */
segments: {
parts: ManifestPart[]
}[]
/**
 * rowsRead = rowsPublished + rowsQuarantined, always. Where there are changes, rowsPublished = inserted + updated + unchanged + deleted.
 */
account: {
rowsRead: number
rowsPublished: number
rowsQuarantined: number
changes?: ChangeCounts
}
buckets?: Buckets
/**
 * Exact sums of integer and decimal columns over the published rows.
 */
sums: {
[k: string]: string
}
controlTotals?: {
rows: number
sums: {
[k: string]: string
}
}
}
export interface ManifestPart {
/**
 * SHA-256 of the stored bytes, lower-case hex.
 */
digest: string
sizeBytes: number
rows: number
/**
 * Which bucket the part is.
 */
bucket?: number
stale?: StaleKeys
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
