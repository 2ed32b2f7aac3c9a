/** From a table to a published dataset without an edit, over the API and the commands, with real workers. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../exchange/access/rights.ts';
import { run } from '../cli/support.ts';
import { BAD_ROWS, DATASET, exchangeFiles, openExchange, ROWS, type TestExchange } from './exchange.ts';
import { historiesOf } from './histories.ts';
import { problemOf } from './support.ts';

let exchange: TestExchange;
let folder: string;
beforeAll(async () => {
  exchange = await openExchange();
  await exchange.apply(exchangeFiles());
  folder = await exchange.folderOf(exchangeFiles());
  await exchange.sql(`create table 病人 (病历号 text primary key, 姓名 text, 等级 text check (等级 in ('甲', '乙')), sent int);
    insert into 病人 select 'canary-' || n, '张伟' || n, (array['甲', '乙'])[1 + n % 2], n from generate_series(1, 200) n`);
});
afterAll(() => exchange.close());

async function as(department: string, ...roles: Role[]): Promise<string[]> {
  return ['--url', exchange.url, '--token', await exchange.token(department, ...roles)];
}

async function stored(): Promise<number> {
  let count = 0;
  for await (const _ of exchange.bench.world.store.list()) count++;
  return count;
}

describe('infer', () => {
  test('writes files that are applied and published without an edit; Temporal keeps nothing of the rows', async () => {
    const before = await stored();
    const inferred = await run(
      'dataset',
      'infer',
      'health-his',
      '病人',
      '--name',
      'patients',
      '--output',
      folder,
      ...(await as('health', 'engineer')),
    );
    expect(inferred).toMatchObject({ code: 0, stderr: '' });
    expect(inferred.stdout).toContain('health.patients, from all 200 rows');
    expect(inferred.stdout).toContain('key: 病历号 (kept by the source)');
    expect(await stored()).toBe(before);
    const kept = await historiesOf(exchange.temporal);
    expect(kept).toContain('病人');
    expect(kept).not.toMatch(/张伟|canary-1|甲/);

    const applied = await run('apply', folder, '--yes', ...(await as('data', 'administrator')));
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    const published = await run('publish', 'health.patients', ...(await as('health', 'engineer')));
    expect([published.code, published.stderr]).toEqual([0, expect.any(String)]);
    const read = await run('read', 'health.patients', '--format', 'jsonl', ...(await as('health', 'engineer')));
    expect(read.stdout.trim().split('\n')).toHaveLength(200);
    const again = await run(
      'dataset',
      'infer',
      'health-his',
      '病人',
      '--name',
      'patients',
      '--output',
      folder,
      ...(await as('health', 'engineer')),
    );
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--force')]);
  });

  test('is for the engineer of the source’s department', async () => {
    const body = { table: { name: '病人' } };
    const foreign = await exchange.as('police', 'engineer');
    expect(problemOf(await foreign('POST', '/sources/health-his/infer', { body })).code).toBe('NOT_FOUND');
    const officer = await exchange.as('health', 'officer');
    expect(problemOf(await officer('POST', '/sources/health-his/infer', { body })).code).toBe('FORBIDDEN');
    const engineer = await exchange.as('health', 'engineer');
    const absent = await engineer('POST', '/sources/health-his/infer', { body: { table: { name: 'absent' } } });
    expect(problemOf(absent)).toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });
});

describe('preview', () => {
  test('shows violations, sizes and first rows; no version and nothing staged is left', async () => {
    const before = await stored();
    const shown = await run('dataset', 'preview', DATASET, '--rows', '2', ...(await as('health', 'engineer')));
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(`read ${ROWS.toLocaleString('en-US')} rows (all there are; snapshot)`);
    expect(shown.stdout).toContain(`quarantine ${BAD_ROWS} (1.00 %)`);
    expect(shown.stdout).toMatch(/MINIMUM +\/余额 +10/);
    expect(shown.stdout).toContain('{"id":9007199254740993,');
    expect(await stored()).toBe(before);
    const engineer = await exchange.as('health', 'engineer');
    expect((await engineer('GET', `/datasets/${DATASET}/versions`)).json().items).toEqual([]);
    expect((await engineer('GET', `/runs?dataset=${DATASET}`)).json().items).toEqual([]);
    const kept = await historiesOf(exchange.temporal);
    expect(kept).toContain('余额');
    expect(kept).not.toContain('欧阳');
  });

  test('personal cells are masked for anyone but the engineer, and the look is in the log', async () => {
    const path = '/datasets/health.patients/preview';
    const clear = (await (await exchange.as('health', 'engineer'))('POST', path)).json();
    expect(clear.rows[0].row).toContain('张伟1');
    const masked = (await (await exchange.as('health', 'officer'))('POST', path)).json();
    expect(JSON.parse(masked.rows[0].row)).toMatchObject({ 姓名: '***', 等级: expect.stringMatching(/[甲乙]/) });
    expect(JSON.stringify(masked)).not.toContain('张伟');
    expect(masked.columns).toContainEqual({ name: '姓名', arrowType: 'Utf8', masked: true });
    expect(problemOf(await (await exchange.as('police', 'engineer'))('POST', path)).code).toBe('NOT_FOUND');
    const entries = await exchange.bench.audit.reader.entries(0, 1_000);
    const looks = entries.map(({ leaf }) => JSON.parse(leaf)).filter(({ action }) => action === 'dataset.previewed');
    expect(looks.at(-1)).toMatchObject({ object: 'dataset/health.patients', rows: 20, onBehalfOf: 'health' });
    exchange.setAuditAvailable(false);
    const unrecorded = await (await exchange.as('health', 'engineer'))('POST', path);
    exchange.setAuditAvailable(true);
    expect(problemOf(unrecorded).code).toBe('AUDIT_UNAVAILABLE');
  });

  test('files that were never applied can be tried; a contract that does not fit says where', async () => {
    const file = join(folder, 'datasets/health/patients.yaml');
    const tried = await run('dataset', 'preview', file, '--json', ...(await as('health', 'engineer')));
    expect(JSON.parse(tried.stdout)).toMatchObject({ rowsRead: 200, rowsQuarantined: 0, complete: true });
    const engineer = await exchange.as('health', 'engineer');
    const contract = { version: '1.0.0', key: ['病历号'], type: 'object', properties: { 病历号: { type: 'integer' } } };
    const body = { table: { name: '病人' }, contract };
    expect(problemOf(await engineer('POST', '/sources/health-his/preview', { body }))).toMatchObject({
      code: 'CONTRACT_MISMATCH',
    });
  });
});

describe('discover', () => {
  test('one table is printed with its keys, guarantees and comments', async () => {
    await exchange.sql(`comment on table 病人 is '病人名册'; comment on column 病人.等级 is '护理等级'`);
    const shown = await run('source', 'discover', 'health-his', '--table', '病人', ...(await as('health', 'engineer')));
    expect(shown.stdout).toContain('public.病人 · table · 病人名册');
    expect(shown.stdout).toContain('primary key (病历号)');
    expect(shown.stdout).toMatch(/等级 .*enum \["甲","乙"\] +护理等级/);
    const json = await run('source', 'discover', 'health-his', '--json', ...(await as('health', 'engineer')));
    expect(JSON.parse(json.stdout)).toContainEqual(expect.objectContaining({ name: '病人', primaryKey: ['病历号'] }));
  });
});

describe('diff', () => {
  test('tells what the next version changed, as counts and as rows', async () => {
    await exchange.sql(`update 病人 set 等级 = '乙' where sent in (2, 4); delete from 病人 where sent = 6;
      insert into 病人 values ('new-1', '王伟', '甲', 201)`);
    const engineer = await as('health', 'engineer');
    expect(await run('publish', 'health.patients', ...engineer)).toMatchObject({ code: 0 });
    const shown = await run('dataset', 'diff', 'health.patients', '1', ...engineer);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/version 1 → 2, by 病历号\nadded +1\nremoved +1\nchanged +2\nunchanged +197\n/);
    expect(shown.stdout).toMatch(/等级 +2/);
    const file = join(folder, 'difference.arrow');
    expect(await run('dataset', 'diff', 'health.patients', '1', '2', '--output', file, ...engineer)).toMatchObject({
      code: 0,
    });
    const rows = tableFromIPC(await readFile(file)).toArray();
    expect(rows.map((row) => row._change).sort()).toEqual([
      'added',
      'changed-from',
      'changed-from',
      'changed-to',
      'changed-to',
      'removed',
    ]);
    const foreign = await run('dataset', 'diff', 'health.patients', '1', '2', ...(await as('police', 'engineer')));
    expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);
    const absent = await run('dataset', 'diff', 'health.patients', '1', '9', ...engineer);
    expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);
  });
});
