import { type Data, makeData, RecordBatch, Struct, vectorFromArray } from 'apache-arrow';
import type { Catalog } from '../../../catalog/database.ts';
import type { Access, Alarm } from '../../../exchange/access/access.ts';
import type { Principal } from '../../../exchange/access/rights.ts';
import { type AuditLog, openAuditLog } from '../../../exchange/audit/audit-log.ts';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { generateBoxKeys } from '../../../lib/sealed-box.ts';
import type { AuditLeaf } from '../../../schemas/generated/audit-leaf.ts';
import type { DatasetDefinition } from '../../../schemas/generated/dataset.ts';
import { writePart } from '../../columnar/samples.ts';
import { newSigner } from '../audit/support.ts';
import { makeReport, openWorld, schema, type World } from '../publication/world.ts';

export interface Bench {
  world: World;
  access: Access;
  audit: AuditLog;
  alarms: Alarm[];
  /** Public half of the quarantine's key. */
  quarantineKey: string;
  /** PEM of the key that verifies the log. */
  auditKey: string;
  /** The log once more, as another server of the same exchange opens it. */
  openAudit(): Promise<AuditLog>;
  /** Publishes one version; a list of batches for each part. Gives the parts' digests. */
  publish(parts: RecordBatch[][], quarantine?: { bytes: Uint8Array; rows: number }[]): Promise<PublishedRun>;
  /** The leaves of reads and denials so far. */
  leaves(): Promise<AuditLeaf[]>;
  close(): Promise<void>;
}

interface PublishedRun {
  runId: string;
  digests: string[];
}

export async function openBench(definition: Partial<DatasetDefinition> = {}): Promise<Bench> {
  const world = await openWorld(definition);
  let note: string | undefined;
  const headStore = {
    read: async () => note,
    write: async (newest: string) => {
      note = newest;
    },
  };
  const signer = newSigner();
  const openAudit = () => openAuditLog({ url: world.url, signer, headStore });
  const audit = await openAudit();
  const alarms: Alarm[] = [];
  const keys = generateBoxKeys();
  return {
    world,
    audit,
    openAudit,
    alarms,
    quarantineKey: keys.publicKey,
    auditKey: signer.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    access: {
      publication: world,
      audit,
      subjectKey: Buffer.alloc(32, 7),
      quarantinePrivateKey: keys.privateKey,
      onAlarm: (alarm) => alarms.push(alarm),
    },
    async publish(parts, quarantine = []) {
      const run = await world.begin();
      const staged = [];
      for (const batches of parts) {
        const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0);
        staged.push({ ...(await world.stage(run, 'part', writePart(batches))), rows });
      }
      const sealed = [];
      for (const { bytes, rows } of quarantine) sealed.push({ ...(await world.stage(run, 'quarantine', bytes)), rows });
      const report = await world.stage(run, 'report', JSON.stringify(makeReport(run, staged, sealed)));
      await commitRun(world, { ...run, reportDigest: report.digest });
      return { runId: run.runId, digests: staged.map(({ digest }) => digest) };
    },
    async leaves() {
      const entries = await audit.reader.entries(0, 1_000);
      return entries
        .map(({ leaf }) => JSON.parse(leaf) as AuditLeaf)
        .filter(({ action }) => /^(dataset|quarantine)\.read/.test(action));
    },
    async close() {
      await audit.close();
      await world.close();
    },
  };
}

/** Rows of the world's dataset. */
export function batchOf(rows: [id: bigint, name: string | null][]): RecordBatch {
  const columns = [
    vectorFromArray(
      rows.map(([id]) => id),
      schema.fields[0]!.type,
    ),
    vectorFromArray(
      rows.map(([, name]) => name),
      schema.fields[1]!.type,
    ),
  ];
  const children = columns.map((column) => column.data[0] as Data);
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children }),
  );
}

/** Lets a grant's time be over. What it says never changes, except behind the back of the trigger that sees to that. */
export async function letExpire(catalog: Catalog, id: string): Promise<void> {
  await catalog.transaction(async (transaction) => {
    await transaction.raw('alter table access_grant disable trigger user');
    await transaction('access_grant').where({ id }).update({ expires_at: transaction.fn.now() });
    await transaction.raw('alter table access_grant enable trigger user');
  });
}

export function principal(department: string, ...roles: Principal['roles']): Principal {
  return { tokenId: `t-${department}`, department, subject: '张三', roles: roles.length > 0 ? roles : ['officer'] };
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
