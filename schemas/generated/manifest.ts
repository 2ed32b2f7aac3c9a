/** Generated from JSON Schema by `npm run generate`. Do not edit. */

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
 * rowsRead = rowsPublished + rowsQuarantined, always.
 */
account: {
rowsRead: number
rowsPublished: number
rowsQuarantined: number
}
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
}
