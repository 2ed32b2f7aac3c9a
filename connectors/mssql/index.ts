/**
 * SQL Server: rows taken over from tedious and decoded straight into Arrow column buffers, in one stream.
 * tedious is large: it is loaded when a source of this kind is first opened.
 */
import { defineConnector } from '../define.ts';
import { configSchema, type MssqlConfig } from './config.ts';
import type { MssqlSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const mssql = defineConnector({
  kind: 'mssql',
  title: { zh: 'SQL Server 数据库', en: 'SQL Server' },
  configSchema,
  capabilities: { snapshot: 'transaction', partitioning: false, cursor: true, changeCapture: false },
  types,
  check: async (config: MssqlConfig, context) => (await import('./check.ts')).check(config, context),
  discover: async (config, context) => (await import('./discover.ts')).discover(config, context),
  openSnapshot: async (config, context) => (await import('./snapshot.ts')).openSnapshot(config, context),
  plan: (snapshot: MssqlSnapshot, request) => snapshot.plan(request),
  cursorBound: (snapshot: MssqlSnapshot, request, cursor) => snapshot.cursorBound(request, cursor),
  async *read(config, request, context) {
    const { read } = await import('./read.ts');
    yield* read(config, request, context);
  },
});
