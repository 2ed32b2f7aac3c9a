/** A bucket of a real S3 server (versitygw): what a department's files in S3 are read as, and how they fail. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FilesConfig } from '../../../connectors/files/config.ts';
import { files } from '../../../connectors/files/index.ts';
import { findS3Server, type RunningS3, startS3 } from '../../support/s3.ts';
import { context, readPlan, readTable } from './support.ts';

const server = findS3Server();

describe.skipIf(server === undefined)(`files in S3 ${server === undefined ? '(versitygw is not there)' : ''}`, () => {
  let s3: RunningS3;
  let config: FilesConfig;

  beforeAll(async () => {
    s3 = await startS3(server ?? '');
    const { bucket, region, endpoint, credentials } = s3.options;
    await mkdir(join(s3.bucketFolder, '卫健', '2024'), { recursive: true });
    await writeFile(join(s3.bucketFolder, '卫健', '2024', '接种.csv'), '编号,姓名\n007,张三\n');
    await writeFile(join(s3.bucketFolder, '卫健', 'a.jsonl'), '{"id":1}\n{"id":2}\n');
    await writeFile(join(s3.bucketFolder, 'other.csv'), 'x\n1\n');
    config = { s3: { bucket, prefix: '卫健', region, endpoint, ...credentials! } };
  });
  afterAll(() => s3?.stop());

  test('every file below the prefix, and none beside it', async () => {
    const tables = await files.discover(config, context);
    expect(tables.map(({ name }) => name)).toEqual(['2024/接种.csv', 'a.jsonl']);
    expect((await readTable(config, '2024/接种.csv')).rows).toEqual([['007', '张三']]);
    expect((await readTable(config, 'a.jsonl')).rows).toEqual([['1'], ['2']]);
    expect(await files.check(config, context)).toMatchObject({ ok: true });
  });

  test('an object that was put again since the run began is SNAPSHOT_LOST', async () => {
    const snapshot = await files.openSnapshot(config, context);
    const plan = await files.plan(snapshot, { table: { name: 'a.jsonl' } }, { partitions: 1 });
    expect((await readPlan(config, plan)).rows).toHaveLength(2);
    await writeFile(join(s3.bucketFolder, '卫健', 'a.jsonl'), '{"id":1}\n{"id":2}\n{"id":3}\n');
    await expect(readPlan(config, plan)).rejects.toMatchObject({ code: 'SNAPSHOT_LOST' });
    await snapshot.close();
  });

  test('a wrong key, a missing bucket and no server are coded, and tell no secret', async () => {
    const canary = 'canary-2f6c1d';
    const place = config.s3!;
    const cases: [FilesConfig, string][] = [
      [{ s3: { ...place, secretAccessKey: canary } }, 'SOURCE_AUTH'],
      [{ s3: { ...place, bucket: 'nowhere' } }, 'SOURCE_DATABASE_MISSING'],
      [{ s3: { ...place, secretAccessKey: canary, endpoint: 'http://127.0.0.1:1' } }, 'SOURCE_UNREACHABLE'],
    ];
    for (const [wrong, code] of cases) {
      const report = await files.check(wrong, context);
      expect(report.steps.at(-1)).toMatchObject({ ok: false, code });
      const error: unknown = await files.openSnapshot(wrong, context).catch((e: unknown) => e);
      expect(error).toMatchObject({ code });
      expect(inspect([report, error], { depth: 9, showHidden: true })).not.toContain(canary);
    }
  });
});
