/** Definitions against schemas/definition/: every finding of a document, in words that say what to do. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { pointerTo } from '../../contracts/pointer.ts';
import type { Problem } from '../../lib/errors.ts';
import { definitionSchemas } from '../../schemas/definition/index.ts';
import type { ReadDocument } from './document.ts';

export type DefinitionKind = 'district' | 'policy' | 'department' | 'source' | 'dataset';

const ajv = new Ajv2020({ allErrors: true, strict: true, verbose: true });
for (const schema of Object.values(definitionSchemas)) ajv.addSchema(schema);

/** Findings for the value at `pointer` of the document; none where it is a valid definition of that kind. */
export function validateDefinition(
  kind: DefinitionKind,
  document: ReadDocument,
  value: unknown,
  pointer = '',
): Problem[] {
  const validate = ajv.getSchema(definitionSchemas[kind].$id) as ValidateFunction;
  if (validate(value)) return [];
  return withoutBranches(validate.errors ?? []).map((error) => {
    const place = pointer + error.instancePath + missingOrUnknown(error);
    if (isUnquotedNumber(error)) return document.problem('ID_MUST_BE_STRING', place, 'must be in quotes: it is a code');
    return document.problem('DEFINITION_INVALID', place, wordsFor(error));
  });
}

/** YAML reads a code of digits alone as a number, which may lose digits and leading zeros. */
function isUnquotedNumber({ keyword, params, data }: ErrorObject): boolean {
  return keyword === 'type' && params.type === 'string' && typeof data === 'number';
}

/** A failing `oneOf` reports every branch; what each branch wanted only confuses. */
function withoutBranches(errors: ErrorObject[]): ErrorObject[] {
  return errors.filter(({ schemaPath }) => !schemaPath.includes('/oneOf/'));
}

function missingOrUnknown({ keyword, params }: ErrorObject): string {
  if (keyword === 'additionalProperties') return pointerTo(params.additionalProperty);
  return '';
}

/** Never the value that was found: it may be a secret that stands in the wrong place. */
function wordsFor({ keyword, params, message, parentSchema }: ErrorObject): string {
  const about = typeof parentSchema?.description === 'string' ? `: ${parentSchema.description}` : '';
  switch (keyword) {
    case 'additionalProperties':
      return `unknown member "${params.additionalProperty}"`;
    case 'required':
      return `"${params.missingProperty}" is missing`;
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`;
    case 'type':
      return `must be ${[params.type].flat().join(' or ')}`;
    case 'pattern':
      return `does not match ${params.pattern}${about}`;
    case 'oneOf':
      return 'must be { as: text }, { as: skip } or { as: decimal, precision, scale }';
    default:
      return message ?? keyword;
  }
}
