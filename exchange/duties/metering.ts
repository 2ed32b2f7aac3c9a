/** What was read and looked up, counted from the audit log (projections.ts). */
import type { Catalog } from '../../catalog/database.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Metering } from '../../schemas/generated/api.ts';
import { listingLimit, type Principal } from '../access/rights.ts';
import { projectLog } from './projections.ts';

export const meteringDimensions = ['dataset', 'grant', 'matter', 'department', 'day'] as const;

export type MeteringDimension = (typeof meteringDimensions)[number];

export interface MeteringQuery {
  /** Sums are told apart by these; default: by dataset. */
  by?: MeteringDimension[];
  /** First and last day, YYYY-MM-DD in Asia/Shanghai. */
  from?: string;
  to?: string;
  dataset?: string;
  department?: string;
}

/**
 * What the viewer's department has used, and what others have used of its datasets; everybody's where the role sees all.
 * Up to the newest leaf. Throws REQUEST_INVALID where it would be more than `limits.pageRowsMax` sums.
 */
export async function meter(catalog: Catalog, principal: Principal, asked: MeteringQuery): Promise<Metering[]> {
  await projectLog(catalog);
  const by = [...new Set(asked.by ?? ['dataset' as const])];
  const query = catalog('metering')
    .select(by.map((name) => (name === 'day' ? catalog.raw(`metering.day::text as day`) : `metering.${name}`)))
    .select(counters.map((name) => catalog.raw('sum(??)::float8 as ??', [`metering.${name}`, name])))
    .groupBy(by.map((name) => `metering.${name}`))
    .orderBy(by.map((name) => ({ column: `metering.${name}` })))
    .limit(limits.pageRowsMax + 1);
  const own = listingLimit(principal, 'metering.read');
  if (own !== undefined) {
    query
      .leftJoin('dataset', 'dataset.code', 'metering.dataset')
      .where((either) => either.where('metering.department', own).orWhere('dataset.department', own));
  }
  if (asked.from !== undefined) query.where('metering.day', '>=', asked.from);
  if (asked.to !== undefined) query.where('metering.day', '<=', asked.to);
  if (asked.dataset !== undefined) query.where('metering.dataset', asked.dataset);
  if (asked.department !== undefined) query.where('metering.department', asked.department);
  const sums: Metering[] = await query;
  if (sums.length > limits.pageRowsMax) {
    throw new HuitongError(
      'REQUEST_INVALID',
      `超过 ${limits.pageRowsMax} 项合计，请减少天数或维度 · more than ${limits.pageRowsMax} sums: take fewer days or dimensions`,
    );
  }
  return sums;
}

const counters = ['reads', 'rows', 'bytes', 'lookups', 'refusals'] as const;
