/**
 * Requests are checked by the same dialect as definitions: JSON Schema 2020-12. Text of a query or a path is read as
 * the number or truth value that the schema wants; a body means what it says. Nothing is dropped in silence: an
 * unknown member is an error.
 */
import { Ajv2020, type Options, type Schema } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { apiSchemas } from '../schemas/api/index.ts';

export function installValidation(app: FastifyInstance): void {
  const body = createAjv({});
  const text = createAjv({ coerceTypes: true, useDefaults: true });
  app.setValidatorCompiler(({ schema, httpPart }) =>
    httpPart === 'body' ? body.compile(schema) : ofText(text, schema as Schema),
  );
}

/** Text such as `1e999` becomes a number that is none of JSON's, and that no bound stops: a second look sees it. */
function ofText(ajv: Ajv2020, schema: Schema) {
  const validate = ajv.compile(schema);
  const twice = (data: unknown): boolean => {
    const valid = validate(data) && validate(data);
    twice.errors = validate.errors;
    return valid;
  };
  twice.errors = validate.errors;
  return twice;
}

function createAjv(options: Options): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, ...options });
  formats.default(ajv);
  for (const schema of apiSchemas) ajv.addSchema(schema);
  return ajv;
}
