import type { CheckReport, ConnectorContext } from '../connector.ts';
import { checkWeb } from '../web-check.ts';
import { placeOf } from '../web-errors.ts';
import { HttpApi } from './api.ts';
import type { HttpConfig } from './config.ts';
import { firstPage } from './snapshot.ts';

/** Asks for the first page of the first table. */
export async function check(config: HttpConfig, context: ConnectorContext): Promise<CheckReport> {
  const place = URL.canParse(config.url) ? placeOf(new URL(config.url)) : 'the source';
  return checkWeb(place, async () => {
    const api = new HttpApi(config, context);
    try {
      const { table, records } = await firstPage(api, config);
      return {
        server: 'JSON over HTTP/1.1',
        read: `${records} records on the first page of ${table}`,
        snapshot: 'an API has no snapshots: versions say that records may be missing or doubled while others write',
      };
    } finally {
      api.close();
    }
  });
}
