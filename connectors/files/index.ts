/**
 * Files: CSV, JSON lines, XLSX, Parquet and Arrow, in a folder, in S3, or uploaded; text goes from its bytes straight into Arrow
 * column buffers. docs/reference/files.md has what each format may be.
 */
import { defineConnector } from '../define.ts';
import { check } from './check.ts';
import { configSchema } from './config.ts';
import { discover } from './discover.ts';
import { read } from './read.ts';
import { type FilesSnapshot, openSnapshot } from './snapshot.ts';
import { types } from './types.ts';
import { uploads } from './uploads.ts';

export const files = defineConnector({
  kind: 'files',
  title: { zh: '文件', en: 'Files' },
  configSchema,
  capabilities: { snapshot: 'exported', partitioning: true, cursor: false, changeCapture: false },
  types,
  check,
  discover,
  openSnapshot,
  plan: (snapshot: FilesSnapshot, request, options) => snapshot.plan(request, options),
  read,
  uploads,
});
