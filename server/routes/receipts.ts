/** `/v1/receipts`: the proof that one access is in the audit log, for the two departments that it concerns. */
import type { FastifyInstance } from 'fastify';
import { getDataset } from '../../catalog/datasets.ts';
import { toReceipt } from '../../exchange/audit/receipt.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import { documentOf } from '../answers.ts';
import { permitted, principalOf } from '../authentication.ts';
import type { AppDependencies } from '../dependencies.ts';

const index = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

export function receiptRoutes(app: FastifyInstance, { audit: { reader }, publication }: AppDependencies): void {
  /** Who accessed, and whose data it was. */
  const partiesOf = async (leaf: AuditLeaf): Promise<(string | undefined)[]> => {
    const dataset = /^dataset\/([^/]+)/.exec(leaf.object)?.[1];
    const provider = dataset === undefined ? undefined : (await getDataset(publication.catalog, dataset)).department;
    return [leaf.onBehalfOf, provider];
  };

  app.get<{ Params: { index: number } }>(
    '/receipts/:index',
    {
      config: { action: 'receipt.read' },
      schema: {
        summary: '访问回执 The receipt of one access, for the department that made it and the one whose data it was',
        description: '`index` is what an answer names in X-Huitong-Audit-Index.',
        tags: ['审计 Audit'],
        params: { type: 'object', required: ['index'], properties: { index } },
        response: {
          200: documentOf('Format huitong.receipt/1: exchange/audit/verify/receipt.ts says how it is checked.'),
        },
      },
    },
    async (request) => {
      const { index } = request.params;
      const own = principalOf(request).department;
      const { proved } = await permitted(request, 'receipt.read', String(index), async () => {
        const found = await reader.prove(index);
        const parties = await partiesOf(JSON.parse(found.entry.toString()));
        const [first = ''] = parties.filter((party) => party !== undefined);
        return { proved: found, department: parties.includes(own) ? own : first };
      });
      return toReceipt(proved);
    },
  );
}
