/** An exchange with one published dataset of residents, for measuring reads: catalog, store and log as they are. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DateDay, Field, Float64, Int64, makeData, RecordBatch, Schema, Struct, Utf8 } from 'apache-arrow';
import { migrate, openCatalog } from '../catalog/database.ts';
import { schemaMessage } from '../columnar/message.ts';
import { BodyBuffers, PartWriter } from '../columnar/write.ts';
import type { Access } from '../exchange/access/access.ts';
import { type AuditLog, openAuditLog } from '../exchange/audit/audit-log.ts';
import { createHeadSigner } from '../exchange/audit/signer.ts';
import { commitRun } from '../exchange/publication/commit.ts';
import { openGeneration } from '../exchange/publication/generations.ts';
import { beginRun } from '../exchange/publication/runs.ts';
import { stageObject } from '../exchange/publication/staging.ts';
import { openFileStore } from '../exchange/store/file-store.ts';
import { startPostgres } from '../runtime/embedded/postgres.ts';

export const DATASET = 'health.residents';
export const schema = new Schema([
  new Field('id', new Int64()),
  new Field('name', new Utf8()),
  new Field('id_no', new Utf8()),
  new Field('amount', new Float64()),
  new Field('day', new DateDay()),
]);
const BATCH_ROWS = 65_536;
const BATCHES_A_PART = 8;

export interface ReadWorld {
  access: Access;
  audit: AuditLog;
  /** Of the catalog's database. */
  url: string;
  store: string;
  digests: string[];
  rows: number;
  bytes: number;
  close(): Promise<void>;
}

export async function openReadWorld(directory: string, batches: number): Promise<ReadWorld> {
  const postgres = await startPostgres({ directory: join(directory, 'postgres') });
  const url = await postgres.database('huitong');
  const catalog = openCatalog(url);
  await migrate(catalog);
  await insertDataset(catalog);
  const store = join(directory, 'store');
  const publication = { catalog, store: await openFileStore(store) };
  const { privateKey } = generateKeyPairSync('ed25519');
  const privateKeyPem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  let head: string | undefined;
  const audit = await openAuditLog({
    url,
    signer: createHeadSigner({ origin: 'bench', privateKeyPem }),
    headStore: {
      read: async () => head,
      write: async (newest: string) => {
        head = newest;
      },
    },
  });
  const parts = await publish(publication, batches);
  return {
    access: {
      publication,
      audit,
      subjectKey: Buffer.alloc(32, 7),
      quarantinePrivateKey: '',
      onAlarm: (alarm) => console.error(alarm),
    },
    audit,
    url,
    store,
    digests: parts.map(({ digest }) => digest),
    rows: batches * BATCH_ROWS,
    bytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    async close() {
      await audit.close();
      await catalog.destroy();
      await postgres.stop();
    },
  };
}

async function publish(publication: Access['publication'], batches: number) {
  const runId = randomUUID();
  const run = { runId, dataset: DATASET, workflowId: `publish/${DATASET}`, trigger: 'manual' as const, actor: 'bench' };
  await beginRun(publication, run);
  const { generation } = await openGeneration(publication, { runId, trusted: true, quarantineKey: 'a2V5' });
  const parts = [];
  for (let first = 0; first < batches; first += BATCHES_A_PART) {
    const count = Math.min(BATCHES_A_PART, batches - first);
    const staged = await stageObject(publication, { runId, generation, kind: 'part', bytes: partOf(first, count) });
    parts.push({ ...staged, rows: count * BATCH_ROWS });
  }
  const rows = batches * BATCH_ROWS;
  const report = {
    format: 'huitong.run-report/1',
    runId,
    generation,
    dataset: DATASET,
    contractVersion: '1.0.0',
    arrowSchema: Buffer.from(schemaMessage(schema)).toString('base64'),
    plan: { partitions: 1 },
    guarantee: 'snapshot',
    snapshotAt: '2026-03-01T00:00:00.000Z',
    rowsRead: rows,
    rowsPublished: rows,
    rowsQuarantined: 0,
    parts,
    quarantine: [],
    quarantinedByCode: {},
    sums: {},
    elapsedMs: 1,
  };
  const bytes = (async function* () {
    yield Buffer.from(JSON.stringify(report));
  })();
  const { digest } = await stageObject(publication, { runId, generation, kind: 'report', bytes });
  await commitRun(publication, { runId, generation, reportDigest: digest });
  return parts;
}

const writerBuffers = new BodyBuffers();

async function* partOf(first: number, count: number): AsyncGenerator<Uint8Array> {
  const writer = new PartWriter(schema, writerBuffers);
  yield* writer.start();
  for (let i = 0; i < count; i++) yield* writer.batch(residents(first + i));
  yield* writer.end();
}

/** The same on every run. */
function residents(batch: number): RecordBatch {
  let seed = batch + 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const surnames = ['张', '王', '李', '欧阳', '陈'];
  const given = ['三', '四', '丽华', '建国', '娜娜', '伟'];
  const digits = (count: number) => String(random(10 ** count)).padStart(count, '0');
  const length = BATCH_ROWS;
  const ids = BigInt64Array.from({ length }, (_, i) => BigInt(batch * BATCH_ROWS + i));
  const children = [
    makeData({ type: new Int64(), length, data: ids }),
    textData(length, () => `${surnames[random(5)]}${given[random(6)]}`),
    textData(length, () => `4403${digits(2)}19${digits(2)}${digits(4)}${digits(4)}`),
    makeData({ type: new Float64(), length, data: Float64Array.from({ length }, () => random(1_000_000) / 100) }),
    makeData({ type: new DateDay(), length, data: Int32Array.from({ length }, () => random(20_000)) }),
  ];
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }));
}

function textData(length: number, make: () => string) {
  const texts = Array.from({ length }, () => Buffer.from(make()));
  const valueOffsets = new Int32Array(length + 1);
  texts.forEach((text, i) => {
    valueOffsets[i + 1] = valueOffsets[i]! + text.length;
  });
  return makeData({ type: new Utf8(), length, valueOffsets, data: new Uint8Array(Buffer.concat(texts)) });
}

async function insertDataset(catalog: ReturnType<typeof openCatalog>): Promise<void> {
  const words = { title_zh: '居民', title_en: 'Residents' };
  const digest = 'c'.repeat(64);
  for (const code of ['health', 'police']) {
    await catalog('department').insert({ code, name_zh: code, name_en: code, definition: {} });
  }
  await catalog('source').insert({
    code: 'db',
    department: 'health',
    kind: 'postgres',
    ...words,
    definition: { connection: {} },
  });
  const title = { zh: '居民', en: 'Residents' };
  const sharing = { class: 'conditional' };
  const table = { schema: 'public', name: 'resident' };
  const definition = { code: DATASET, title, abstract: title, source: 'db', sharing, worker: 'exchange', table };
  const properties = Object.fromEntries(schema.fields.map(({ name }) => [name, {}]));
  await catalog.transaction(async (transaction) => {
    await transaction('dataset').insert({
      code: DATASET,
      department: 'health',
      source: 'db',
      ...words,
      definition,
      sharing_class: 'conditional',
      contract_digest: digest,
      contract_version: '1.0.0',
      search_text: '',
    });
    const document = { version: '1.0.0', key: ['id'], type: 'object', properties };
    await transaction('contract').insert({ dataset: DATASET, version: '1.0.0', digest, document });
  });
}
