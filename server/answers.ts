/** Schemas of answers that are no resource of schemas/api. */

/** An object with exactly these members; all but `optional` are always there. */
export function objectOf<P extends Record<string, object>>(properties: P, optional: (keyof P)[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', additionalProperties: false, required, properties } as const;
}

/** Whatever a document of ours holds that has a schema of its own. */
export function documentOf(description: string) {
  return { type: 'object', additionalProperties: true, description } as const;
}

/** Bytes in one of these media types. */
export function bytesOf(description: string, ...mediaTypes: string[]) {
  const schema = { type: 'string', format: 'binary' };
  return { description, content: Object.fromEntries(mediaTypes.map((type) => [type, { schema }])) };
}
