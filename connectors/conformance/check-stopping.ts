/** Whoever stops is heard: by the reader, by the snapshot, and by the source. */
import { expect } from 'vitest';
import type { Snapshot } from '../connector.ts';
import { eventually, failureOf, one, quiet, readPlan, withSnapshot } from './reading.ts';
import type { Suite } from './suite.ts';

export function testStopping<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;

  suite.test(
    'cancellation ends the read and the work in the source',
    ['slow', 'busyStatements'],
    async ({ slow, config, busyStatements }) => {
      await withSnapshot(connector, config, async (snapshot) => {
        const plan = await connector.plan(snapshot, slow, one);
        const canceller = new AbortController();
        const reading = failureOf(readPlan(connector, config, plan, () => {}, {}, canceller.signal));
        await eventually(async () => (await busyStatements()) > 0);
        canceller.abort();
        expect((await reading).code).toBe('CANCELLED');
        // Of a table whose reading takes minutes.
        await eventually(async () => (await busyStatements()) === 0);
      });
    },
  );

  suite.test('who is cancelled already begins nothing', ['large'], async ({ config, large }) => {
    const ended = quiet(AbortSignal.abort());
    expect((await failureOf(connector.openSnapshot(config, ended))).code).toBe('CANCELLED');
    await withSnapshot(connector, config, async (snapshot) => {
      const plan = await connector.plan(snapshot, large.request, one);
      expect((await failureOf(readPlan(connector, config, plan, () => {}, {}, ended.signal))).code).toBe('CANCELLED');
    });
  });

  suite.test('a snapshot closes itself when its owner is cancelled', [], async ({ config }) => {
    const owner = new AbortController();
    const snapshot = await connector.openSnapshot(config, quiet(owner.signal));
    await snapshot.assertAlive();
    owner.abort();
    expect(['SNAPSHOT_LOST', 'CANCELLED']).toContain((await failureOf(snapshot.assertAlive())).code);
    await snapshot.close();
  });
}
