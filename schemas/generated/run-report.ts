/** Generated from JSON Schema by `npm run generate`. Do not edit. */

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
}
