/** Generated from JSON Schema by `npm run generate`. Do not edit. */

/**
 * One entry of departments.yaml.
 */
export interface DepartmentDefinition {
/**
 * Lower-case letters, digits and single hyphens. Given once, never changed.
 */
code: string
name: Words
/**
 * 局, 街道, 办公室, 事业单位, 国有企业, 其他.
 */
kind?: ("bureau" | "subdistrict" | "office" | "institution" | "enterprise" | "other")
/**
 * Unified social credit code, GB 32100; its check character is verified (CHECKSUM).
 */
creditCode?: string
/**
 * The sharing officer 共享专员, as an office and not as a person.
 */
contact?: {
office?: string
phone?: string
email?: string
}
}
/**
 * The same words in Chinese and in English; both are shown, so both are required.
 */
export interface Words {
zh: string
en: string
}
