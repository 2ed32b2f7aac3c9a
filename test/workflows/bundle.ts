/** The workflows as a worker runs them. */
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const workflowsPath = join(import.meta.dirname, '../../workflows/index.ts');

export function bundle() {
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}
