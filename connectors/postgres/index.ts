/** PostgreSQL: COPY in binary, decoded straight into Arrow column buffers, in parallel under one exported snapshot. */
import { defineConnector } from '../define.ts';
import { capture } from './capture.ts';
import { check } from './check.ts';
import { configSchema } from './config.ts';
import { discover } from './discover.ts';
import { read } from './read.ts';
import { openSnapshot, type PostgresSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const postgres = defineConnector({
  kind: 'postgres',
  title: { zh: 'PostgreSQL 数据库', en: 'PostgreSQL' },
  configSchema,
  capabilities: { snapshot: 'exported', partitioning: true, cursor: true, changeCapture: true },
  types,
  check,
  discover,
  openSnapshot,
  plan: (snapshot: PostgresSnapshot, request, options) => snapshot.plan(request, options),
  cursorBound: (snapshot: PostgresSnapshot, request, cursor) => snapshot.cursorBound(request, cursor),
  read,
  capture,
});
