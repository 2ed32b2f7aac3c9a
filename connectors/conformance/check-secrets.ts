/**
 * The canary is in the configuration and nowhere else: in no report, no plan (which is kept with the run), nothing that
 * an activity gives back (which a workflow's history keeps), no error, and in nothing that was written to a log.
 */
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect } from 'vitest';
import { isHuitongError } from '../../lib/errors.ts';
import type { Snapshot } from '../connector.ts';
import { isLacking } from './fixture.ts';
import { one, quiet, withSnapshot } from './reading.ts';
import type { Suite } from './suite.ts';

/** Listens before the other checks run, and so must be registered first. */
export function testSecrets<C, S extends Snapshot, P>(suite: Suite<C, S, P>): void {
  const { connector } = suite;
  const log = listen();

  suite.test('no report, plan or error holds a secret', ['canary'], async ({ config, canary, large, failures }) => {
    const shown: unknown[] = [await connector.check(config, quiet()), await connector.discover(config, quiet())];
    await withSnapshot(connector, config, async (snapshot) => {
      shown.push(await connector.plan(snapshot, large.request, one));
    });
    for (const failure of failures) {
      shown.push(await connector.check(failure.config, quiet()));
      const table = { table: { name: 'any' } };
      const opening = withSnapshot(connector, failure.config, (snapshot) => connector.plan(snapshot, table, one));
      const error: unknown = await opening.catch((cause: unknown) => cause);
      expect(isHuitongError(error), failure.name).toBe(true);
      shown.push(error);
    }
    expect(JSON.stringify(config)).toContain(JSON.stringify(canary).slice(1, -1));
    for (const value of shown) {
      expect(inspect(value, { depth: 12, showHidden: true, maxArrayLength: null })).not.toContain(canary);
      expect(JSON.stringify(value)).not.toContain(canary);
    }
  });

  afterAll(() => {
    const canary = suite.fixture?.canary;
    if (typeof canary === 'string' && !isLacking(canary)) expect(log.text()).not.toContain(canary);
  });
}

const consoleMethods = ['debug', 'error', 'info', 'log', 'warn'] as const;

/** Everything that this process says, from the first test to the last. */
function listen(): { text(): string } {
  const said: string[] = [];
  const restore: (() => void)[] = [];
  const warned = (warning: Error) => said.push(inspect(warning));
  beforeAll(() => {
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write;
      stream.write = function (this: typeof stream, ...given: Parameters<typeof write>) {
        said.push(String(given[0]));
        return write.apply(this, given);
      } as typeof write;
      restore.push(() => {
        stream.write = write;
      });
    }
    for (const method of consoleMethods) {
      const write = console[method];
      console[method] = (...given: unknown[]) => {
        said.push(given.map((value) => inspect(value)).join(' '));
        write(...given);
      };
      restore.push(() => {
        console[method] = write;
      });
    }
    process.on('warning', warned);
  });
  afterAll(() => {
    for (const undo of restore) undo();
    process.off('warning', warned);
  });
  return { text: () => said.join('\n') };
}
