/** Any Delta Sharing server: tables of a share, at one version, from the Parquet files that the server hands out. */
import { defineConnector } from '../define.ts';
import { check } from './check.ts';
import { configSchema, type DeltaSharingConfig } from './config.ts';
import { discover } from './discover.ts';
import { plan } from './plan.ts';
import { openSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const deltaSharing = defineConnector({
  kind: 'delta-sharing',
  title: { zh: 'Delta Sharing 服务', en: 'Delta Sharing server' },
  configSchema,
  capabilities: { snapshot: 'pinned', partitioning: true, cursor: false, changeCapture: false },
  types,
  check,
  discover,
  openSnapshot,
  plan,
  // The Parquet reader is large: it is loaded when a table is first read.
  async *read(config: DeltaSharingConfig, request, context) {
    const { read } = await import('./read.ts');
    yield* read(config, request, context);
  },
});
