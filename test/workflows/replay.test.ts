import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { historiesPath, parseHistory } from './temporal.ts';

/** FAULTS 21: the histories of every released workflow are replayed by the code of today. */
const histories = readdirSync(historiesPath).filter((file) => file.endsWith('.json'));

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  workflowBundle = await bundle();
});

const read = (file: string): string => readFileSync(join(historiesPath, file), 'utf8');

describe('recorded histories', () => {
  it.each(histories)('%s is replayed', async (file) => {
    await Worker.runReplayHistory({ workflowBundle }, parseHistory(read(file)));
  });

  it('there is one at least of each workflow', () => {
    const types = histories.map((file) => file.split('.')[0]);
    expect(new Set(types)).toEqual(
      new Set(['check-source', 'discover-source', 'duty-case', 'publish-dataset', 'publish-on-schedule', 'request']),
    );
  });

  it('of another order of steps is refused', async () => {
    const changed = read('publish-dataset.published.json').replaceAll('"recheckRun"', '"commitRun"');
    await expect(Worker.runReplayHistory({ workflowBundle }, parseHistory(changed))).rejects.toThrow(/nondeterminism/i);
  });

  it('name no machine', () => {
    for (const file of histories) expect(read(file), file).not.toMatch(/\/work\/|\/root\/|\/home\/|file:\/\//);
  });
});
