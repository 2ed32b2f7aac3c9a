/** Tables in tab-separated files, one folder a source. */
import { defineConnector } from '../../index.ts';
import { check } from './check.ts';
import { configSchema } from './config.ts';
import { discover } from './discover.ts';
import { plan } from './plan.ts';
import { read } from './read.ts';
import { types } from './types.ts';

export const example = defineConnector({
  kind: 'example',
  title: { zh: '示例数据源', en: 'Example' },
  configSchema,
  capabilities: { snapshot: 'none', partitioning: false, cursor: false, changeCapture: false },
  types,
  check,
  discover,
  plan,
  read,
});
