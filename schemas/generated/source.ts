/** Generated from JSON Schema by `npm run generate`. Do not edit. */

export type TimeOfDay = string

/**
 * sources/<code>.yaml: one database, folder or service of a department.
 */
export interface SourceDefinition {
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
code: string
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
department: string
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
kind: string
title: Words
/**
 * As the connector's own schema says. A string env:NAME or file:/path is a reference, resolved by the department's worker; a secret written out is SECRET_INLINE.
 */
connection: {
[k: string]: unknown
}
/**
 * What the exchange may ask of the source, held by all workers together (docs/reference/sources.md).
 */
limits?: {
partitionsMax?: number
/**
 * How long a snapshot may hold back vacuum in this source; 4 hours where nothing is said, and at most.
 */
snapshotAgeMaxMs?: number
/**
 * Of all runs together. A run needs two at least: one holds the snapshot, the others read.
 */
connections?: number
/**
 * Of all runs together: with it, one dataset of the source is read at a time.
 */
rowsPerSecond?: number
/**
 * Each statement's time in the source; for kinds whose connection has statementTimeoutMs, in place of it.
 */
statementTimeoutSeconds?: number
/**
 * Runs begin to read within one of these only; others wait for the next.
 * 
 * @minItems 1
 * @maxItems 50
 */
windows?: SourceWindow[]
}
}
/**
 * The same words in Chinese and in English; both are shown, so both are required.
 */
export interface Words {
zh: string
en: string
}
export interface SourceWindow {
/**
 * On which it begins; absent: every day.
 * 
 * @minItems 1
 */
days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[]
notBefore: TimeOfDay
notAfter: TimeOfDay
/**
 * Absent: the district's.
 */
timeZone?: string
}
