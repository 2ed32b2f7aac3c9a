/** The change feed over HTTP and the command line: formats, headers, the version to go on from, and its receipt. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../cli/support.ts';
import { batchOf } from '../exchange/access/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { type Caller, openServer, problemOf, type TestServer } from './support.ts';

const changes = `/datasets/${DATASET}/changes`;

let server: TestServer;
let folder: string;
let officer: Caller;
beforeAll(async () => {
  server = await openServer();
  folder = await mkdtemp(join(tmpdir(), 'huitong-changes-http-'));
  officer = await server.as('traffic', 'officer');
  await server.bench.publish([
    [
      batchOf([
        [1n, '王'],
        [2n, '李'],
      ]),
    ],
  ]);
  await server.bench.publish([
    [
      batchOf([
        [2n, '李四'],
        [3n, null],
      ]),
    ],
  ]);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test('the same rows in each format, with the version to go on from', async () => {
  const arrow = await officer('GET', `${changes}?since=1`);
  expect(arrow.headers).toMatchObject({
    'content-type': 'application/vnd.apache.arrow.stream',
    'x-huitong-version': '2',
    'x-huitong-grant': 'implicit:unconditional',
    'x-huitong-audit-index': expect.stringMatching(/^\d+$/),
  });
  const table = tableFromIPC(arrow.rawPayload);
  expect(
    table
      .toArray()
      .map((row) => JSON.stringify(row.toJSON(), (_, cell) => (typeof cell === 'bigint' ? Number(cell) : cell))),
  ).toEqual(expected);
  const lines = await officer('GET', `${changes}?since=1&until=2`, { headers: { accept: 'application/jsonl' } });
  expect(lines.headers['content-type']).toBe('application/jsonl');
  expect(lines.body.trim().split('\n')).toEqual(expected);
  const none = await officer('GET', `${changes}?since=2`, { headers: { accept: 'text/csv' } });
  expect([none.statusCode, none.body, none.headers['x-huitong-version']]).toEqual([200, '_change,id,姓名\r\n', '2']);
});

const expected = [
  '{"_change":"delete","id":1,"姓名":"王"}',
  '{"_change":"insert","id":3,"姓名":null}',
  '{"_change":"update_preimage","id":2,"姓名":"李"}',
  '{"_change":"update_postimage","id":2,"姓名":"李四"}',
];

test('what is refused is said: no version, a later one, a format that there is not, a dataset that is not there', async () => {
  const refusals = [
    [changes, {}, 'REQUEST_INVALID'],
    [`${changes}?since=3`, {}, 'REQUEST_INVALID'],
    [`${changes}?since=1`, { accept: 'application/vnd.apache.parquet' }, 'NOT_ACCEPTABLE'],
    ['/datasets/health.nothing/changes?since=1', {}, 'NOT_FOUND'],
  ] as const;
  for (const [path, headers, code] of refusals) {
    expect(problemOf(await officer('GET', path, { headers })).code).toBe(code);
  }
});

test('the command prints the rows, keeps the receipt, and says from where to go on', async () => {
  const who = ['--url', await server.listen(), '--token', await server.token('traffic', 'officer')];
  const receipt = join(folder, 'receipt.json');
  const printed = await run('changes', DATASET, '--since', '1', '--receipt', receipt, ...who);
  expect(printed).toMatchObject({ code: 0, stderr: 'next: --since 2\n' });
  expect(printed.stdout.trim().split('\n')).toEqual(expected);
  expect(await readFile(receipt, 'utf8')).toContain('dataset.changes.opened');
  expect((await run('changes', DATASET, '--since', '1', '--format', 'parquet', ...who)).code).toBe(2);
});
