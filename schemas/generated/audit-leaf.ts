/** Generated from JSON Schema by `npm run generate`. Do not edit. */

export type Text = string
export type KeyedHash = string

/**
 * One decision or access, allowed or denied. Its sequence is its index in the log. Personal data appears only as keyed hashes.
 */
export interface AuditLeaf {
/**
 * RFC 3339, UTC.
 */
time: string
actor: Text
subject?: KeyedHash
onBehalfOf?: Text
action: string
object: Text
purpose?: Text
matter?: Text
grant?: Text
decision: ("allow" | "deny")
rule?: Text
/**
 * The columns asked for; absent where it was all.
 * 
 * @maxItems 1600
 */
columns?: string[]
format?: Text
/**
 * Bytes asked for, first and last.
 */
range?: string
rows?: number
bytes?: number
/**
 * How a read that was opened came to its end.
 */
outcome?: ("complete" | "client-gone" | "failed")
/**
 * SHA-256 of the stored bytes, lower-case hex.
 */
versionDigest?: string
/**
 * The keys of a look-up.
 * 
 * @maxItems 1000
 */
keyHashes?: KeyedHash[]
/**
 * Joins the opened and the closed leaf of one read.
 */
session?: string
run?: Text
/**
 * What an action adds of its own, flat.
 */
detail?: {
[k: string]: Text | number | boolean
}
/**
 * The row of audit_outbox from which the leaf came; each comes once.
 */
outbox?: number
}
