/** The tests of one connector: each names what it needs of the fixture, and is skipped aloud where that is lacking. */
import { beforeAll, test } from 'vitest';
import type { Connector, Snapshot } from '../connector.ts';
import type { ConformanceFact, Fidelity } from './facts.ts';
import { type Fixture, isLacking, type Lacking, type Prepared } from './fixture.ts';

/** Room for a machine that is busy with other things; a check that is about time measures it itself. */
const TIMEOUT_MS = 60_000;
const UNSAID = 'the fixture has not got it, and does not say why';

/** The fixture, with those members that a test needs. */
export type With<Config, Needed extends keyof Fixture<Config>> = Fixture<Config> & {
  [Name in Needed]-?: Exclude<Fixture<Config>[Name], Lacking | undefined>;
};

export class Suite<Config, S extends Snapshot, Partition> {
  readonly connector: Connector<Config, S, Partition>;
  private prepared: Prepared<Config> | Lacking = { lacks: 'the source was not prepared' };

  constructor(connector: Connector<Config, S, Partition>) {
    this.connector = connector;
  }

  /** Registers the source's preparation. */
  prepare(prepare: () => Promise<Prepared<Config> | Lacking>): void {
    beforeAll(async () => {
      this.prepared = await prepare();
      return async () => {
        if (!isLacking(this.prepared)) await this.prepared.close();
      };
    }, TIMEOUT_MS);
  }

  /** Undefined where there is no source. */
  get fixture(): Fixture<Config> | undefined {
    return isLacking(this.prepared) ? undefined : this.prepared.fixture;
  }

  /**
   * A test, run with the fixture. `keep` tells a reporter how well values were kept.
   * @param demanded a capability that the test is about; a connector without it is not held to it
   */
  test<Needed extends keyof Fixture<Config>>(
    name: string,
    needed: Needed[],
    body: (fixture: With<Config, Needed>, keep: (fidelity: Fidelity) => void) => Promise<void>,
    demanded: { holds: boolean; otherwise: string } = { holds: true, otherwise: '' },
  ): void {
    test(name, { timeout: TIMEOUT_MS }, async ({ skip, task }) => {
      const fact: ConformanceFact = { kind: this.connector.kind };
      task.meta.conformance = fact;
      if (!demanded.holds) skip(demanded.otherwise);
      if (isLacking(this.prepared)) skip(this.prepared.lacks);
      const { fixture } = this.prepared as Prepared<Config>;
      for (const name of needed) {
        const member: unknown = fixture[name];
        if (member === undefined) skip(`${String(name)}: ${UNSAID}`);
        if (isLacking(member)) skip(`${String(name)}: ${member.lacks}`);
      }
      await body(fixture as With<Config, Needed>, (fidelity) => {
        fact.fidelity = fidelity;
      });
    });
  }
}
