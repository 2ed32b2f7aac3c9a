/**
 * SQL Server: rows taken over from tedious and decoded straight into Arrow column buffers, in one stream.
 * tedious is large: it is loaded when a source of this kind is first opened.
 */
import type { SourceCapture } from '../connector.ts';
import { defineConnector } from '../define.ts';
import { configSchema, type MssqlConfig } from './config.ts';
import type { MssqlSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const mssql = defineConnector({
  kind: 'mssql',
  title: { zh: 'SQL Server 数据库', en: 'SQL Server' },
  configSchema,
  capabilities: { snapshot: 'transaction', partitioning: false, cursor: true, changeCapture: true },
  types,
  check: async (config: MssqlConfig, context) => (await import('./check.ts')).check(config, context),
  discover: async (config, context) => (await import('./discover.ts')).discover(config, context),
  openSnapshot: async (config, context) => (await import('./snapshot.ts')).openSnapshot(config, context),
  plan: (snapshot: MssqlSnapshot, request) => snapshot.plan(request),
  cursorBound: (snapshot: MssqlSnapshot, request, cursor) => snapshot.cursorBound(request, cursor),
  async *read(config: MssqlConfig, request, context) {
    const { read } = await import('./read.ts');
    yield* read(config, request, context);
  },
  capture: {
    start: async (config, request, context) => (await captureOf()).start(config, request, context),
    lag: async (config, request, after, context) => (await captureOf()).lag(config, request, after, context),
    async *readChanges(config, request, context) {
      yield* (await captureOf()).readChanges(config, request, context);
    },
    acknowledge: async (config, request, position, context) =>
      (await captureOf()).acknowledge(config, request, position, context),
    drop: async (config, request, context) => (await captureOf()).drop(config, request, context),
  },
});

async function captureOf(): Promise<SourceCapture<MssqlConfig>> {
  return (await import('./capture.ts')).capture;
}
