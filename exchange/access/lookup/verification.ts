/** Questions that are answered with yes or no: declared by the provider with the dataset, named by the grant. */
import type { Schema } from 'apache-arrow';
import { certainly } from '../../../columnar/truth.ts';
import { HuitongError } from '../../../lib/errors.ts';
import type { Dataset } from '../../../schemas/generated/api.ts';
import type { RowFilter } from '../../../schemas/generated/grant-terms.ts';
import type { Grant } from '../grants.ts';
import { columnsOf, compileFilter } from '../policy/filter.ts';
import type { Policy } from '../policy/policy.ts';
import { type KeyDocument, valueReader } from './key.ts';
import { fieldsOf, type OpenIndex } from './open-index.ts';

export type Verification = NonNullable<Dataset['verifications']>[string];

/** @throws NOT_FOUND where the dataset has none of that name, and where the grant does not name it: one answer */
export function verificationOf(dataset: Dataset, grant: Grant, name: string): Verification {
  const { verifications = {} } = dataset;
  const found = Object.hasOwn(verifications, name) ? verifications[name] : undefined;
  if (found !== undefined && grant.verifications.includes(name)) return found;
  throw new HuitongError('NOT_FOUND', '没有该核验项 · there is no such verification');
}

/** By column, the text of each value that the verification asks for. @throws REQUEST_INVALID, ID_MUST_BE_STRING */
export function columnsAsked({ matching = [] }: Verification, schema: Schema, given: KeyDocument): Map<string, string> {
  if (Object.keys(given).some((name) => !matching.includes(name))) {
    throw new HuitongError(
      'REQUEST_INVALID',
      `此核验项须给出：${matching.join(', ') || '无'} · this verification is given: ${matching.join(', ') || 'nothing'}`,
      {
        pointer: '/matching',
      },
    );
  }
  return new Map(
    matching.map((name) => {
      const pointer = `/matching/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return [name, valueReader(schema, name).parse(given[name], pointer)];
    }),
  );
}

export interface VerificationAsked {
  text: string;
  given: Map<string, string>;
  verification: Verification;
  policy: Policy;
}

/** Yes where the row is there, the grant's filter gives it, it has the given values, and it fulfils the condition. */
export function answerOf(index: OpenIndex, { text, given, verification, policy }: VerificationAsked): boolean {
  const rows = index.rows([text]);
  if (rows.images.length === 0) return false;
  const filters = [filterOf(verification), ...(policy.rowFilter === null ? [] : [policy.rowFilter])];
  const columns = [...filters.flatMap(columnsOf), ...given.keys()];
  const schema = fieldsOf(index.schema, columns);
  const batch = index.cells(rows, columns);
  const truths = filters.map((filter) => certainly(compileFilter(filter, schema, new Set())(batch))[0] === 1);
  const matches = [...given].map(([name, value]) => {
    const place = schema.fields.findIndex((field) => field.name === name);
    return valueReader(schema, name).ofCell(batch.data.children[place]!, 0) === value;
  });
  return [rows.found[0], ...truths, ...matches].every((one) => one === true);
}

function filterOf({ where }: Verification): RowFilter {
  const day = today();
  return JSON.parse(JSON.stringify(where), (_, value: unknown) => (value === '@today' ? day : value));
}

/** The day in Asia/Shanghai, which has had no other offset than +08:00 since 1991. */
function today(): string {
  return new Date(Date.now() + 8 * 60 * 60 * 1000).toISOString().slice(0, 10);
}
