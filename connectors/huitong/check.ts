import type { CheckReport, ConnectorContext } from '../connector.ts';
import { checkWeb } from '../web-check.ts';
import { placeOf } from '../web-errors.ts';
import type { HuitongConfig } from './config.ts';
import { openSnapshot } from './snapshot.ts';

/** Shows the token, and counts what it may read. */
export async function check(config: HuitongConfig, context: ConnectorContext): Promise<CheckReport> {
  const place = URL.canParse(config.url) ? placeOf(new URL(config.url)) : 'the exchange';
  return checkWeb(place, async () => {
    const snapshot = await openSnapshot(config, context);
    try {
      let [all, readable] = [0, 0];
      for await (const { code, currentVersion } of snapshot.far.datasets()) {
        all++;
        if (currentVersion !== null && (await snapshot.far.mayRead(code))) readable++;
      }
      return {
        server: 'Huitong API v1',
        read: `${readable} of ${all} datasets can be read`,
        snapshot: 'versions never change: each run reads one',
      };
    } finally {
      await snapshot.close();
    }
  });
}
