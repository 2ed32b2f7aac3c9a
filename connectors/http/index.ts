/** A JSON API over HTTP, described by its definition: tables, pages, authentication, where each column is. */
import { defineConnector } from '../define.ts';
import { check } from './check.ts';
import { discover } from './discover.ts';
import { cursorBound, plan } from './plan.ts';
import { read } from './read.ts';
import { configSchema } from './schema.ts';
import { openSnapshot } from './snapshot.ts';
import { types } from './types.ts';

export const http = defineConnector({
  kind: 'http',
  title: { zh: 'HTTP JSON 接口', en: 'HTTP JSON API' },
  configSchema,
  capabilities: { snapshot: 'none', partitioning: false, cursor: true, changeCapture: false },
  types,
  check,
  discover,
  openSnapshot,
  plan,
  cursorBound,
  read,
});
