/** Another Huitong: its datasets, a version at a time, part by part and proved by digest where our grant shows all of it. */
import { defineConnector } from '../define.ts';
import { check } from './check.ts';
import { configSchema } from './config.ts';
import { discover } from './discover.ts';
import { plan } from './plan.ts';
import { read } from './read.ts';
import { openSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const huitong = defineConnector({
  kind: 'huitong',
  title: { zh: '另一个汇通平台', en: 'Another Huitong' },
  configSchema,
  capabilities: { snapshot: 'pinned', partitioning: true, cursor: false, changeCapture: false },
  types,
  check,
  discover,
  openSnapshot,
  plan,
  read,
});
