/**
 * SQL Server: rows taken over from tedious and decoded straight into Arrow column buffers, in one stream.
 * tedious is large: it is loaded when a source of this kind is first opened.
 */
import type { Connector } from '../connector.ts';
import { configSchema, type MssqlConfig } from './config.ts';
import type { MssqlPartition } from './plan.ts';
import { arrowSchema } from './schema.ts';
import type { MssqlSnapshot } from './snapshot.ts';

export const mssql: Connector<MssqlConfig, MssqlSnapshot, MssqlPartition> = {
  kind: 'mssql',
  title: { zh: 'SQL Server 数据库', en: 'SQL Server' },
  configSchema,
  capabilities: { snapshot: 'transaction', partitioning: false, cursor: false, changeCapture: false },
  check: async (config, context) => (await import('./check.ts')).check(config, context),
  discover: async (config, context) => (await import('./discover.ts')).discover(config, context),
  openSnapshot: async (config, context) => (await import('./snapshot.ts')).openSnapshot(config, context),
  plan: (snapshot, request) => snapshot.plan(request),
  async *read(config, request, context) {
    const { read } = await import('./read.ts');
    yield* read(config, request, context);
  },
  arrowSchema,
};
