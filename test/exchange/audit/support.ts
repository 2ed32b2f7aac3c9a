import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { migrate, openCatalog } from '../../../catalog/database.ts';
import { type AuditLog, type AuditLogOptions, openAuditLog } from '../../../exchange/audit/audit-log.ts';
import type { HeadStore } from '../../../exchange/audit/head-store.ts';
import type { LeafInput } from '../../../exchange/audit/leaf.ts';
import type { AuditEvent } from '../../../exchange/audit/sequencer.ts';
import { createHeadSigner, type HeadSigner } from '../../../exchange/audit/signer.ts';
import type { Appended } from '../../../exchange/audit/tenure.ts';
import { isHuitongError } from '../../../lib/errors.ts';
import { withDatabase } from '../../support/postgres.ts';

export interface LogBench {
  url: string;
  signer: HeadSigner;
  headStore: HeadStore & { note: string | undefined };
  events: AuditEvent[];
  /** Opens a log, as one more server of the exchange; every one is closed at the end. */
  open(more?: Partial<AuditLogOptions>): Promise<AuditLog>;
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
        async open(more = {}) {
          const onEvent = (event: AuditEvent) => events.push(event);
          const log = await openAuditLog({ url, signer, headStore, onEvent, ...more });
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

/** Tries until the log is written again: a leaf that was refused may or may not be in it. */
export async function appendedSoon(log: AuditLog, input: LeafInput): Promise<Appended> {
  for (;;) {
    try {
      return await log.append(input);
    } catch (e: unknown) {
      if (!isHuitongError(e, 'AUDIT_UNAVAILABLE')) throw e;
      await sleep(20);
    }
  }
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
