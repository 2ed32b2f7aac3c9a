import { limits } from '../lib/limits.ts';

/** Query members of every listing that has pages. */
export const pageQuery = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: limits.pageRowsMax,
    description: `Default ${limits.pageRowsDefault}.`,
  },
  cursor: { type: 'string', description: 'The `next` of the page before.' },
} as const;
