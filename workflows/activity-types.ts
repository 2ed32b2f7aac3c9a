/** The activities as workflows see them: types only. */
import type { createExchangeActivities } from '../activities/exchange/index.ts';
import type { createSourceActivities } from '../activities/source/index.ts';

export type { SourceReference } from '../activities/source/index.ts';

export type ExchangeActivities = ReturnType<typeof createExchangeActivities>;
export type SourceActivities = ReturnType<typeof createSourceActivities>;
