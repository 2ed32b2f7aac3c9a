/** A small exchange for tests: a catalog with one department and one dataset, a store, and a worker that stages. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Int64, Schema, Utf8 } from 'apache-arrow';
import { type Catalog, migrate, openCatalog } from '../../../catalog/database.ts';
import { schemaMessage } from '../../../columnar/message.ts';
import { commitRun } from '../../../exchange/publication/commit.ts';
import { openGeneration } from '../../../exchange/publication/generations.ts';
import type { Publication } from '../../../exchange/publication/publication.ts';
import { beginRun } from '../../../exchange/publication/runs.ts';
import { stageObject } from '../../../exchange/publication/staging.ts';
import { openFileStore } from '../../../exchange/store/file-store.ts';
import type { DatasetDefinition } from '../../../schemas/generated/dataset.ts';
import type { RunReport } from '../../../schemas/generated/run-report.ts';
import { createDatabase } from '../../support/postgres.ts';

export const DATASET = 'health.vaccinations';
export const schema = new Schema([new Field('id', new Int64()), new Field('姓名', new Utf8(), true)]);
export const arrowSchema = Buffer.from(schemaMessage(schema)).toString('base64');

const contract = {
  version: '1.0.0',
  key: ['id'],
  type: 'object',
  properties: { id: { type: 'integer' }, 姓名: { type: ['string', 'null'], maxLength: 3 } },
  required: ['id'],
};

export interface World extends Publication {
  url: string;
  directory: string;
  /** Objects that `text` gives, as one part each. */
  stage(run: OpenRun, kind: 'part' | 'quarantine' | 'report', bytes: Uint8Array | string): Promise<StagedPart>;
  begin(options?: { confirm?: boolean; trusted?: boolean }): Promise<OpenRun>;
  /** Begins, stages these parts and their report, and commits. */
  publish(parts: FakePart[], options?: PublishOptions): Promise<Awaited<ReturnType<typeof commitRun>>>;
  close(): Promise<void>;
}

export interface OpenRun {
  runId: string;
  generation: number;
}

export interface StagedPart {
  digest: string;
  sizeBytes: number;
}

/** A part is its text and the rows that it is said to have. */
export type FakePart = [text: string, rows: number];

export interface PublishOptions {
  quarantine?: FakePart[];
  confirm?: boolean;
}

export async function openWorld(definition: Partial<DatasetDefinition> = {}): Promise<World> {
  const database = await createDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'huitong-publication-'));
  const catalog = openCatalog(database.url);
  await migrate(catalog);
  await insertDataset(catalog, definition);
  const publication = { catalog, store: await openFileStore(directory) };
  const stage: World['stage'] = (run, kind, bytes) =>
    stageObject(publication, { ...run, kind, bytes: one(Buffer.from(bytes)) });
  const begin: World['begin'] = async ({ confirm, trusted = true } = {}) => {
    const runId = randomUUID();
    await beginRun(publication, { ...runRequest(runId), confirm });
    const { generation } = await openGeneration(publication, { runId, trusted, quarantineKey: 'a2V5' });
    return { runId, generation };
  };
  return {
    ...publication,
    url: database.url,
    directory,
    stage,
    begin,
    async publish(parts, options = {}) {
      const run = await begin(options);
      return commitRun(publication, { ...run, reportDigest: await stageReport(stage, run, parts, options.quarantine) });
    },
    async close() {
      await catalog.destroy();
      await database.drop();
      await rm(directory, { recursive: true });
    },
  };
}

export function runRequest(runId: string) {
  return {
    runId,
    dataset: DATASET,
    workflowId: `publish/${DATASET}`,
    trigger: 'manual' as const,
    actor: 'token:engineer',
  };
}

/** Stages the parts, then a report that tells the truth about them, changed by `lies`; gives the report's digest. */
export async function stageReport(
  stage: World['stage'],
  run: OpenRun,
  parts: FakePart[],
  quarantine: FakePart[] = [],
  lies: Partial<RunReport> = {},
): Promise<string> {
  const stageAll = (kind: 'part' | 'quarantine', list: FakePart[]) =>
    Promise.all(list.map(async ([text, rows]) => ({ ...(await stage(run, kind, text)), rows })));
  const report = makeReport(run, await stageAll('part', parts), await stageAll('quarantine', quarantine));
  return (await stage(run, 'report', JSON.stringify({ ...report, ...lies }))).digest;
}

export function makeReport(
  run: OpenRun,
  parts: RunReport['parts'],
  quarantine: RunReport['quarantine'] = [],
): RunReport {
  const count = (list: { rows: number }[]) => list.reduce((sum, part) => sum + part.rows, 0);
  return {
    format: 'huitong.run-report/1',
    ...run,
    dataset: DATASET,
    contractVersion: '1.0.0',
    arrowSchema,
    plan: { partitions: 1 },
    guarantee: 'snapshot',
    snapshotAt: '2026-03-01T00:00:00.000Z',
    rowsRead: count(parts) + count(quarantine),
    rowsPublished: count(parts),
    rowsQuarantined: count(quarantine),
    parts,
    quarantine,
    quarantinedByCode: count(quarantine) > 0 ? { PATTERN: count(quarantine) } : {},
    sums: {},
    elapsedMs: 1,
  };
}

async function insertDataset(catalog: Catalog, changes: Partial<DatasetDefinition>): Promise<void> {
  const words = { zh: '接种', en: 'Vaccinations' };
  const definition: DatasetDefinition = {
    code: DATASET,
    title: words,
    abstract: words,
    source: 'health-db',
    table: { schema: 'public', name: 'vaccination' },
    contract: 'vaccinations.contract.json',
    sharing: { class: 'unconditional' },
    openness: 'not-open',
    updateCycle: 'daily',
    securityGrade: 'general',
    worker: 'exchange',
    tolerance: { quarantinedShareMax: 0.5 },
    ...changes,
  };
  const connection = { host: 'db.health', password: 'env:HEALTH_PASSWORD' };
  const source = { code: 'health-db', department: 'health', kind: 'postgres', title: words, connection };
  const digest = 'c'.repeat(64);
  const titles = { title_zh: words.zh, title_en: words.en };
  await catalog.transaction(async (transaction) => {
    await transaction('department').insert({ code: 'health', name_zh: '卫健局', name_en: 'Health', definition: {} });
    await transaction('source').insert({
      code: 'health-db',
      department: 'health',
      kind: 'postgres',
      ...titles,
      definition: source,
    });
    await transaction('dataset').insert({
      code: DATASET,
      department: 'health',
      source: 'health-db',
      ...titles,
      definition,
      sharing_class: 'unconditional',
      contract_digest: digest,
      contract_version: '1.0.0',
      search_text: '',
    });
    await transaction('contract').insert({ dataset: DATASET, version: '1.0.0', digest, document: contract });
  });
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
