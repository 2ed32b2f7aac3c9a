/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * district.yaml: what the installation is. One district per installation.
 */
export interface DistrictDefinition {
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
code: string
name: Words
/**
 * GB/T 2260 code of the district.
 */
divisionCode: string
/**
 * IANA name, for instance Asia/Shanghai.
 */
timeZone: string
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
supervisor: string
}
/**
 * The same words in Chinese and in English; both are shown, so both are required.
 */
export interface Words {
zh: string
en: string
}
