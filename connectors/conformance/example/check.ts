import { type CheckReport, type CheckStep, failedSteps, toHuitongError } from '../../index.ts';
import type { ExampleConfig } from './config.ts';
import { listTables } from './relation.ts';

/** Lists the folder; the first step that fails is the last. */
export async function check(config: ExampleConfig): Promise<CheckReport> {
  try {
    const { length } = await listTables(config);
    const steps: CheckStep[] = [
      { name: 'connect', ok: true, message: 'the folder is there' },
      { name: 'read', ok: true, message: `${length} tables` },
      { name: 'snapshot', ok: true, message: 'files have no snapshots: versions say that they may mix states' },
    ];
    return { ok: true, steps, server: 'tab-separated files' };
  } catch (cause) {
    return { ok: false, steps: failedSteps(toHuitongError(cause), 0) };
  }
}
