/** A whole exchange in one process: the API on a port, real workers, and the database of a department. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from '@temporalio/worker';
import pg from 'pg';
import { createExchangeActivities } from '../../activities/exchange/index.ts';
import { createSourceActivities } from '../../activities/source/index.ts';
import type { DistrictFiles } from '../../catalog/district/district.ts';
import { exchangeQueue, sourceQueue } from '../../lib/pure/task-queues.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import { resolveSecret } from '../../runtime/secrets.ts';
import { districtFiles } from '../catalog/support.ts';
import { createDatabase } from '../support/postgres.ts';
import { openServer, type TestServer } from './support.ts';

export const DATASET = 'health.people';
/** Rows of the table; every hundredth breaks its contract. */
export const ROWS = 1_000;
export const BAD_ROWS = 10;

export interface TestExchange extends TestServer {
  url: string;
  /** The department's database. */
  sql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]>;
  /** What secret references of the department's worker resolve to. */
  secrets: Record<string, string>;
  /** The one folder that the department's worker may read files from. */
  sourceFolder: string;
  /** Applies these definitions over the API. */
  apply(files: DistrictFiles): Promise<void>;
  /** These definitions in a folder of their own, until the exchange is closed. */
  folderOf(files: DistrictFiles): Promise<string>;
}

export async function openExchange(): Promise<TestExchange> {
  const server = await openServer();
  await server.bench.world.catalog.raw('truncate department, source, dataset, contract, district_apply cascade');
  const url = await server.listen();
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  pool.on('error', () => {});
  await pool.query(TABLE);
  const secrets: Record<string, string> = { HEALTH_URL: database.url };
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'huitong-exchange-')));
  const sourceFolder = join(folder, 'source');
  await mkdir(sourceFolder);
  const stopWorkers = await startWorkers(server, url, secrets, sourceFolder);
  let folders = 0;
  return {
    ...server,
    url,
    secrets,
    sourceFolder,
    sql: async (text) => (await pool.query(text)).rows,
    async apply(files) {
      const administrator = await server.as('data', 'administrator');
      const plan = (await administrator('POST', '/district/plan', { body: { files } })).json();
      const applied = await administrator('POST', '/district/apply', { body: { files, planDigest: plan.digest } });
      if (applied.statusCode !== 200) throw new Error(applied.body);
    },
    async folderOf(files) {
      const own = join(folder, String(++folders));
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(own, path)), { recursive: true });
        await writeFile(join(own, path), text);
      }
      return own;
    },
    async close() {
      await stopWorkers();
      await server.close();
      await pool.end();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}

async function startWorkers(
  { bench, nativeConnection: connection, temporal, token }: TestServer,
  url: string,
  secrets: Record<string, string>,
  sourceFolder: string,
): Promise<() => Promise<void>> {
  const common = { connection, namespace: temporal.options.namespace, maxHeartbeatThrottleInterval: 100 };
  const exchange = await Worker.create({
    ...common,
    taskQueue: exchangeQueue,
    workflowsPath: join(import.meta.dirname, '../../workflows/index.ts'),
    activities: createExchangeActivities({ publication: bench.world }),
  });
  const source = await Worker.create({
    ...common,
    taskQueue: sourceQueue('health'),
    activities: createSourceActivities({
      staging: httpStagingClient({ url, token: await token('health', 'worker') }),
      resolveSecret: (reference, at) => resolveSecret(reference, at, secrets),
      threads: 1,
      loopbackAllowed: true,
      sourceFolders: [sourceFolder],
    }),
  });
  const running = [exchange.run(), source.run()];
  return async () => {
    exchange.shutdown();
    source.shutdown();
    await Promise.all(running);
  };
}

/** One department, one source, one dataset. */
export function exchangeFiles(): DistrictFiles {
  const files = districtFiles();
  return {
    'district.yaml': files['district.yaml']!,
    'policy.yaml': files['policy.yaml']!,
    'departments.yaml': files['departments.yaml']!,
    'sources/health-his.yaml': files['sources/health-his.yaml']!,
    'datasets/health/people.yaml': `code: ${DATASET}
title: { zh: 人口, en: People }
abstract: { zh: 人口基本信息, en: Register of people }
source: health-his
table: { name: 人口 }
contract: people.contract.json
sharing: { class: unconditional }
openness: open
updateCycle: monthly
securityGrade: general
partitions: 1
`,
    'datasets/health/people.contract.json': JSON.stringify(contract, null, 2),
  };
}

const nullable = (...types: string[]) => [...types, 'null'];
const contract = {
  version: '1.0.0',
  key: ['id'],
  type: 'object',
  properties: {
    id: { type: 'integer' },
    姓名: { type: nullable('string'), maxLength: 8 },
    余额: { type: nullable('number'), minimum: 0 },
    出生日期: { type: nullable('string'), format: 'date' },
    更新时间: { type: 'string', format: 'date-time' },
    备注: { type: nullable('string') },
  },
  required: ['id'],
};

const TABLE = `
  create table "人口" (id bigint primary key, "姓名" text, "余额" numeric(14,2), "出生日期" date,
                       "更新时间" timestamptz not null, "备注" text);
  insert into "人口"
  select 9007199254740992 + n, case when n % 7 = 0 then null else '欧阳' || chr(20000 + n) end,
         case when n % 100 = 0 then -1 when n % 11 = 0 then null else n * 1234567.89 end,
         case when n % 13 = 0 then null else date '1900-01-01' + n * 40 end,
         timestamptz '2026-03-01 00:00:00.123456+08' + n * interval '1.000001 second',
         case when n % 5 = 0 then '引号"，逗号,换行' || chr(10) || '第二行' when n % 5 = 1 then '' else null end
  from generate_series(1, ${ROWS}) n`;
