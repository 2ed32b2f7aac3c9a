import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readAtOf, readBatches } from '../../columnar/read.ts';
import type { Connector } from '../../connectors/connector.ts';
import { generateBoxKeys, openBox } from '../../lib/sealed-box.ts';
import { type ExtractProgress, extract } from '../../pipeline/extract.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import { type NumbersConfig, numbers } from './numbers-connector.ts';
import { type TestStaging, withStaging } from './staging-server.ts';

const keys = generateBoxKeys();
const batchLimits = { batchRowsMax: 100, batchBytesMax: 1 << 20, partRowsMax: 250, partBytesMax: 1 << 24 };
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'huitong-extract-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function assignmentOf(partitions = 2) {
  return {
    runId: 'run-1',
    dataset: 'health.people',
    department: 'health',
    source: { code: 'health.db', kind: 'numbers', connection: {} },
    table: { name: 'people' },
    contract: { version: '1.0.0', key: ['id'], type: 'object', properties: {} },
    plan: { partitions, controlTotals: true },
    quarantineKey: keys.publicKey,
  };
}

interface Ran {
  report: RunReport;
  staging: TestStaging;
  progress: ExtractProgress[];
}

interface RunOptions {
  signal?: AbortSignal;
  threads?: number;
  onProgress?: (progress: ExtractProgress) => void;
}

async function run(config: NumbersConfig, options: RunOptions = {}): Promise<Ran> {
  return withStaging(assignmentOf(), async (staging) => {
    const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
    const progress: ExtractProgress[] = [];
    const { report, staged } = await extract({
      session,
      connector: numbers as Connector,
      config,
      signal: options.signal ?? new AbortController().signal,
      onProgress: (one) => {
        progress.push(one);
        options.onProgress?.(one);
      },
      // A thread takes most of a second to start.
      threads: options.threads ?? 1,
      batchLimits,
      threadEntry: new URL('./thread.ts', import.meta.url),
    });
    expect(JSON.parse(staging.objects.get(staged.digest)!.bytes.toString())).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
    return { report, staging, progress };
  });
}

async function publishedIds({ report, staging }: Ran): Promise<number[]> {
  const ids: number[] = [];
  for (const part of report.parts) {
    const { bytes } = staging.objects.get(part.digest)!;
    for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) {
      ids.push(...Array.from(batch.getChild('id')!, Number));
    }
  }
  return ids;
}

async function quarantinedRows({ report, staging }: Ran): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const part of report.quarantine) {
    const file = Buffer.concat([...openBox(keys.privateKey, staging.objects.get(part.digest)!.bytes)]);
    for await (const batch of readBatches(readAtOf(file), file.byteLength)) {
      for (const row of batch)
        rows.push(JSON.parse(JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? Number(v) : v))));
    }
  }
  return rows;
}

const upTo = (rows: number) => Array.from({ length: rows }, (_, row) => row);

describe('extract', () => {
  test('good rows are parts in plan order, bad rows are sealed with their reasons, and everything adds up', async () => {
    const bad = [3, 150, 151, 799];
    const ran = await run({ partitions: [600, 0, 200], batchRows: 100, bad });
    const { report } = ran;
    expect(report).toMatchObject({
      rowsRead: 800,
      rowsPublished: 796,
      rowsQuarantined: 4,
      quarantinedByCode: { MINIMUM: 4 },
      guarantee: 'snapshot',
      generation: 1,
      contractVersion: '1.0.0',
    });
    expect(await publishedIds(ran)).toEqual(upTo(800).filter((row) => !bad.includes(row)));
    // Parts never span partitions, and are cut at 250 rows between batches.
    expect(report.parts.map((part) => [part.partition, part.rows])).toEqual([
      [0, 197],
      [0, 200],
      [0, 200],
      [2, 199],
    ]);
    const sumOfAges = upTo(800)
      .filter((row) => !bad.includes(row))
      .reduce((sum, row) => sum + (row % 90), 0);
    expect(report.sums.age).toBe(String(sumOfAges));
    expect(report.controlTotals).toEqual({ rows: 800, sums: { age: String(sumOfAges - 4) } });
    const rows = await quarantinedRows(ran);
    expect(rows[1]).toEqual({
      id: 150,
      姓名: '居民150',
      age: -1,
      __row: { partition: 0, ordinal: 150 },
      __key: '{"id":150}',
      __errors: '[{"pointer":"/age","code":"MINIMUM"}]',
    });
    expect(rows.map((row) => row.id)).toEqual(bad);
    const stored = Buffer.concat(report.quarantine.map((part) => ran.staging.objects.get(part.digest)!.bytes));
    expect(stored.includes('居民')).toBe(false);
  });

  test('the same rows give the same parts, with one thread or with two', async () => {
    const config = { partitions: [500, 500], batchRows: 100, bad: [7] };
    const digests = async (threads: number) => (await run(config, { threads })).report.parts.map((part) => part.digest);
    expect(await digests(2)).toEqual(await digests(1));
  });

  test('no rows: no parts, and a report with the schema', async () => {
    const { report } = await run({ partitions: [0], batchRows: 100 });
    expect(report).toMatchObject({ rowsRead: 0, parts: [], quarantine: [], sums: { age: '0', id: '0' } });
    expect(report.arrowSchema.length).toBeGreaterThan(100);
  });

  test('progress ends with every partition done', async () => {
    const { progress } = await run({ partitions: [300, 200], batchRows: 100 });
    const last = progress.at(-1)!;
    expect([last.rows, last.partitions.every(({ done }) => done), last.bytes > 5_000]).toEqual([500, true, true]);
  });
});

describe('keys', () => {
  test('duplicates across batches, parts and partitions: the first in plan order stays', async () => {
    const duplicates = { 10: 5, 105: 5, 450: 20, 451: 20, 700: 699 };
    const config = { partitions: [400, 400], batchRows: 100, keys: duplicates, bad: [450] };
    const ran = await run(config);
    expect(ran.report).toMatchObject({
      rowsRead: 800,
      rowsPublished: 795,
      quarantinedByCode: { MINIMUM: 1, DUPLICATE_KEY: 4 },
    });
    expect(await publishedIds(ran)).toEqual(upTo(800).filter((row) => !(row in duplicates)));
    const rows = (await quarantinedRows(ran)).filter((row) => String(row.__errors).includes('DUPLICATE_KEY'));
    expect(rows.map((row) => row.__row)).toEqual(
      expect.arrayContaining([10, 105, 451, 700].map((row) => ({ partition: row < 400 ? 0 : 1, ordinal: row % 400 }))),
    );
    expect(rows[0]!.__errors).toBe('[{"pointer":"","code":"DUPLICATE_KEY"}]');
    expect(ran.report.plan.keyUniqueness).toBe('checked after reading');
    // Only the parts that held duplicates were written again.
    const clean = await run({ ...config, keys: { 450: 20 } });
    const kept = clean.report.parts.filter((part) => ran.report.parts.some(({ digest }) => digest === part.digest));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(clean.report.parts.length);
  });

  test('a row that broke the contract is no rival for a good one', async () => {
    const ran = await run({ partitions: [200], batchRows: 100, keys: { 50: 7 }, bad: [7] });
    expect(ran.report.quarantinedByCode).toEqual({ MINIMUM: 1 });
    expect(await publishedIds(ran)).toContain(7);
  });

  test('a null key is quarantined as KEY_NULL', async () => {
    const ran = await run({ partitions: [200], batchRows: 100, keys: { 50: null, 60: null } });
    expect(ran.report.quarantinedByCode).toEqual({ KEY_NULL: 2 });
    expect((await quarantinedRows(ran))[0]).toMatchObject({
      __key: '{"id":null}',
      __errors: '[{"pointer":"/id","code":"KEY_NULL"}]',
    });
  });

  test('a key that the source keeps unique is not checked again; another unique column is no proof', async () => {
    const config = { partitions: [200], batchRows: 100 };
    const proved = await run({ ...config, uniqueKeys: [['姓名'], ['id']] });
    expect(proved.report.plan.keyUniqueness).toBe('kept by the source');
    const other = await run({ ...config, uniqueKeys: [['姓名'], ['id', '姓名']], keys: { 9: 8 } });
    expect(other.report.quarantinedByCode).toEqual({ DUPLICATE_KEY: 1 });
  });
});

describe('what goes wrong', () => {
  test('the source’s totals differ: RECONCILIATION_MISMATCH names the column', async () => {
    const config = { partitions: [200], batchRows: 100 };
    await expect(run({ ...config, sumError: 0 })).resolves.toBeDefined();
    await expect(run({ ...config, sumError: 1 })).rejects.toMatchObject({
      code: 'RECONCILIATION_MISMATCH',
      message: expect.stringContaining('"age"'),
    });
  });

  test('a sum that is no number cannot be compared, and the report says so', async () => {
    const { report } = await run({ partitions: [200], batchRows: 100, totalsText: 'NaN' });
    expect(report.plan.unreconciled).toEqual({ age: 'has no finite sum in the source' });
    expect(report.controlTotals).toEqual({ rows: 200, sums: {} });
  });

  test('a partition that fails for a passing reason is read again in the same snapshot', async () => {
    const log = join(directory, 'retry.log');
    const failOnce = { partition: 1, code: 'SOURCE_UNREACHABLE' as const, memory: join(directory, 'retry') };
    const ran = await run({ partitions: [300, 300], batchRows: 100, failOnce, log }, { threads: 2 });
    expect(await publishedIds(ran)).toEqual(upTo(600));
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    expect(lines.filter((line) => line === 'reader closed')).toHaveLength(3);
    expect(lines.slice(-1)).toEqual(['snapshot closed']);
    expect(lines).toContain('assertAlive');
  });

  test.each(['SNAPSHOT_LOST', 'SOURCE_AUTH'] as const)('%s ends the generation at once', async (code) => {
    const log = join(directory, `${code}.log`);
    const failOnce = { partition: 0, code, memory: join(directory, code) };
    const failed = run({ partitions: [300, 300], batchRows: 100, failOnce, log });
    await expect(failed).rejects.toMatchObject({ code });
    expect(await readFile(log, 'utf8')).toMatch(/snapshot closed\n$/);
  });

  test('cancelling closes the readers and the snapshot, and leaves no temporary file', async () => {
    const log = join(directory, 'cancel.log');
    const temporary = join(directory, 'temporary');
    await mkdir(temporary);
    vi.stubEnv('TMPDIR', temporary);
    const cancellation = new AbortController();
    let during: string[] = [];
    // Once both read: a thread takes its time to start.
    const onProgress = ({ partitions }: ExtractProgress) => {
      if (partitions.some(({ rows }) => rows === 0)) return;
      during = readdirSync(temporary);
      cancellation.abort();
    };
    // Half an hour, if nobody stopped it.
    const endless = { partitions: [2_000_000, 2_000_000], batchRows: 10, delayMs: 10, log };
    try {
      const running = run(endless, { signal: cancellation.signal, threads: 2, onProgress });
      await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    } finally {
      vi.unstubAllEnvs();
    }
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    expect(lines).toEqual(['reader closed', 'reader closed', 'snapshot closed']);
    expect(during).toEqual([expect.stringMatching(/^huitong-keys-/)]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('a newer generation fences the older one', async () => {
    await withStaging(assignmentOf(), async (staging) => {
      const client = httpStagingClient({ url: staging.url, token: 'worker-token' });
      const older = await client.openGeneration('run-1');
      await client.openGeneration('run-1');
      const job = { connector: numbers as Connector, config: { partitions: [100], batchRows: 50 }, batchLimits };
      const threadEntry = new URL('./thread.ts', import.meta.url);
      const signal = new AbortController().signal;
      await expect(extract({ ...job, session: older, signal, threadEntry })).rejects.toMatchObject({ code: 'FENCED' });
    });
  });
});
