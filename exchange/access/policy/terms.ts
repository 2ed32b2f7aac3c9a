/** The terms of a grant as they arrive, checked by their schema before anything looks at them. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { canonicalJson } from '../../../lib/canonical-json.ts';
import { HuitongError, type Problem } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import termsSchema from '../../../schemas/document/grant-terms.json' with { type: 'json' };
import type { GrantTerms } from '../../../schemas/generated/grant-terms.ts';

const ajv = new Ajv2020({ allErrors: false, strictTypes: false, allowUnionTypes: true });
ajvFormats.default(ajv);
const validate = ajv.compile<GrantTerms>(termsSchema);

/** @throws POLICY_INVALID with pointers, never with a value */
export function requireTerms(document: unknown): GrantTerms {
  if (canonicalJson(document).length > limits.grantTermsBytesMax) {
    throw new HuitongError(
      'POLICY_INVALID',
      `授权条款超过 ${limits.grantTermsBytesMax} 字节 · the terms are larger than ${limits.grantTermsBytesMax} bytes`,
    );
  }
  if (validate(document)) return document;
  const problems = (validate.errors ?? []).map(
    ({ instancePath, keyword, message }): Problem => ({
      code: 'POLICY_INVALID',
      message: `${keyword}: ${message}`,
      pointer: instancePath,
    }),
  );
  throw new HuitongError('POLICY_INVALID', '授权条款不合规范 · the terms of the grant break their schema', {
    pointer: problems[0]?.pointer,
    problems,
  });
}
