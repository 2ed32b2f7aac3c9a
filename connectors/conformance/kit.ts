/**
 * The suite that every connector passes. In a test file: `testConnector(connector, prepare)`, where `prepare` fills a
 * real source and describes it (`fixture.ts`), or says that there is none: `{ lacks: 'MSSQL_URL is not set' }`. What a
 * connector declares in `capabilities` decides what it is held to. Needs vitest; works outside this repository too.
 */
import { describe } from 'vitest';
import type { Connector, Snapshot } from '../connector.ts';
import { testConnecting } from './check-connecting.ts';
import { testContent } from './check-content.ts';
import { testSecrets } from './check-secrets.ts';
import { testShapes } from './check-shapes.ts';
import { testStopping } from './check-stopping.ts';
import type { Lacking, Prepared } from './fixture.ts';
import { Suite } from './suite.ts';

export type { ConformanceFact, Fidelity } from './facts.ts';
export type { Fixture, Lacking, Prepared, Torture } from './fixture.ts';
export { renderCell } from './render.ts';

export function testConnector<Config, S extends Snapshot, Partition>(
  connector: Connector<Config, S, Partition>,
  prepare: () => Promise<Prepared<Config> | Lacking>,
): void {
  describe(`connector ${connector.kind}`, () => {
    const suite = new Suite(connector);
    suite.prepare(prepare);
    testSecrets(suite);
    testConnecting(suite);
    testContent(suite);
    testShapes(suite);
    testStopping(suite);
  });
}
