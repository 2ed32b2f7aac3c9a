/** PostgreSQL: COPY in binary, decoded straight into Arrow column buffers, in parallel under one exported snapshot. */
import type { Connector } from '../connector.ts';
import { check } from './check.ts';
import { configSchema, type PostgresConfig } from './config.ts';
import { discover } from './discover.ts';
import type { PostgresPartition } from './plan.ts';
import { arrowSchema, read } from './read.ts';
import { openSnapshot, type PostgresSnapshot } from './snapshot.ts';

export const postgres: Connector<PostgresConfig, PostgresSnapshot, PostgresPartition> = {
  kind: 'postgres',
  title: { zh: 'PostgreSQL 数据库', en: 'PostgreSQL' },
  configSchema,
  capabilities: { snapshot: 'exported', partitioning: true, cursor: false, changeCapture: false },
  check,
  discover,
  openSnapshot,
  plan: (snapshot, request, options) => snapshot.plan(request, options),
  read,
  arrowSchema,
};
