import type { CheckReport, ConnectorContext } from '../connector.ts';
import { checkWeb } from '../web-check.ts';
import type { DeltaSharingConfig } from './config.ts';
import { SharingServer } from './sharing.ts';

/** Shows the token, and counts what is shared. */
export async function check(config: DeltaSharingConfig, context: ConnectorContext): Promise<CheckReport> {
  return checkWeb('the sharing server', async () => {
    const server = new SharingServer(config, context);
    try {
      let [shares, tables] = [0, 0];
      for await (const share of server.shares()) {
        shares++;
        for await (const _ of server.tables(share)) tables++;
      }
      return {
        server: 'Delta Sharing protocol, parquet format',
        read: `${tables} tables in ${shares} shares`,
        snapshot: 'table versions never change: each run reads one',
      };
    } finally {
      server.close();
    }
  });
}
