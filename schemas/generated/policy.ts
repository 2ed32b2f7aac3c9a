/** Generated from JSON Schema by `npm run generate`. Do not edit. */

export type Days = number

/**
 * policy.yaml: deadlines and thresholds, which differ between cities and change with law. Days are working days.
 */
export interface PolicyDefinition {
version: string
title: Words
basis: Words
/**
 * IANA name, for instance Asia/Shanghai.
 */
timeZone: string
workingDays: {
unconditionalAnswer: Days
conditionalAnswer: Days
conditionalExtension: Days
provision: Days
catalogUpdate: Days
catalogReview: Days
correctionAnswer: Days
}
/**
 * Shares of the time after which a reminder is sent.
 * 
 * @maxItems 10
 */
reminderShares: number[]
/**
 * Aggregates over fewer rows are suppressed where they are marked so.
 */
smallCellMin: number
catalog?: {
/**
 * Whether an apply may still change entries that no review has decided on; default optional (docs/reference/catalog-entries.md).
 */
review: ("optional" | "required")
}
}
/**
 * The same words in Chinese and in English; both are shown, so both are required.
 */
export interface Words {
zh: string
en: string
}
