import { Int64, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { recheckRun } from '../../../exchange/publication/recheck.ts';
import type { RunReport } from '../../../schemas/generated/run-report.ts';
import { makeReport, type OpenRun, openWorld, schema, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const never = new AbortController().signal;

function part(ids: bigint[], names: (string | null)[]): Uint8Array {
  const table = new Table(schema, {
    id: vectorFromArray(ids, new Int64()),
    姓名: vectorFromArray(names, new Utf8()),
  });
  return tableToIPC(table, 'file');
}

async function stageAll(run: OpenRun, bytes: Uint8Array, rows: number, changes: Partial<RunReport> = {}) {
  const staged = { ...(await world.stage(run, 'part', bytes)), rows };
  const report = { ...makeReport(run, [staged]), sums: { id: '3' }, ...changes };
  return { ...run, reportDigest: (await world.stage(run, 'report', JSON.stringify(report))).digest };
}

describe('the second contract check', () => {
  it('lets pass what keeps the contract; only then a department’s worker is published', async () => {
    const run = await world.begin({ trusted: false });
    const request = await stageAll(run, part([1n, 2n], ['王', null]), 2);
    await expect(commitRun(world, request)).rejects.toMatchObject({ code: 'CONTRACT_RECHECK_FAILED' });
    expect(await recheckRun(world, request, never)).toEqual({ rowsChecked: 2 });
    expect(await recheckRun(world, request, never)).toEqual({ rowsChecked: 0 });
    expect(await commitRun(world, request)).toMatchObject({ outcome: 'published', rows: 2 });
  });

  it('refuses rows that break the contract, without telling them', async () => {
    const run = await world.begin({ trusted: false });
    const request = await stageAll(run, part([1n, 2n], ['王小明', '名字太长']), 2);
    const error = await recheckRun(world, request, never).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'CONTRACT_RECHECK_FAILED', message: '1 rows break the contract' });
    await expect(commitRun(world, request)).rejects.toMatchObject({ code: 'CONTRACT_RECHECK_FAILED' });
  });

  it('refuses parts that do not bear out what was reported', async () => {
    const good = part([1n, 2n], ['王', null]);
    const refused = async (bytes: Uint8Array, rows: number, changes: Partial<RunReport>, code: string) => {
      const run = await world.begin({ trusted: false });
      const request = await stageAll(run, bytes, rows, changes);
      await expect(recheckRun(world, request, never), JSON.stringify(changes)).rejects.toMatchObject({ code });
    };
    await refused(good, 3, {}, 'CONTRACT_RECHECK_FAILED');
    await refused(good, 2, { sums: { id: '4' } }, 'CONTRACT_RECHECK_FAILED');
    await refused(good, 2, { sums: { id: 'three' } }, 'CONTRACT_RECHECK_FAILED');
    await refused(good, 2, { sums: {} }, 'CONTRACT_RECHECK_FAILED');
    await refused(Buffer.from('not an Arrow file at all'), 2, {}, 'ARROW_INVALID');
  });

  it('does nothing for the exchange’s own worker, and ends when it is told to', async () => {
    const trusted = await world.begin({ trusted: true });
    const request = await stageAll(trusted, Buffer.from('not looked at'), 1);
    expect(await recheckRun(world, request, never)).toEqual({ rowsChecked: 0 });
    const run = await world.begin({ trusted: false });
    const long = await stageAll(run, part([1n, 2n], ['王', null]), 2);
    await expect(recheckRun(world, long, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});
