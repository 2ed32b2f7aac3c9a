/** Files as a source through the whole exchange: uploaded or in a folder, inferred, applied, published, read. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../exchange/access/rights.ts';
import { collect } from '../../exchange/publication/collect.ts';
import { beginRun, failRun } from '../../exchange/publication/runs.ts';
import { assertUploadName } from '../../exchange/publication/uploads.ts';
import { readWhole } from '../../exchange/store/read-whole.ts';
import { limits } from '../../lib/limits.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import { run } from '../cli/support.ts';
import { pythonLacks, runPython } from '../support/python.ts';
import { exchangeFiles, openExchange, type TestExchange } from './exchange.ts';
import { problemOf } from './support.ts';

const SOURCE = 'health-ledger';
/** 编号,姓名 / 001,张三 / 002,李四 in GBK. */
const GBK = Buffer.from(
  '\xb1\xe0\xba\xc5,\xd0\xd5\xc3\xfb\r\n001,\xd5\xc5\xc8\xfd\r\n002,\xc0\xee\xcb\xc4\r\n',
  'latin1',
);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let exchange: TestExchange;
let folder: string;
beforeAll(async () => {
  exchange = await openExchange();
  const files = { ...exchangeFiles(), ...sources() };
  await exchange.apply(files);
  folder = await exchange.folderOf(files);
});
afterAll(() => exchange.close());

function sources(): Record<string, string> {
  const source = (code: string, connection: string) => `code: ${code}
department: health
kind: files
title: { zh: 台账, en: Ledger }
connection:
  ${connection}
  tables:
    名册: { files: '名册*.csv', encoding: gbk }
`;
  return {
    [`sources/${SOURCE}.yaml`]: source(SOURCE, 'upload: true'),
    'sources/health-folder.yaml': source('health-folder', `folder: ${exchange.sourceFolder}/ledger`),
  };
}

async function as(department: string, ...roles: Role[]): Promise<string[]> {
  return ['--url', exchange.url, '--token', await exchange.token(department, ...roles)];
}

/** One upload over the API. */
async function upload(name: string, bytes: Uint8Array, more: { digest?: string; token?: string } = {}) {
  const query = new URLSearchParams({ name, ...(more.digest && { digest: more.digest }) });
  return exchange.app.inject({
    method: 'POST',
    url: `/v1/sources/${SOURCE}/uploads?${query}`,
    headers: {
      authorization: `Bearer ${more.token ?? (await exchange.token('health', 'engineer'))}`,
      'content-type': 'application/octet-stream',
    },
    payload: Buffer.from(bytes),
  });
}

async function current(): Promise<{ id: string; name: string; digest: string; state: string }[]> {
  const engineer = await exchange.as('health', 'engineer');
  return (await engineer('GET', `/sources/${SOURCE}/uploads?current=true`)).json().items;
}

/** Infers, applies, publishes and reads as CSV what a source's table holds. */
async function publish(source: string, table: string, name: string): Promise<string> {
  const engineer = await as('health', 'engineer');
  const inferred = await run(
    'dataset',
    'infer',
    source,
    table,
    '--name',
    name,
    '--key',
    '编号',
    '--output',
    folder,
    ...engineer,
  );
  expect([inferred.code, inferred.stderr]).toEqual([0, '']);
  const applied = await run('apply', folder, '--yes', ...(await as('data', 'administrator')));
  expect([applied.code, applied.stderr]).toEqual([0, '']);
  return publishAgain(name);
}

async function publishAgain(name: string): Promise<string> {
  const engineer = await as('health', 'engineer');
  const published = await run('publish', `health.${name}`, ...engineer);
  expect([published.code, published.stdout]).toEqual([0, expect.any(String)]);
  const read = await run('read', `health.${name}`, '--format', 'csv', ...engineer);
  expect(read.code).toBe(0);
  return read.stdout.replaceAll('\r', '');
}

async function leftFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('huitong-uploads-'));
}

describe('through the whole exchange', () => {
  test('a CSV file in GBK: uploaded by the command, inferred, applied, published and read', async () => {
    const path = join(exchange.sourceFolder, '名册.csv');
    await writeFile(path, GBK);
    const before = await leftFolders();
    const sent = await run('source', 'upload', SOURCE, path, ...(await as('health', 'engineer')));
    expect([sent.code, sent.stderr]).toEqual([0, '']);
    expect(sent.stdout).toContain(sha256(GBK));
    const checked = await run('source', 'check', SOURCE, ...(await as('health', 'engineer')));
    expect(checked).toMatchObject({ code: 0 });
    expect(await publish(SOURCE, '名册', 'roll')).toBe('编号,姓名\n001,张三\n002,李四\n');
    const listed = await run('source', 'uploads', SOURCE, ...(await as('health', 'engineer')));
    expect(listed.stdout).toContain('名册.csv');
    expect(await leftFolders()).toEqual(before);
  });

  test('the version tells the digests of the files that it was made from', async () => {
    const { catalog, store } = exchange.bench.world;
    const row = await catalog('run')
      .where({ dataset: 'health.roll', state: 'published' })
      .first<{ report_digest: string }>();
    const report = JSON.parse((await readWhole(await store.read(row.report_digest))).toString());
    expect(report.plan.source.uploads).toEqual([{ name: '名册.csv', digest: sha256(GBK) }]);
    expect(JSON.stringify(report)).not.toContain(tmpdir());
  });

  test('another file of the name gives another version, the same one again none', async () => {
    const next = Buffer.concat([GBK, Buffer.from('003,\xcd\xf5\xce\xe5\r\n', 'latin1')]);
    expect((await upload('名册.csv', next)).statusCode).toBe(201);
    expect(await publishAgain('roll')).toBe('编号,姓名\n001,张三\n002,李四\n003,王五\n');
    const [first] = await current();
    expect((await upload('名册.csv', next)).json()).toMatchObject({ id: first!.id, state: 'current' });
    await publishAgain('roll');
    const engineer = await exchange.as('health', 'engineer');
    expect((await engineer('GET', '/datasets/health.roll/versions')).json().items).toHaveLength(2);
    const all = (await engineer('GET', `/sources/${SOURCE}/uploads`)).json().items;
    expect(all.map(({ state }: { state: string }) => state)).toEqual(['current', 'replaced']);
  });

  const lacks = pythonLacks('zipfile');
  test.skipIf(lacks)(
    `an XLSX workbook ${lacks ?? ''}`,
    async () => {
      const path = join(exchange.sourceFolder, '台账.xlsx');
      await runPython(
        `import sys, zipfile
main, rels = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main', 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
package = 'http://schemas.openxmlformats.org/package/2006/'
table = [('编号', '设备'), ('A1', '摄像头'), ('A2', '门禁')]
cell = lambda r, c, t: f'<c r="{"AB"[c]}{r + 1}" t="inlineStr"><is><t>{t}</t></is></c>'
rows = ''.join(f'<row r="{r + 1}">' + ''.join(cell(r, c, t) for c, t in enumerate(row)) + '</row>' for r, row in enumerate(table))
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('[Content_Types].xml', f'<Types xmlns="{package}content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>')
    z.writestr('_rels/.rels', f'<Relationships xmlns="{package}relationships"><Relationship Id="rId1" Type="{rels}/officeDocument" Target="xl/workbook.xml"/></Relationships>')
    z.writestr('xl/workbook.xml', f'<workbook xmlns="{main}" xmlns:r="{rels}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>')
    z.writestr('xl/_rels/workbook.xml.rels', f'<Relationships xmlns="{package}relationships"><Relationship Id="rId1" Type="{rels}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
    z.writestr('xl/worksheets/sheet1.xml', f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>')
print('null')`,
        path,
      );
      expect(await run('source', 'upload', SOURCE, path, ...(await as('health', 'engineer')))).toMatchObject({
        code: 0,
      });
      expect(await publish(SOURCE, '台账.xlsx', 'devices')).toBe('编号,设备\nA1,摄像头\nA2,门禁\n');
    },
    90_000,
  );

  test('a folder that the operator has named', async () => {
    await mkdir(join(exchange.sourceFolder, 'ledger'));
    await writeFile(join(exchange.sourceFolder, 'ledger', '名册1.csv'), GBK);
    expect(await publish('health-folder', '名册', 'folder-roll')).toBe('编号,姓名\n001,张三\n002,李四\n');
  });
});

describe('whose uploads they are', () => {
  test('only the owner’s engineer uploads, lists and removes; only its worker fetches', async () => {
    const digest = (await current())[0]!.digest;
    for (const [department, role, code] of [
      ['police', 'engineer', 'NOT_FOUND'],
      ['health', 'officer', 'FORBIDDEN'],
      ['health', 'worker', 'FORBIDDEN'],
    ] as const) {
      const token = await exchange.token(department, role);
      expect(problemOf(await upload('x.csv', GBK, { token })).code).toBe(code);
      const call = await exchange.as(department, role);
      expect(problemOf(await call('GET', `/sources/${SOURCE}/uploads`)).code).toBe(code);
      expect(problemOf(await call('DELETE', `/sources/${SOURCE}/uploads/${(await current())[0]!.id}`)).code).toBe(code);
    }
    const fetched = await (await exchange.as('health', 'worker'))('GET', `/staging/uploads/${SOURCE}/${digest}`);
    expect(sha256(fetched.rawPayload)).toBe(digest);
    const foreign = await exchange.as('police', 'worker');
    expect(problemOf(await foreign('GET', `/staging/uploads/${SOURCE}/${digest}`)).code).toBe('NOT_FOUND');
    expect(problemOf(await foreign('GET', `/staging/uploads/${SOURCE}`)).code).toBe('NOT_FOUND');
  });

  test('a worker reads no other object of the store through it', async () => {
    const { digest } = await exchange.bench.world.store.put(chunks('another’s part'));
    const worker = await exchange.as('health', 'worker');
    expect(problemOf(await worker('GET', `/staging/uploads/${SOURCE}/${digest}`)).code).toBe('NOT_FOUND');
  });

  test('uploading and removing are in the audit log, without the file’s name', async () => {
    const { id } = (await upload('tmp-canary.csv', GBK)).json();
    const engineer = await exchange.as('health', 'engineer');
    expect((await engineer('DELETE', `/sources/${SOURCE}/uploads/${id}`)).statusCode).toBe(204);
    expect(problemOf(await engineer('DELETE', `/sources/${SOURCE}/uploads/${id}`)).code).toBe('NOT_FOUND');
    const object = `source/${SOURCE}/upload/${id}`;
    const leaves = await leavesOf(object);
    expect(leaves.map(({ action }) => action)).toEqual(['source.uploaded', 'source.upload-removed']);
    expect(JSON.stringify(leaves)).not.toContain('canary');
  });
});

/** Leaves about an object, in the log or on their way to it. */
async function leavesOf(object: string): Promise<{ action: string }[]> {
  const { catalog } = exchange.bench.world;
  const waiting = await catalog('audit_outbox').orderBy('id').pluck<{ action: string; object: string }[]>('leaf');
  const entries = await exchange.bench.audit.reader.entries(0, 1_000);
  const written = entries.map(({ leaf }) => JSON.parse(leaf) as { action: string; object: string });
  return [...written, ...waiting].filter((leaf) => leaf.object === object);
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('what is refused', () => {
  test.each([
    ['', 'REQUEST_INVALID'],
    ['../a.csv', 'REQUEST_INVALID'],
    ['a/b.csv', 'REQUEST_INVALID'],
    ['a\\b.csv', 'REQUEST_INVALID'],
    ['.hidden.csv', 'REQUEST_INVALID'],
    ['a\n.csv', 'REQUEST_INVALID'],
    ['\u009b2J.csv', 'REQUEST_INVALID'],
    ['cafe\u0301.csv', 'REQUEST_INVALID'],
    [' a.csv', 'REQUEST_INVALID'],
    ['甲'.repeat(67), 'REQUEST_INVALID'],
    ['a\u202Evsc.exe', 'ENCODING'],
    ['a\0.csv', 'ENCODING'],
  ])('the name %j', async (name, code) => {
    expect(() => assertUploadName(name)).toThrow(expect.objectContaining({ code }));
    expect(problemOf(await upload(name, GBK)).code).toBe(code);
  });

  test('a name that is one', () => {
    for (const name of ['名册 2024（终）.csv', 'café.csv', '甲'.repeat(66)]) assertUploadName(name);
  });

  test('bytes that are not what the sender sent, and nothing is kept', async () => {
    const before = await current();
    expect(problemOf(await upload('broken.csv', GBK, { digest: 'a'.repeat(64) })).code).toBe('DIGEST_MISMATCH');
    expect(await current()).toEqual(before);
  });

  test('a source that takes no uploads', async () => {
    const engineer = await exchange.token('health', 'engineer');
    const refused = await exchange.app.inject({
      method: 'POST',
      url: '/v1/sources/health-folder/uploads?name=a.csv',
      headers: { authorization: `Bearer ${engineer}`, 'content-type': 'text/csv' },
      payload: 'a',
    });
    expect(problemOf(refused).code).toBe('REQUEST_INVALID');
  });

  test('an announced size beyond the limit, before the bytes', async () => {
    const token = await exchange.token('health', 'engineer');
    const request = http.request(`${exchange.url}/v1/sources/${SOURCE}/uploads?name=huge.csv`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/octet-stream',
        'content-length': limits.sourceUploadBytesMax + 1,
      },
    });
    request.on('error', () => {});
    request.write('a');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(JSON.parse((await readWhole(response)).toString())).toMatchObject({ code: 'OBJECT_TOO_LARGE' });
    request.destroy();
  });

  test('a file that is broken off on its way', async () => {
    const before = await current();
    const token = await exchange.token('health', 'engineer');
    const request = http.request(`${exchange.url}/v1/sources/${SOURCE}/uploads?name=cut.csv`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv', 'content-length': 1000 },
    });
    const broken = new Promise((done) => request.on('error', () => {}).on('close', done));
    await new Promise((sent) => request.write('a,b\n', sent));
    request.destroy();
    await broken;
    // Whatever the server made of it, it has done so once it has answered another request of this size.
    expect((await upload('whole.csv', GBK)).statusCode).toBe(201);
    expect((await current()).map(({ name }) => name)).not.toContain('cut.csv');
    expect(await current()).toHaveLength(before.length + 1);
  });
});

describe('a run keeps what it pinned', () => {
  test('while the file is replaced and removed, and collected; afterwards it is gone', async () => {
    const { world } = exchange.bench;
    const pinned = Buffer.from('编号,姓名\n007,旧\n');
    const id: string = (await upload('pinned.csv', pinned)).json().id;
    const runId = '0198c0de-0000-4000-8000-000000000001';
    await beginRun(world, { runId, dataset: 'health.roll', workflowId: 'w', trigger: 'manual', actor: 'token:x' });
    const client = httpStagingClient({ url: exchange.url, token: await exchange.token('health', 'worker') });
    const first = await client.openGeneration(runId, 1);
    const named = { name: 'pinned.csv', digest: sha256(pinned), sizeBytes: pinned.length };
    expect(first.assignment.uploads).toContainEqual(named);

    const engineer = await exchange.as('health', 'engineer');
    await upload('pinned.csv', Buffer.from('编号,姓名\n008,新\n'));
    expect(problemOf(await engineer('DELETE', `/sources/${SOURCE}/uploads/${id}`)).code).toBe('NOT_FOUND');
    const second = await client.openGeneration(runId, 2);
    expect(second.assignment.uploads).toEqual(first.assignment.uploads);
    await delay(5);
    await collect(world, 0);
    expect(await readWhole(client.readUpload(SOURCE, named.digest) as never)).toEqual(pinned);

    await failRun(world, { runId, code: 'SOURCE_UNREACHABLE', message: 'gone' });
    await collect(world, 0);
    expect(await world.store.stat(named.digest)).toBeUndefined();
    const [kept] = await current();
    expect(await world.store.stat(kept!.digest)).toBeDefined();
  });
});
