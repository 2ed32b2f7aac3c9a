import { checkSteps } from '../check-steps.ts';
import type { CheckReport, ConnectorContext } from '../connector.ts';
import { type FilesConfig, formatOf } from './config.ts';
import { filesOf } from './plan.ts';
import { openSnapshot } from './snapshot.ts';

/** Lists the place, and finds the files of each table; the first step that fails is the last. */
export async function check(config: FilesConfig, context: ConnectorContext): Promise<CheckReport> {
  const open = () => openSnapshot(config, context);
  return checkSteps(open, async ({ files }, log) => {
    log.server(`files ${config.s3 === undefined ? 'in a folder' : 'in S3'}`);
    const place = config.folder ?? `s3://${config.s3?.bucket}/${config.s3?.prefix ?? ''}`;
    log.passed('connect', `${place} is there`);
    log.passed('authenticate', `it can be listed: ${files.length} files`);
    for (const name of Object.keys(config.tables ?? {})) filesOf(config, files, { name });
    const readable = files.filter(({ path }) => formatOf(path, {}) !== undefined).length;
    const tables = Object.keys(config.tables ?? {}).length;
    log.passed('read', `${tables} tables are defined, ${readable} files have a known ending`);
    log.passed('snapshot', 'files are pinned, and proved unchanged behind their last byte');
  });
}
