import { generateKeyPairSync } from 'node:crypto';
import pg from 'pg';
import { migrate, openCatalog } from '../../../catalog/database.ts';
import { type AuditLog, openAuditLog } from '../../../exchange/audit/audit-log.ts';
import type { HeadStore } from '../../../exchange/audit/head-store.ts';
import type { LeafInput } from '../../../exchange/audit/leaf.ts';
import type { AuditEvent } from '../../../exchange/audit/sequencer.ts';
import { createHeadSigner, type HeadSigner } from '../../../exchange/audit/signer.ts';
import { withDatabase } from '../../support/postgres.ts';

export interface LogBench {
  url: string;
  signer: HeadSigner;
  headStore: HeadStore & { note: string | undefined };
  events: AuditEvent[];
  /** Opens a log; every one is closed at the end. */
  open(): Promise<AuditLog>;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
}

export async function withLog<T>(body: (bench: LogBench) => Promise<T>): Promise<T> {
  return withDatabase(async (url) => {
    const catalog = openCatalog(url);
    await migrate(catalog);
    await catalog.destroy();
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    // `pool.end()` does not wait for the server: dropping the database may still find a session of it.
    pool.on('error', () => {});
    const logs: AuditLog[] = [];
    const events: AuditEvent[] = [];
    const signer = newSigner();
    const headStore = memoryHeadStore();
    try {
      return await body({
        url,
        signer,
        headStore,
        events,
        async open() {
          const log = await openAuditLog({ url, signer, headStore, onEvent: (event) => events.push(event) });
          logs.push(log);
          return log;
        },
        sql: async (text, values) => (await pool.query(text, values)).rows,
      });
    } finally {
      for (const log of logs) await log.close();
      await pool.end();
    }
  });
}

export function newSigner(origin = 'huitong.test/log'): HeadSigner {
  const { privateKey } = generateKeyPairSync('ed25519');
  return createHeadSigner({ origin, privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() });
}

function memoryHeadStore(): LogBench['headStore'] {
  return {
    note: undefined,
    async read() {
      return this.note;
    },
    async write(note) {
      this.note = note;
    },
  };
}

export function leaf(n: number): LeafInput {
  return { actor: 'token:t1', action: 'dataset.opened', object: `dataset/d/version/${n}`, decision: 'allow', rows: n };
}
