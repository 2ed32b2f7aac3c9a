import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Connector } from '../../../connectors/connector.ts';
import { type Exchange, openExchange } from './exchange.ts';
import { type Change, type ScriptedConfig, scripted, stateAfter } from './scripted-connector.ts';

let directory: string;
let config: ScriptedConfig;
let exchange: Exchange;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-changes-'));
  config = { transactions: [], log: join(directory, 'log') };
  await writeFile(config.log, '');
  const threadEntry = new URL('./scripted-thread.ts', import.meta.url);
  exchange = await openExchange(
    { connector: scripted as Connector, config, threadEntry },
    { mode: { kind: 'changes', changesMax: 6, lagBytesMax: 1_048_576, buckets: 8 } },
  );
});
afterEach(async () => {
  await exchange.close();
  await rm(directory, { recursive: true });
});

/** What the source was asked since the last time. */
async function calls(): Promise<string[]> {
  const text = await readFile(config.log, 'utf8');
  await writeFile(config.log, '');
  return text.split('\n').filter((line) => line !== '');
}

const digests = async () =>
  (await exchange.manifest()).segments.flatMap(({ parts }) => parts.map(({ bucket, digest }) => [bucket, digest]));

describe('changes that a source tells', () => {
  test('are acknowledged after the commit only; the last of a key counts; a full refresh comes to the same bytes', async () => {
    config.transactions.push(Array.from({ length: 40 }, (_, i): Change => ['insert', i, '张三']));
    expect((await exchange.publish()).run).toMatchObject({ mode: 'changes', position: '1', changes: { inserted: 40 } });
    expect(await calls()).toEqual(['start true id 1']);

    config.transactions.push(
      [
        ['update', 3, '李四'],
        ['insert', 50, '王五'],
      ],
      [
        ['update', 3, '赵六'],
        ['delete', 4],
        ['insert', 60, '来'],
        ['delete', 60],
      ],
      [['delete', 99]],
    );
    const lost = await exchange.extract();
    expect(lost.report.incremental?.position).toBe('3');
    expect(await calls()).toEqual(['acknowledge 1']);
    // The run was killed: the same changes are told again, to the bytes.
    const second = await exchange.publish();
    expect(second.report.parts).toEqual(lost.report.parts);
    expect(second.run).toMatchObject({
      position: '3',
      account: { rowsRead: 4, rowsPublished: 4, rowsQuarantined: 0 },
      changes: { inserted: 1, updated: 1, deleted: 1, unchanged: 1, superseded: 2 },
    });
    expect(await calls()).toEqual(['acknowledge 1']);

    // More than a version takes is the next one's; what changes nothing still moves the position.
    const third = await exchange.publish();
    expect([third.outcome.outcome, third.run.position]).toEqual(['unchanged', '4']);
    expect(await calls()).toEqual(['acknowledge 3']);
    expect((await exchange.publish()).run.position).toBe('4');
    expect(await exchange.rows()).toEqual(stateAfter(config.transactions));

    const before = await digests();
    const full = await exchange.publish({ reading: { full: true } });
    expect(full.outcome).toMatchObject({ outcome: 'unchanged' });
    expect(full.report.parts.map(({ bucket, digest }) => [bucket, digest])).toEqual(before);
    expect(await calls()).toEqual(['acknowledge 4', 'start true id 4']);
  });

  test('a change that breaks the contract leaves the row of the same run; a truncated table begins from nothing', async () => {
    config.transactions.push([
      ['insert', 1, '张三'],
      ['insert', 2, '李四'],
    ]);
    await exchange.publish();
    config.transactions.push([
      ['update', 1, '新'],
      ['update', 1, '名字太长了'],
      ['insert', 7, '名字太长了'],
    ]);
    const broken = await exchange.publish({ confirm: true });
    expect(broken.outcome).toMatchObject({ outcome: 'rejected', code: 'TOLERANCE_EXCEEDED' });
    expect(broken.run.position).toBeNull();
    await exchange.define({ tolerance: { quarantinedShareMax: 1 } });
    expect((await exchange.publish()).run).toMatchObject({ position: '2', changes: { updated: 1, stale: 1 } });
    expect(await exchange.rows()).toEqual(
      new Map([
        [1, '新'],
        [2, '李四'],
      ]),
    );
    config.transactions.push([
      ['insert', 8, '空'],
      ['truncate', 0],
      ['insert', 9, '后'],
    ]);
    const emptied = await exchange.publish({ confirm: true });
    expect(emptied.run.changes).toMatchObject({ inserted: 1, vanished: 2, stale: 0 });
    expect(await exchange.rows()).toEqual(new Map([[9, '后']]));
  });

  test('a capture that lags too far, or is gone, is dropped, and everything is read again', async () => {
    config.transactions.push([['insert', 1, '张三']]);
    await exchange.publish();
    for (const lag of [{ readable: true, bytes: 2_000_000 }, { readable: false }]) {
      config.transactions.push([['insert', config.transactions.length + 1, '李四']]);
      config.lag = lag;
      await calls();
      const { run, report } = await exchange.publish();
      expect([report.incremental?.full, run.changes?.inserted]).toEqual([true, 1]);
      expect(await calls()).toEqual(['drop', `start true id ${config.transactions.length}`]);
    }
    expect(await exchange.rows()).toEqual(stateAfter(config.transactions));
    // Another mode: the source must not keep for us what nobody reads.
    await calls();
    await exchange.define({ mode: { kind: 'snapshot' } });
    expect((await exchange.publish()).run.mode).toBeNull();
    expect(await calls()).toEqual(['drop']);
    await exchange.publish();
    expect(await calls()).toEqual([]);
  });
});
