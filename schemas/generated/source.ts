/** Generated from JSON Schema by `npm run generate`. Do not edit. */

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
limits?: {
partitionsMax?: number
/**
 * How long a snapshot may hold back vacuum in this source.
 */
snapshotAgeMaxMs?: number
}
}
/**
 * The same words in Chinese and in English; both are shown, so both are required.
 */
export interface Words {
zh: string
en: string
}
