/** Inferring a dataset from a table, and trying one on its first rows: for the department that owns the source. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { assignmentParts } from '../../catalog/publishing.ts';
import { sourceDefinition } from '../../catalog/sources.ts';
import { validateContract } from '../../contracts/compile.ts';
import type { ContractDocument } from '../../contracts/contract.ts';
import { actorOf } from '../../exchange/access/access.ts';
import type { DatasetDefinition, ItemDefinition } from '../../schemas/generated/dataset.ts';
import type { SourceDefinition } from '../../schemas/generated/source.ts';
import { documentOf, objectOf } from '../answers.ts';
import { permitted, principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';
import { askSealed } from '../sealed-inquiry.ts';

const tags = ['数据源 Sources'];
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const name = { type: 'string', minLength: 1, maxLength: 256 } as const;
const params = { type: 'object', required: ['code'], properties: { code: text } } as const;
const table = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { schema: name, name },
} as const;
const listOf = (properties: Record<string, object>) => ({ type: 'array', items: objectOf(properties) });

const inferBody = {
  type: 'object',
  additionalProperties: false,
  required: ['table'],
  properties: {
    table,
    name: { type: 'string', pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$', maxLength: 63 },
    key: { type: 'array', minItems: 1, uniqueItems: true, items: name },
    strict: { type: 'boolean', description: 'Puts what only the sample suggests into force.' },
  },
} as const;
const inferAnswer = objectOf({
  dataset: text,
  files: { type: 'object', additionalProperties: text, description: 'Of the district’s folder: path → text.' },
  key: objectOf({ columns: { type: 'array', items: text }, guaranteed: { type: 'boolean' } }),
  sample: objectOf({ rows: count, complete: { type: 'boolean' } }),
  overrides: listOf({ column: text, as: text, why: text }),
  sensitive: listOf({ column: text, sensitivity: text, why: text }),
});

const previewBody = {
  type: 'object',
  additionalProperties: false,
  required: ['table', 'contract'],
  properties: {
    table,
    columns: { type: 'array', minItems: 1, maxItems: 1600, uniqueItems: true, items: name },
    overrides: documentOf('As in a dataset’s definition.'),
    items: documentOf('As in a dataset’s definition.'),
    contract: documentOf('A contract, as its file holds it.'),
  },
} as const;
const error = { code: text, pointer: text };
const previewAnswer = objectOf({
  rowsRead: count,
  rowsPublished: count,
  rowsQuarantined: count,
  complete: { type: 'boolean', description: 'Every row of the table was read.' },
  guarantee: { ...text, description: 'How firmly the rows belong to one moment.' },
  violations: listOf({ ...error, rows: count }),
  columns: listOf({ name: text, arrowType: text, masked: { type: 'boolean' } }),
  rows: listOf({ row: { ...text, description: 'JSON text: a JSON number would lose digits.' }, errors: listOf(error) }),
  bytesDecoded: count,
  bytesStored: count,
  elapsedMs: count,
});
const previewSummary = '试运行 Try a dataset on the first rows, without publishing';
const previewDescription =
  'Personal cells are masked for anyone but the data engineer. Nothing is staged, and no version is made.';

interface Preview extends Pick<DatasetDefinition, 'table' | 'columns' | 'overrides' | 'items'> {
  contract: ContractDocument;
}

type Of<Body = unknown> = { Params: { code: string }; Body: Body };

export function inferenceRoutes(app: FastifyInstance, deps: AppDependencies): void {
  const { publication, access } = deps;
  const { catalog } = publication;

  app.post<Of<{ table: DatasetDefinition['table']; name?: string; key?: string[]; strict?: boolean }>>(
    '/sources/:code/infer',
    {
      config: { action: 'dataset.infer', replayable: false },
      schema: {
        summary: '推断数据集 Infer a dataset’s definition and contract from a table',
        tags,
        params,
        body: inferBody,
        response: { 200: inferAnswer },
      },
    },
    async (request) => {
      const { code } = request.params;
      const source = await permitted(request, 'dataset.infer', code, () => sourceDefinition(catalog, code));
      const inquiry = { ...request.body, department: source.department };
      const inferred = await askSealed(deps, { type: 'inferDataset', source, inquiry, requestId: request.id });
      await record(request, 'dataset.inferred', `source/${code}`);
      return inferred;
    },
  );

  app.post<Of<Preview>>(
    '/sources/:code/preview',
    {
      config: { action: 'dataset.preview', replayable: false },
      schema: {
        summary: previewSummary,
        description: previewDescription,
        tags,
        params,
        body: previewBody,
        response: { 200: previewAnswer },
      },
    },
    async (request) => {
      const { code } = request.params;
      const source = await permitted(request, 'dataset.preview', code, () => sourceDefinition(catalog, code));
      return preview(request, source, request.body, `source/${code}`);
    },
  );

  app.post<Of>(
    '/datasets/:code/preview',
    {
      config: { action: 'dataset.preview', replayable: false },
      schema: {
        summary: previewSummary,
        description: previewDescription,
        tags,
        params,
        response: { 200: previewAnswer },
      },
    },
    async (request) => {
      const { code } = request.params;
      const dataset = await permitted(request, 'dataset.preview', code, () => getDataset(catalog, code));
      const { assignment } = await assignmentParts(catalog, code);
      const items = Object.fromEntries(dataset.items.map(({ name: item, sensitivity }) => [item, { sensitivity }]));
      const { table: from, columns, contract } = assignment;
      const overrides = assignment.overrides as Preview['overrides'];
      const asked = { table: from, columns, overrides, items, contract };
      return preview(request, await sourceDefinition(catalog, assignment.source.code), asked, `dataset/${code}`);
    },
  );

  async function preview(request: FastifyRequest, source: SourceDefinition, asked: Preview, object: string) {
    const { table: from, columns, overrides, items = {}, contract } = asked;
    validateContract(contract);
    const masked = principalOf(request).roles.includes('engineer') ? [] : personal(items);
    const inquiry = { request: { table: from, columns, overrides }, contract, masked };
    const report = await askSealed<{ rows: unknown[] }>(deps, {
      type: 'previewDataset',
      source,
      inquiry,
      requestId: request.id,
    });
    await record(request, 'dataset.previewed', object, report.rows.length);
    return report;
  }

  /** Before anything is answered. */
  async function record(request: FastifyRequest, action: string, object: string, rows?: number): Promise<void> {
    const actor = actorOf(access, principalOf(request));
    await access.audit.append({ ...actor, action, object, decision: 'allow', ...(rows === undefined ? {} : { rows }) });
  }
}

function personal(items: Record<string, ItemDefinition>): string[] {
  return Object.entries(items)
    .filter(([, { sensitivity }]) => sensitivity !== undefined && sensitivity !== 'none')
    .map(([item]) => item);
}
