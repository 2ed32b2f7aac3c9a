/** Generated from JSON Schema by `npm run generate`. Do not edit. */

export type ColumnOverride = ({
as: ("text" | "skip")
} | {
as: "decimal"
precision: number
scale: number
})
/**
 * 无条件共享, 有条件共享, 不予共享.
 */
export type SharingClass = ("unconditional" | "conditional" | "not-shared")
export type PublishMode = (SnapshotMode | AppendMode | UpsertMode | ChangesMode)
/**
 * A column of the table whose value only grows: the time of the last change, a sequence.
 */
export type Cursor = string
/**
 * Rows younger than this are left for the next run: longer than the longest transaction. Default 0.
 */
export type LagSeconds = number
/**
 * Into how many buckets rows are divided by their key; absent: by the size of the first version.
 */
export type Buckets = (1 | 2 | 4 | 8 | 16 | 32 | 64 | 128 | 256 | 512 | 1024 | 2048 | 4096 | 8192 | 16384 | 32768 | 65536)

/**
 * datasets/<department>/<name>.yaml: one catalog entry. Its contract lies beside it.
 */
export interface DatasetDefinition {
/**
 * <department>.<name>; the file is datasets/<department>/<name>.yaml.
 */
code: string
/**
 * Resource-catalog code 类/项/目/细目 and sequence (GB/T 21063.3), where one has been given.
 */
catalogCode?: string
title: Words
abstract: Words
/**
 * @maxItems 50
 */
keywords?: string[]
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
source: string
table: {
schema?: string
name: string
}
/**
 * Columns to read, in this order; absent: all, in the source's order.
 * 
 * @minItems 1
 * @maxItems 1600
 */
columns?: string[]
/**
 * By column: what to do with a source type that has no mapping, or another mapping.
 */
overrides?: {
[k: string]: ColumnOverride
}
/**
 * A file beside this one.
 */
contract: string
sharing: Sharing
/**
 * How it may be read under a grant; default bulk.
 * 
 * @minItems 1
 */
modes?: ("bulk" | "changes" | "lookup")[]
mode?: PublishMode
/**
 * Questions about one row that are answered with yes or no, so that nothing else leaves (docs/reference/lookups.md).
 */
verifications?: {
[k: string]: VerificationDefinition
}
/**
 * 资源格式: in which form the department holds it; absent: as its source says.
 */
format?: ("database" | "spreadsheet" | "document" | "image" | "media" | "service")
/**
 * 资源分类: of the base registers (population, enterprises, …), of a theme across departments, or of one department.
 */
category?: ("base" | "theme" | "department")
/**
 * To the public: 开放属性.
 */
openness: ("open" | "conditional" | "not-open")
opennessConditions?: Words
/**
 * 时空范围: of which area, from when; an end where it is not kept up any more.
 */
coverage?: {
area?: Words
from?: string
to?: string
}
/**
 * 责任处室: whom to ask about it.
 */
contact?: {
office: Words
/**
 * Of the office, not of a person.
 */
phone?: string
}
updateCycle: ("realtime" | "daily" | "weekly" | "monthly" | "quarterly" | "yearly" | "irregular")
schedule?: {
/**
 * Five fields: minute hour day month weekday.
 */
cron: string
/**
 * IANA name, for instance Asia/Shanghai.
 */
timeZone?: string
}
tolerance?: {
/**
 * Quarantined rows over rows read; above it nothing is published. Default 0.05.
 */
quarantinedShareMax: number
}
publishGuard?: {
/**
 * Whether a version without rows may follow one with rows. Default false.
 */
emptyAllowed?: boolean
/**
 * The share of rows that a version may lose against the one before. Default 0.5.
 */
lostShareMax?: number
}
/**
 * Parallel readers wanted. Default 2.
 */
partitions?: number
/**
 * Whether the source is asked for counts and sums in the same snapshot. Default true.
 */
controlTotals?: boolean
/**
 * IANA name, for instance Asia/Shanghai.
 */
timeZone?: string
/**
 * Whose worker reads the source. What a department's worker hands over is checked again. Default department.
 */
worker?: ("department" | "exchange")
retention?: {
/**
 * Versions that are always kept.
 */
versionsMin?: number
/**
 * A superseded version is kept this long.
 */
versionDays?: number
/**
 * Quarantined rows are kept this long.
 */
quarantineDays?: number
}
securityGrade: ("general" | "important" | "core")
/**
 * @maxItems 100
 * 
 * Items: <department>.<name>; the file is datasets/<department>/<name>.yaml.
 */
related?: string[]
/**
 * By property of the contract: what differs from the dataset, and what only the catalog knows.
 */
items?: {
[k: string]: ItemDefinition
}
}
/**
 * The same words in Chinese and in English; both are shown, so both are required.
 */
export interface Words {
zh: string
en: string
}
/**
 * `basis` is the law or decision that permits or forbids it, required unless the class is unconditional (CLASS_BASIS_MISSING); `conditions` is what a requester must fulfil.
 */
export interface Sharing {
class: SharingClass
basis?: Words
conditions?: Words
}
export interface SnapshotMode {
kind: "snapshot"
}
/**
 * Rows are only added; a version adds those behind the cursor's position.
 */
export interface AppendMode {
kind: "append"
cursor: Cursor
lagSeconds?: LagSeconds
}
/**
 * Rows are added and changed; every change moves the cursor's column forward.
 */
export interface UpsertMode {
kind: "upsert"
cursor: Cursor
lagSeconds?: LagSeconds
buckets?: Buckets
}
/**
 * Inserts, updates and deletes as the source's own log tells them.
 */
export interface ChangesMode {
kind: "changes"
/**
 * Changes of one version at most; a transaction is never cut. Default 1,000,000.
 */
changesMax?: number
/**
 * Above it the source is freed: the capture is dropped, and the next run is a full refresh. Default 10 GiB.
 */
lagBytesMax?: number
buckets?: Buckets
}
export interface VerificationDefinition {
title: Words
/**
 * Properties whose values the caller gives besides the key; the answer is yes only where they are the row's.
 * 
 * @minItems 1
 * @maxItems 20
 */
matching?: string[]
/**
 * A filter tree (docs/reference/policies.md) that the row fulfils; the value @today is the day of the question, Asia/Shanghai.
 */
where: {
[k: string]: unknown
}
}
export interface ItemDefinition {
title?: Words
description?: Words
sharing?: Sharing
/**
 * 个人信息, 敏感个人信息 (PIPL articles 4 and 28). Default none.
 */
sensitivity?: ("none" | "personal" | "sensitive-personal")
/**
 * The mask a grant starts from.
 */
mask?: ("drop" | "constant" | "partial" | "keyed-hash" | "truncate" | "bucket")
/**
 * <department>.<name>; the file is datasets/<department>/<name>.yaml.
 */
authoritativeFor?: string
/**
 * <department>.<name>; the file is datasets/<department>/<name>.yaml.
 */
element?: string
/**
 * Why this item is collected although another department is the source of its element.
 */
citesDuplicate?: {
/**
 * <department>.<name>; the file is datasets/<department>/<name>.yaml.
 */
of: string
reason: Words
}
}
