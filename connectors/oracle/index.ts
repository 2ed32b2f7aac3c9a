/** Oracle Database: exact text of every number and time, as of one SCN, in parallel where the user may learn the SCN. */
import { defineConnector } from '../define.ts';
import * as source from '../ora-source.ts';
import { oracleForms, oraTypes } from '../ora-types.ts';
import { configSchema, type OracleConfig } from './config.ts';
import { targetOf } from './driver.ts';

const dialect: source.OraDialect<OracleConfig> = {
  types: oraTypes(oracleForms),
  targetOf,
  server: 'Oracle Database',
  versionQuery: `select version from product_component_version where product like 'Oracle%'`,
  scnQueries: [
    'select to_char(dbms_flashback.get_system_change_number) from dual',
    'select to_char(current_scn) from v$database',
  ],
  beginReading: 'set transaction read only',
};

export const oracle = defineConnector({
  kind: 'oracle',
  title: { zh: 'Oracle 数据库', en: 'Oracle Database' },
  configSchema,
  capabilities: { snapshot: 'pinned', partitioning: true, cursor: false, changeCapture: false },
  types: dialect.types,
  check: (config: OracleConfig, context) => source.check(dialect, config, context),
  discover: (config, context) => source.discover(dialect, config, context),
  openSnapshot: (config, context) => source.openSnapshot(dialect, config, context),
  plan: (snapshot: source.OraSnapshot, request, options) => source.plan(dialect, snapshot, request, options),
  read: (config, request, context) => source.read(dialect, config, request, context),
});
