/** Whether a definition's filter has the shape of one, and which columns it names. Its meaning is exchange/access/'s. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import termsSchema from '../../schemas/document/grant-terms.json' with { type: 'json' };
import type { RowFilter } from '../../schemas/generated/grant-terms.ts';

const ajv = new Ajv2020({ allErrors: false, strictTypes: false, allowUnionTypes: true });
ajvFormats.default(ajv);
ajv.addSchema(termsSchema);
const validate = ajv.compile<RowFilter>({ $ref: `${termsSchema.$id}#/$defs/filter` });

export function isFilter(value: unknown): value is RowFilter {
  return validate(value);
}

export function filterColumns({ and = [], or = [], not, ...leaf }: RowFilter): string[] {
  const inner = [...and, ...or, ...(not === undefined ? [] : [not])].flatMap(filterColumns);
  return [...inner, ...Object.values(leaf).map(({ column }) => column)];
}
