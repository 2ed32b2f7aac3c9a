/** Dameng DM8: exact text of every number and time, each table in one serializable transaction. */
import { defineConnector } from '../define.ts';
import * as source from '../ora-source.ts';
import { damengForms, oraTypes } from '../ora-types.ts';
import { configSchema, type DamengConfig } from './config.ts';
import { targetOf } from './driver.ts';

const dialect: source.OraDialect<DamengConfig> = {
  types: oraTypes(damengForms),
  targetOf,
  server: 'Dameng',
  versionQuery: 'select banner from v$version where rownum = 1',
  // Flashback is off unless its administrator sets ENABLE_FLASHBACK, and has another syntax.
  scnQueries: [],
  // READ ONLY alone keeps DM's READ COMMITTED, which sees a new state with every fetch.
  beginReading: 'set transaction isolation level serializable',
};

export const dameng = defineConnector({
  kind: 'dameng',
  title: { zh: '达梦数据库', en: 'Dameng DM8' },
  configSchema,
  capabilities: { snapshot: 'transaction', partitioning: false, cursor: false, changeCapture: false },
  types: dialect.types,
  check: (config: DamengConfig, context) => source.check(dialect, config, context),
  discover: (config, context) => source.discover(dialect, config, context),
  openSnapshot: (config, context) => source.openSnapshot(dialect, config, context),
  plan: (snapshot: source.OraSnapshot, request) => source.plan(dialect, snapshot, request, { partitions: 1 }),
  read: (config, request, context) => source.read(dialect, config, request, context),
});
