/** `/v1/lookups`: single rows by their whole key, and questions that are answered with yes or no. */
import type { FastifyInstance } from 'fastify';
import type { KeyDocument } from '../../exchange/access/lookup/key.ts';
import type { LookupAnswer } from '../../exchange/access/lookup/lookups.ts';
import { limits } from '../../lib/limits.ts';
import { documentOf, objectOf } from '../answers.ts';
import { principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

const tags = ['查询 Look-ups'];
const params = { type: 'object', required: ['dataset'], properties: { dataset: { type: 'string' } } } as const;
const text = { type: 'string', minLength: 1, maxLength: 200 } as const;
const keyWords = 'A value for each column of the key: text, or whole numbers where the column has them.';
const scope = {
  purpose: { ...text, description: 'The code of the purpose that the grant was given for.' },
  matter: { ...text, description: 'The id of the case for which it is asked.' },
  grant: { type: 'string', description: 'Under this grant of one’s own; absent: under the best of them.' },
} as const;
const lookupBody = {
  type: 'object',
  additionalProperties: false,
  required: ['keys', 'purpose', 'matter'],
  properties: {
    keys: {
      type: ['object', 'array'],
      minItems: 1,
      maxItems: limits.lookupKeysMax,
      items: { type: 'object' },
      description: `One key, or up to ${limits.lookupKeysMax} of them. ${keyWords}`,
    },
    columns: {
      type: 'array',
      minItems: 1,
      maxItems: limits.columnsMax,
      uniqueItems: true,
      items: { type: 'string' },
      description: 'Absent: all that the grant gives.',
    },
    ...scope,
  },
} as const;
const verifyBody = {
  type: 'object',
  additionalProperties: false,
  required: ['key', 'verification', 'purpose', 'matter'],
  properties: {
    key: { type: 'object', description: keyWords },
    verification: { ...text, description: 'One of the dataset’s, by name; the grant names it too.' },
    matching: { type: 'object', description: 'What the verification is given besides the key.' },
    ...scope,
  },
} as const;
const answered = {
  dataset: { type: 'string' },
  version: { type: 'integer', description: 'From which it was answered.' },
  grant: { type: 'string' },
  receipt: documentOf('Proof that the access is in the audit log; `huitong audit verify --receipt`.'),
};
const result = objectOf(
  { found: { type: 'boolean' }, record: documentOf('What a bulk read under the grant gives of the row.') },
  ['record'],
);

interface Scope {
  purpose: string;
  matter: string;
  grant?: string;
}

interface LookupBody extends Scope {
  keys: KeyDocument | KeyDocument[];
  columns?: string[];
}

interface VerifyBody extends Scope {
  key: KeyDocument;
  verification: string;
  matching?: KeyDocument;
}

type OfDataset = { Params: { dataset: string } };

export function lookupRoutes(app: FastifyInstance, { lookups }: AppDependencies): void {
  app.post<OfDataset & { Body: LookupBody }>(
    '/lookups/:dataset',
    {
      // An answer is never kept: it holds personal data, and asking again is another access.
      config: { action: 'dataset.read', replayable: false },
      schema: {
        summary: '按主键查询 Look rows up by their whole key',
        description: 'A row that is not there and one that the grant does not give are the same answer.',
        tags,
        params,
        body: lookupBody,
        response: { 200: objectOf({ ...answered, results: { type: 'array', items: result } }) },
      },
    },
    async (request, reply) => {
      const { keys, ...asked } = request.body;
      const answer = await lookups.lookUp({
        ...asked,
        keys: Array.isArray(keys) ? keys : [keys],
        dataset: request.params.dataset,
        principal: principalOf(request),
        address: request.ip,
      });
      reply.header('cache-control', 'no-store').type('application/json; charset=utf-8');
      return reply.send(lookupText(request.params.dataset, answer));
    },
  );

  app.post<OfDataset & { Body: VerifyBody }>(
    '/lookups/:dataset/verify',
    {
      config: { action: 'dataset.read', replayable: false },
      schema: {
        summary: '核验 Ask a question of one row that is answered with yes or no',
        tags,
        params,
        body: verifyBody,
        response: { 200: objectOf({ ...answered, result: { enum: ['yes', 'no'] } }) },
      },
    },
    async (request, reply) => {
      const { dataset } = request.params;
      const answer = await lookups.verify({
        matching: {},
        ...request.body,
        dataset,
        principal: principalOf(request),
        address: request.ip,
      });
      reply.header('cache-control', 'no-store');
      return { dataset, ...answer };
    },
  );
}

/** Records are JSON text already, with every digit: they are not read and written again. */
function lookupText(dataset: string, { version, grant, records, receipt }: LookupAnswer): string {
  const results = records.map((record) => (record === null ? '{"found":false}' : `{"found":true,"record":${record}}`));
  const head = JSON.stringify({ dataset, version, grant });
  return `${head.slice(0, -1)},"results":[${results.join(',')}],"receipt":${JSON.stringify(receipt)}}`;
}
