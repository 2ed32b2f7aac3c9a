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
}
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
/**
 * Public X25519 key (base64) to which the quarantine's content key is sealed: a worker can write the quarantine, not read it.
 */
quarantineKey: string
}
