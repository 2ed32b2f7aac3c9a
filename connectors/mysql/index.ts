/**
 * MySQL and MariaDB, TiDB, and OceanBase in its MySQL mode: rows taken over from mysql2 and decoded straight into Arrow
 * column buffers, in one stream. mysql2 is loaded when a source of this kind is first opened.
 */
import { defineConnector } from '../define.ts';
import { configSchema, type MysqlConfig } from './config.ts';
import type { MysqlPartition } from './plan.ts';
import type { MysqlSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const mysql = defineConnector({
  kind: 'mysql',
  title: { zh: 'MySQL 或 MariaDB 数据库', en: 'MySQL or MariaDB' },
  configSchema,
  capabilities: { snapshot: 'transaction', partitioning: false, cursor: true, changeCapture: false },
  types,
  check: async (config: MysqlConfig, context) => (await import('./check.ts')).check(config, context),
  discover: async (config, context) => (await import('./discover.ts')).discover(config, context),
  openSnapshot: async (config, context) => (await import('./snapshot.ts')).openSnapshot(config, context),
  plan: (snapshot: MysqlSnapshot, request) => snapshot.plan(request),
  cursorBound: (snapshot: MysqlSnapshot, request, cursor) => snapshot.cursorBound(request, cursor),
  async *read(config, request: import('../connector.ts').ReadRequest<MysqlPartition>, context) {
    const { read } = await import('./read.ts');
    yield* read(config, request, context);
  },
});
