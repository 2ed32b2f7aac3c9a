/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * 无条件共享, 有条件共享, 不予共享.
 */
export type SharingClass = ("unconditional" | "conditional" | "not-shared")
/**
 * Retired: no longer in the district's files; its versions stay. Revoked: the catalog's entry was taken back by review; only its owner reads what there is.
 */
export type EntryState = ("active" | "retired" | "revoked")

export interface Api {
"case-event"?: CaseEvent
case?: Case
change?: Change
contract?: Contract
"dataset-summary"?: DatasetSummary
dataset?: Dataset
department?: Department
duty?: Duty
"entry-impact"?: EntryImpact
"entry-review"?: EntryReview
finding?: Finding
grant?: Grant
health?: Health
item?: Item
metering?: Metering
person?: Person
plan?: Plan
problem?: Problem
rating?: Rating
recall?: Recall
"request-decision"?: RequestDecision
"request-event"?: RequestEvent
"request-preview"?: RequestPreview
"request-terms"?: RequestTerms
request?: Request
run?: Run
"sharing-class"?: SharingClass
source?: Source
state?: EntryState
"subject-access"?: SubjectAccess
"token-created"?: TokenCreated
token?: Token
upload?: Upload
version?: Version
words?: Words
}
/**
 * One step of a case.
 */
export interface CaseEvent {
sequence: number
action: string
title: Words
from: (string | null)
to: string
party: string
department: (string | null)
/**
 * Why; or the answer, or the statement about copies.
 */
reason?: string
/**
 * That was named with the step.
 */
version?: number
deadline?: string
provisional?: boolean
policyVersion?: string
at: string
}
/**
 * The same words in Chinese and in English.
 */
export interface Words {
zh: string
en: string
}
/**
 * 事项: what one department owes another an answer or an act on: a correction, a low rating, what became of copies, the review of a catalog entry.
 */
export interface Case {
id: string
kind: ("correction" | "rating" | "confirmation" | "destruction" | "entry-publication" | "entry-revocation" | "entry-update")
kindTitle: Words
/**
 * What it came from: correction/<id>, rating/<id>, recall/<dataset>/<version>, grant/<id>, entry/<id>, run/<id>.
 */
cause: string
/**
 * Who filed it, who holds the copies, or whose entry it is.
 */
department: string
provider: string
dataset: string
version: (number | null)
state: string
stateTitle: Words
/**
 * Of a correction.
 */
item?: string
/**
 * Of a correction: keyed hash of the row’s key, as in the audit log.
 */
keyHash?: string
/**
 * Of a correction: the version in which it is mended.
 */
fixedVersion?: (number | null)
/**
 * Whether the exchange has seen the row differ there; false: the provider says so, with a reason.
 */
fixShown?: (boolean | null)
/**
 * What the state obliges somebody to do; null: nobody.
 */
duty: ({
duty: string
title: Words
party: string
department: (string | null)
beganAt: string
/**
 * The first moment at which it is too late.
 */
deadline: string
provisional: boolean
/**
 * Of the policy profile that the deadline follows.
 */
policyVersion: string
overdue: boolean
} | null)
/**
 * What the caller may do now.
 */
actions?: {
action: string
title: Words
needs: string[]
}[]
/**
 * Every step; of one case only.
 */
history?: CaseEvent[]
createdAt: string
updatedAt: string
}
/**
 * One field that differs between the catalog and the district's files.
 */
export interface Change {
pointer: string
from?: unknown
to?: unknown
}
/**
 * A contract as it was applied.
 */
export interface Contract {
dataset: string
version: string
digest: string
createdAt: string
document: {
[k: string]: unknown
}
}
/**
 * A dataset in a list.
 */
export interface DatasetSummary {
code: string
department: string
title: Words
abstract: Words
sharingClass: SharingClass
openness: string
updateCycle: string
securityGrade: string
contractVersion: string
/**
 * Null before the first version.
 */
currentVersion: (number | null)
state: EntryState
updatedAt: string
}
/**
 * One dataset of the catalog. Metadata is open to every department.
 */
export interface Dataset {
code: string
department: string
title: Words
abstract: Words
sharingClass: SharingClass
openness: string
updateCycle: string
securityGrade: string
contractVersion: string
/**
 * Null before the first version.
 */
currentVersion: (number | null)
state: EntryState
updatedAt: string
/**
 * 信息资源代码 类/项/目/细目 and sequence.
 */
catalogCode?: string
/**
 * 资源格式 In which form the department holds it.
 */
format?: string
/**
 * 资源分类 base, theme or department.
 */
category?: string
opennessConditions?: Words
/**
 * 时空范围 Of which area and time.
 */
coverage?: {
area?: Words
from?: string
to?: string
}
/**
 * 责任处室 Whom to ask about it.
 */
contact?: {
office: Words
phone?: string
}
/**
 * 保存期限 Versions that are always kept; how long a superseded one is.
 */
retention: {
versionsMin: number
versionDays: number
}
/**
 * 提供部门 Name, and unified social credit code. In the dataset itself only.
 */
provider?: {
name: Words
creditCode?: string
}
/**
 * 发布日期 When the entry first came into force.
 */
publishedAt: string
/**
 * 审核事项 The case by which the entry was published or revoked last; null: by an apply.
 */
review: (string | null)
keywords: string[]
source: string
sharing: {
class: SharingClass
basis?: Words
conditions?: Words
}
modes: string[]
schedule?: {
cron: string
timeZone?: string
}
tolerance: {
quarantinedShareMax: number
}
/**
 * 撤回: the current version was taken back, and is served no more; null: it can be read. In the dataset itself only.
 */
recalled?: ({
reason: string
at: string
} | null)
/**
 * What readers say of it, over all versions; null: nobody has rated it. In the dataset itself only.
 */
rating?: ({
average: number
count: number
} | null)
/**
 * Questions that are answered with yes or no, by name.
 */
verifications?: {
[k: string]: {
title: Words
matching?: string[]
where: {
[k: string]: unknown
}
}
}
related: string[]
contractDigest: string
/**
 * Properties that identify a row.
 */
key: string[]
items: Item[]
}
/**
 * One property of a dataset's contract, with what the catalog knows of it.
 */
export interface Item {
/**
 * The property in the contract.
 */
name: string
title?: Words
description?: string
/**
 * JSON Schema type, or types joined by |.
 */
type?: string
format?: string
/**
 * Part of the contract's key.
 */
key: boolean
sharingClass: SharingClass
basis?: Words
sensitivity: ("none" | "personal" | "sensitive-personal")
mask?: string
/**
 * The element that the item holds, <subject>.<element>.
 */
element?: string
/**
 * Why it is collected although another department is the source of the element.
 */
citesDuplicate?: {
of: string
reason: Words
}
authoritativeFor?: string
}
/**
 * A department of the district.
 */
export interface Department {
code: string
name: Words
kind?: string
creditCode?: string
state: EntryState
/**
 * Active datasets.
 */
datasets: number
}
/**
 * 办理事项: what somebody owes until a deadline; of a request or a case.
 */
export interface Duty {
of: ("request" | "correction" | "rating" | "confirmation" | "destruction" | "entry-publication" | "entry-revocation" | "entry-update")
/**
 * The request’s or the case’s.
 */
id: string
dataset: string
state: string
duty: string
title: Words
party: string
department: (string | null)
beganAt: string
/**
 * The first moment at which it is too late.
 */
deadline: string
provisional: boolean
/**
 * Of the policy profile that the deadline follows.
 */
policyVersion: string
overdue: boolean
}
/**
 * 撤销影响: what the revocation of a catalog entry would end, and leave without its source.
 */
export interface EntryImpact {
dataset: string
/**
 * 授权 Those that would end; their holders owe the destruction of copies.
 */
grants: {
id: string
grantee: string
request: (string | null)
expires: string
/**
 * The last day of any use.
 */
lastUsed: (string | null)
}[]
/**
 * 申请 Those that have not ended.
 */
requests: {
id: string
department: string
state: string
}[]
/**
 * 用数部门 Other departments that have read it, under whatever grant.
 */
readers: {
department: string
/**
 * The newest that they have read.
 */
version: number
}[]
/**
 * 一数一源 Elements of which it is the source, and the datasets that refer to it for them.
 */
elements: {
element: string
citedBy: string[]
}[]
/**
 * 相关条目 Entries that name it as related.
 */
namedBy: string[]
}
/**
 * 目录条目审核: what the reviewer of a catalog entry is shown. Its digest is what a publication has to name.
 */
export interface EntryReview {
case: string
dataset: string
title: Words
/**
 * Of all of this: exactly what was seen is published, or PLAN_STALE is answered.
 */
digest: string
/**
 * The entry in force is no longer the one that it was proposed for: it cannot be published, and is to be proposed again.
 */
stale: boolean
/**
 * 共享类型 Of the dataset; its items may have their own.
 */
sharing: {
before?: {
class: SharingClass
basis?: Words
conditions?: Words
}
after: {
class: SharingClass
basis?: Words
conditions?: Words
}
}
/**
 * As an apply would show it.
 */
plan: {
district: string
empty: boolean
added: {
kind: ("district" | "policy" | "department" | "source" | "dataset")
code: string
}[]
changed: {
kind: ("district" | "policy" | "department" | "source" | "dataset")
code: string
changes: Change[]
}[]
removed: {
kind: ("district" | "policy" | "department" | "source" | "dataset")
code: string
}[]
contracts: {
dataset: string
from?: string
to: string
level: ("new" | "none" | "patch" | "minor" | "major")
findings: string[]
}[]
/**
 * Datasets of which the files say something else than a review decided: they stay as they are.
 */
kept: string[]
problems: Finding[]
}
/**
 * 信息项 Those that are added, removed or changed.
 */
items: {
name: string
change: ("added" | "removed" | "changed")
before?: Item
after?: Item
}[]
/**
 * 不予共享依据 What is not shared, and the law that says so.
 */
notShared: {
item: string
basis: Words
}[]
/**
 * 重复采集说明 Items of which another department is the source, and why they are collected again.
 */
duplicates: {
item: string
/**
 * The element.
 */
of: string
reason: Words
}[]
/**
 * As they were sent, by path.
 */
files: {
[k: string]: string
}
}
/**
 * One mistake of a checked document.
 */
export interface Finding {
code: string
message: string
/**
 * File and line.
 */
at?: string
/**
 * RFC 6901 pointer.
 */
pointer?: string
}
/**
 * One department's permission to read another's dataset. Its terms never change.
 */
export interface Grant {
id: string
dataset: string
/**
 * The department that may read.
 */
grantee: string
/**
 * The department whose data it is.
 */
provider: string
state: ("active" | "suspended" | "revoked" | "expired")
/**
 * Items, masks, row filter, modes, purpose, legal basis, quota, addresses and times: schemas/document/grant-terms.json.
 */
terms: {
[k: string]: unknown
}
/**
 * The request that it answers.
 */
request: (string | null)
/**
 * Why it was suspended or revoked.
 */
reason: (string | null)
createdBy: string
createdAt: string
/**
 * Of its state.
 */
changedAt: string
}
/**
 * Liveness and readiness.
 */
export interface Health {
ok: boolean
/**
 * By service: ok, or one line that says what is wrong.
 */
checks: {
[k: string]: string
}
}
/**
 * 用量: a sum over the audit log, told apart by what was asked for.
 */
export interface Metering {
dataset?: string
/**
 * An explicit grant’s id, or an implicit one; empty for refusals.
 */
grant?: string
matter?: string
department?: string
/**
 * In Asia/Shanghai.
 */
day?: string
/**
 * Reads that were opened.
 */
reads: number
/**
 * Rows that were sent, where the format counts them.
 */
rows: number
bytes: number
/**
 * Keys that were looked up.
 */
lookups: number
refusals: number
}
/**
 * Somebody who may sign in.
 */
export interface Person {
id: string
department: string
/**
 * Lower case; never a resident ID or a mobile number.
 */
login: string
name: string
/**
 * @minItems 1
 */
roles: ("officer" | "sharing-officer" | "engineer" | "administrator" | "auditor" | "operator" | "worker" | "supervisor")[]
/**
 * `oidc` from the first sign-in with the identity provider on.
 */
signsInWith: ("password" | "oidc")[]
createdAt: string
disabledAt: (string | null)
/**
 * Closed for passwords until then, after repeated failures.
 */
lockedUntil: (string | null)
}
/**
 * What an apply would do.
 */
export interface Plan {
district: string
/**
 * Hand it to apply: a plan made against another state is PLAN_STALE.
 */
digest: string
empty: boolean
added: {
kind: ("district" | "policy" | "department" | "source" | "dataset")
code: string
}[]
changed: {
kind: ("district" | "policy" | "department" | "source" | "dataset")
code: string
changes: Change[]
}[]
removed: {
kind: ("district" | "policy" | "department" | "source" | "dataset")
code: string
}[]
contracts: {
dataset: string
from?: string
to: string
level: ("new" | "none" | "patch" | "minor" | "major")
findings: string[]
}[]
/**
 * Datasets of which the files say something else than a review decided: they stay as they are.
 */
kept: string[]
problems: Finding[]
}
/**
 * An error, as RFC 9457 defines it, with our stable code.
 */
export interface Problem {
/**
 * urn:huitong:error:<CODE>
 */
type: string
title: string
status: number
detail?: string
/**
 * The request's id, for the operator.
 */
instance: string
/**
 * Stable; see docs/reference/errors.md.
 */
code: string
/**
 * What to do next, in the caller's language.
 */
hint: string
/**
 * Where it happened.
 */
at?: string
/**
 * RFC 6901 pointer into the document at fault.
 */
pointer?: string
/**
 * Every finding of one check.
 */
errors?: Finding[]
}
/**
 * 评价: one to five stars for a version, by who has read it.
 */
export interface Rating {
id: string
dataset: string
version: number
/**
 * An explicit grant’s id, or implicit:unconditional.
 */
grant: string
department: string
stars: number
reasons: string
/**
 * The case that a low one has opened.
 */
case: (string | null)
/**
 * The provider’s, to a low one.
 */
answer: (string | null)
createdAt: string
}
/**
 * 撤回: a version that its provider has taken back; it is served no more.
 */
export interface Recall {
dataset: string
version: number
provider: string
reason: string
/**
 * Departments that had read it, and must say what became of their copies.
 */
readers: number
/**
 * Those that have.
 */
confirmed: number
/**
 * Those whose deadline is past.
 */
overdue: number
recalledAt: string
}
/**
 * What is given of what was asked for. What is left out is given as asked; masks start from the catalog's.
 */
export interface RequestDecision {
/**
 * A part of what was asked for; absent: all.
 * 
 * @minItems 1
 * @maxItems 1600
 */
items?: string[]
/**
 * By item, as in grant-terms.json; null: none, though the catalog has one.
 */
masks?: {
[k: string]: {
[k: string]: unknown
} | null
}
/**
 * Narrows the rows further: both filters must hold.
 */
rowFilter?: {
[k: string]: unknown
}
/**
 * A part of what was asked for.
 * 
 * @minItems 1
 */
modes?: ("bulk" | "changes" | "lookup" | "verify")[]
/**
 * A part of what was asked for.
 * 
 * @minItems 1
 * @maxItems 100
 */
verifications?: string[]
quota?: {
readsPerDay?: number
lookupsPerDay?: number
}
/**
 * @minItems 1
 * @maxItems 100
 */
addresses?: string[]
notBefore?: string
/**
 * Not later than asked for.
 */
expires?: string
}
/**
 * One step of a request.
 */
export interface RequestEvent {
sequence: number
action: string
title: Words
from: (string | null)
to: string
party: string
/**
 * Null: the exchange itself.
 */
department: (string | null)
reason?: string
basis?: Words
/**
 * Of the duty that the step began or changed.
 */
deadline?: string
/**
 * Counted over days whose holidays are not announced yet.
 */
provisional?: boolean
policyVersion?: string
at: string
}
/**
 * What a decision would show the requester, and how it differs from what was asked.
 */
export interface RequestPreview {
/**
 * The current one, of which it is told.
 */
version: number
/**
 * Of the version.
 */
rows: number
/**
 * On which the filter was tried: all, or as many as a preview reads.
 */
rowsRead: number
/**
 * Of those.
 */
rowsGiven: number
/**
 * The first rows as the requester would get them: JSON, with every digit.
 */
sample: string[]
/**
 * Everything that was asked for.
 */
columns: {
name: string
given: boolean
/**
 * As in grant-terms.json; null: as it is, or not given.
 */
mask: ({
[k: string]: unknown
} | null)
}[]
modes: {
asked: string[]
given: string[]
}
verifications: {
asked: string[]
given: string[]
}
expires: {
asked: string
given: string
}
/**
 * Both what the requester needs and what the provider adds is in the one that is given.
 */
rowFilter: {
asked: ({
[k: string]: unknown
} | null)
given: ({
[k: string]: unknown
} | null)
}
}
/**
 * What a department asks for, and what for.
 */
export interface RequestTerms {
dataset: string
/**
 * Columns of the contract.
 * 
 * @minItems 1
 * @maxItems 1600
 */
items: string[]
/**
 * The rows that are needed, as a filter tree (docs/reference/policies.md); absent: all.
 */
rowFilter?: {
[k: string]: unknown
}
/**
 * @minItems 1
 */
modes: ("bulk" | "changes" | "lookup" | "verify")[]
/**
 * Questions of the dataset that are answered with yes or no, by their names; with the mode verify, and only then.
 * 
 * @minItems 1
 * @maxItems 100
 */
verifications?: string[]
/**
 * The purpose's code.
 */
purpose: string
/**
 * The government-service matter for which it is needed.
 */
matter?: string
/**
 * The law or decision on which it rests.
 */
legalBasis: string
/**
 * The system that will read it.
 */
system?: string
/**
 * IP addresses or subnets from which it will be read.
 * 
 * @minItems 1
 * @maxItems 100
 */
addresses?: string[]
notBefore?: string
/**
 * Until when it is needed.
 */
expires: string
}
/**
 * One department's wish to use another's data, and what became of it.
 */
export interface Request {
id: string
/**
 * Who asks.
 */
department: string
dataset: string
provider: string
state: string
stateTitle: Words
sharingClass: SharingClass
asked: RequestTerms
decision: (RequestDecision | null)
refusal: ({
reason?: string
basis: Words
} | null)
grant: (string | null)
extension: ("none" | "asked" | "given" | "denied")
/**
 * What the state obliges somebody to do; null: nobody.
 */
duty: ({
duty: string
title: Words
party: string
department: (string | null)
beganAt: string
/**
 * The first moment at which it is too late.
 */
deadline: string
provisional: boolean
/**
 * Of the policy profile that the deadline follows.
 */
policyVersion: string
overdue: boolean
} | null)
/**
 * What the caller may do now.
 */
actions?: {
action: string
title: Words
needs: string[]
}[]
/**
 * Every step; of one request only.
 */
history?: RequestEvent[]
createdAt: string
updatedAt: string
}
/**
 * One attempt to publish a dataset.
 */
export interface Run {
id: string
dataset: string
department: string
workflowId?: string
trigger?: ("manual" | "schedule")
actor?: string
/**
 * Whoever started it knew that the version may be empty or lose half its rows.
 */
confirmed?: boolean
epoch: number
generation: number
state: ("running" | "published" | "unchanged" | "rejected" | "failed" | "cancelled")
/**
 * The version it published, or found unchanged.
 */
version: (number | null)
/**
 * Why nothing was published.
 */
failure: ({
code: string
message: string
} | null)
/**
 * rowsRead = rowsPublished + rowsQuarantined, always.
 */
account: ({
rowsRead: number
rowsPublished: number
rowsQuarantined: number
} | null)
/**
 * Quarantined rows by the code of their first error.
 */
quarantinedByCode?: ({
[k: string]: number
} | null)
/**
 * Of an increment that has ended; null for a snapshot.
 */
mode?: ("append" | "upsert" | "changes" | null)
/**
 * What an increment changed in the version before; null for a snapshot. rowsPublished = inserted + updated + unchanged + deleted.
 */
changes?: ({
inserted?: number
updated?: number
unchanged?: number
/**
 * The source said so.
 */
deleted?: number
/**
 * A full read no longer found them.
 */
vanished?: number
/**
 * Replaced by a later change in the same run; not read rows.
 */
superseded?: number
/**
 * Keys whose newest state is in quarantine: an older one stays.
 */
stale?: number
} | null)
/**
 * Up to where the source was read, in its own text; the next run begins there.
 */
position?: (string | null)
/**
 * What was asked for, where it is not just what is new.
 */
reading?: ({
full?: boolean
from?: string
to?: string
} | null)
/**
 * An engineer asked for it whatever the source's windows.
 */
now?: boolean
/**
 * The source's limits keep a run that is going on from reading.
 */
waiting?: ({
for?: ("window" | "connections")
/**
 * When it opens, or when the run asks again.
 */
until?: string
} | null)
startedAt: string
endedAt: (string | null)
/**
 * What the running extraction last told.
 */
progress?: {
generation?: number
rows?: number
bytes?: number
partitionsDone?: number
partitions?: number
}
}
/**
 * A source of a department. Its connection is not shown: that is the department's own affair.
 */
export interface Source {
code: string
department: string
kind: string
title: Words
state: EntryState
updatedAt: string
}
/**
 * 个人信息查阅记录: who looked at one person’s record.
 */
export interface SubjectAccess {
/**
 * Newest first.
 */
lookups: {
/**
 * Of the entry in the audit log.
 */
index: number
time: string
action: string
decision: ("allow" | "deny")
dataset: string
department?: string
purpose?: string
matter?: string
grant?: string
/**
 * What was asked for; absent: all that the grant gives.
 */
columns?: string[]
}[]
/**
 * Grants in force by which departments read datasets as a whole that know people by their resident ID: reads of those name nobody.
 */
bulkGrants: {
grant: string
department: string
dataset: string
purpose: string
legalBasis: string
matter?: string
}[]
}
/**
 * The only answer that shows a token's secret.
 */
export interface TokenCreated {
token: Token
/**
 * Shown once.
 */
secret: string
}
/**
 * A bearer token as it is kept: hashed at rest, so its secret is not here.
 */
export interface Token {
id: string
department: string
/**
 * The person or system that holds it. In the audit log only as a keyed hash.
 */
subject: string
roles: ("officer" | "sharing-officer" | "engineer" | "administrator" | "auditor" | "operator" | "worker" | "supervisor" | "portal")[]
label?: string
createdAt: string
expiresAt: (string | null)
revokedAt: (string | null)
/**
 * IP addresses and subnets from which alone it is accepted; absent: anywhere.
 * 
 * @minItems 1
 * @maxItems 100
 */
addresses?: string[]
/**
 * Whose session it is: what it may do is what that person may do now.
 */
person?: string
/**
 * It was rotated: the secret before this one is accepted until then.
 */
formerSecretUntil?: string
}
/**
 * A file that was uploaded for a source. Only one of a name is current; runs read that one, by its digest.
 */
export interface Upload {
id: string
source: string
name: string
/**
 * SHA-256 of its bytes, lower-case hex.
 */
digest: string
sizeBytes: number
state: ("current" | "replaced" | "removed")
/**
 * As the audit log names actors.
 */
uploadedBy: string
uploadedAt: string
/**
 * When it was replaced or removed.
 */
endedAt: (string | null)
}
/**
 * An immutable published version.
 */
export interface Version {
dataset: string
version: number
runId: string
contractVersion: string
contractDigest: string
manifestDigest: string
guarantee: ("snapshot" | "transaction" | "none")
snapshotAt: string
publishedAt: string
/**
 * rowsRead = rowsPublished + rowsQuarantined, always.
 */
account: {
rowsRead: number
rowsPublished: number
rowsQuarantined: number
}
/**
 * Of the whole version.
 */
rows: number
mode: ("snapshot" | "append" | "upsert" | "changes")
/**
 * What an increment changed in the version before; null for a snapshot. rowsPublished = inserted + updated + unchanged + deleted.
 */
changes: ({
inserted?: number
updated?: number
unchanged?: number
/**
 * The source said so.
 */
deleted?: number
/**
 * A full read no longer found them.
 */
vanished?: number
/**
 * Replaced by a later change in the same run; not read rows.
 */
superseded?: number
/**
 * Keys whose newest state is in quarantine: an older one stays.
 */
stale?: number
} | null)
parts: number
/**
 * Stored.
 */
bytes: number
current: boolean
/**
 * 撤回: its provider took it back, and it is served no more; null: it can be read.
 */
recalled: ({
reason: string
at: string
} | null)
/**
 * 留存: until when it can be read. A version expires when it is none of the newest versionsMin and has been superseded for versionDays.
 */
retention: {
/**
 * The rule that holds now; of an expired version, the one by which it expired.
 */
versionsMin: number
versionDays: number
/**
 * When the version after it was published.
 */
supersededAt: (string | null)
/**
 * 到期 Not before; null: it has expired, or is one of the newest.
 */
expiresAt: (string | null)
/**
 * 已到期 It is read no more, and its objects are removed.
 */
expiredAt: (string | null)
/**
 * 保留至 Kept by its department, whatever the rule.
 */
heldUntil: (string | null)
/**
 * 保留理由 Only to its department.
 */
heldFor?: string
}
}
