import { toHuitongError } from '../../lib/errors.ts';
import type { CheckReport, CheckStep, ConnectorContext } from '../connector.ts';
import { failedSteps } from '../failed-steps.ts';
import { type FilesConfig, formatOf } from './config.ts';
import { filesOf } from './plan.ts';
import { type FilesSnapshot, openSnapshot } from './snapshot.ts';

/** Lists the place, and finds the files of each table; the first step that fails is the last. */
export async function check(config: FilesConfig, context: ConnectorContext): Promise<CheckReport> {
  const steps: CheckStep[] = [];
  let snapshot: FilesSnapshot | undefined;
  try {
    snapshot = await openSnapshot(config, context);
    const { files } = snapshot;
    const place = config.folder ?? `s3://${config.s3?.bucket}/${config.s3?.prefix ?? ''}`;
    steps.push({ name: 'connect', ok: true, message: `${place} is there` });
    steps.push({ name: 'authenticate', ok: true, message: `it can be listed: ${files.length} files` });
    for (const name of Object.keys(config.tables ?? {})) filesOf(config, files, { name });
    const readable = files.filter(({ path }) => formatOf(path, {}) !== undefined).length;
    const tables = Object.keys(config.tables ?? {}).length;
    steps.push({
      name: 'read',
      ok: true,
      message: `${tables} tables are defined, ${readable} files have a known ending`,
    });
    steps.push({
      name: 'snapshot',
      ok: true,
      message: 'files are pinned, and proved unchanged behind their last byte',
    });
  } catch (cause) {
    steps.push(...failedSteps(toHuitongError(cause), steps.length));
  } finally {
    await snapshot?.close();
  }
  return {
    ok: steps.every((step) => step.ok),
    steps,
    server: `files ${config.s3 === undefined ? 'in a folder' : 'in S3'}`,
  };
}
