/** Generated from JSON Schema by `npm run generate`. Do not edit. */

export type Code = string
export type Name = string
export type Mask = ({
mask: "drop"
} | {
mask: "constant"
value?: Literal
} | {
mask: "partial"
shape: ("name" | "id-number" | "phone")
} | {
mask: "keyed-hash"
} | {
mask: "truncate"
to: ("month" | "year" | "grid")
/**
 * Of the grid, in the column's unit.
 */
step?: number
} | {
mask: "bucket"
/**
 * @minItems 1
 * @maxItems 100
 */
bounds: number[]
})
/**
 * A value of the column's type: a number (or its decimal text, where a JSON number would lose digits), text, true or false; dates and times as RFC 3339 text, without an offset for naive times.
 */
export type Literal = (string | number | boolean)
/**
 * @minItems 1
 * @maxItems 100
 */
export type Filters = RowFilter[]
export type Text = string

/**
 * What one department may read of another's dataset, how, for what, and until when. Immutable: changing means a new grant. What masks and row filters do: docs/reference/policies.md.
 */
export interface GrantTerms {
grantee: Code
dataset: Code
/**
 * Columns of the contract. The order is the contract's, not this one.
 * 
 * @minItems 1
 * @maxItems 1600
 */
items: Name[]
/**
 * By item; items without one are given as they are.
 */
masks?: {
[k: string]: Mask
}
rowFilter?: RowFilter
/**
 * lookup: single rows by their whole key; verify: only the answers yes and no of the verifications named.
 * 
 * @minItems 1
 */
modes: ("bulk" | "changes" | "lookup" | "verify")[]
/**
 * By their names in the dataset's definition; with the mode verify, and only then.
 * 
 * @minItems 1
 * @maxItems 100
 */
verifications?: Name[]
purpose: Text
matter?: Text
legalBasis: Text
quota?: {
/**
 * Answers that carry data, bulk and changes together; a range is one. A day is Asia/Shanghai's.
 */
readsPerDay?: number
/**
 * Keys looked up or verified, each as one, also where nothing is found.
 */
lookupsPerDay?: number
}
/**
 * IP addresses or subnets (CIDR) from which it may be used; absent: from anywhere.
 * 
 * @minItems 1
 * @maxItems 100
 */
addresses?: string[]
notBefore: string
expires: string
}
/**
 * A tree with one operator a node. Rows for which it is true are given; false and unknown (a null was compared) are not.
 */
export interface RowFilter {
and?: Filters
or?: Filters
not?: RowFilter
eq?: Comparison
ne?: Comparison
lt?: Comparison
le?: Comparison
gt?: Comparison
ge?: Comparison
in?: {
column: Name
/**
 * @minItems 1
 * @maxItems 1000
 */
values: Literal[]
}
/**
 * Both ends included.
 */
between?: {
column: Name
low: Literal
high: Literal
}
isNull?: {
column: Name
}
startsWith?: {
column: Name
value: string
}
}
export interface Comparison {
column: Name
value: Literal
}
