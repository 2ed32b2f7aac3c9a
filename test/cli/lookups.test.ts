/** Keys from a file or standard input; the receipt is verified with the exported log and the public key alone. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGrant } from '../../exchange/access/explicit-grants.ts';
import { batchOf } from '../exchange/access/support.ts';
import { DATASET } from '../exchange/publication/world.ts';
import { openServer, type TestServer } from '../server/support.ts';
import { run, spawnCommand } from './support.ts';

let server: TestServer;
let folder: string;
let officer: string[];
const scope = ['--purpose', 'case-check', '--matter', 'M-1'];
beforeAll(async () => {
  server = await openServer({
    sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } },
    verifications: {
      'has-name': {
        title: { zh: '姓名相符', en: 'Has it' },
        matching: ['姓名'],
        where: { ge: { column: 'id', value: 0 } },
      },
    },
  });
  folder = await mkdtemp(join(tmpdir(), 'huitong-cli-lookups-'));
  await server.bench.publish([
    [
      batchOf([
        [1n, '张三'],
        [2n, '李四'],
      ]),
    ],
  ]);
  await createGrant(server.bench.world, {
    actor: { actor: 'token:officer' },
    terms: {
      grantee: 'traffic',
      dataset: DATASET,
      items: ['id', '姓名'],
      modes: ['lookup', 'verify'],
      verifications: ['has-name'],
      purpose: 'case-check',
      legalBasis: '依法',
      notBefore: '2026-01-01T00:00:00Z',
      expires: '2099-01-01T00:00:00Z',
    },
  });
  officer = ['--url', await server.listen(), '--token', await server.token('traffic', 'officer')];
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test('look-up and verification; the receipt holds offline', async () => {
  const [keys, receipt] = [join(folder, 'keys.json'), join(folder, 'receipt.json')];
  await writeFile(keys, '[{"id":"2"},{"id":9}]');
  const found = await run('lookup', DATASET, '--keys', keys, '--receipt', receipt, ...scope, ...officer);
  expect(found).toMatchObject({ code: 0, stdout: '{"id":2,"姓名":"李四"}\n无 · not found\n' });
  const piped = await spawnCommand(['lookup', DATASET, '--keys', '-', '--json', ...scope, ...officer], {
    input: '{"id":1}',
  });
  expect(JSON.parse(piped.stdout)).toMatchObject({ version: 1, results: [{ found: true, record: { 姓名: '张三' } }] });

  await writeFile(keys, '{"id":1,"matching":{"姓名":"张三"}}');
  const question = ['verify-lookup', DATASET, '--verification', 'has-name', ...scope, ...officer];
  expect((await run(...question, '--keys', keys)).stdout).toMatch(/^yes/);
  expect((await run(...question, '--key', 'id=2', '--match', '姓名=张三')).stdout).toMatch(/^no/);

  const [log, key] = [join(folder, 'log.jsonl'), join(folder, 'key.pem')];
  const auditor = ['--url', officer[1]!, '--token', await server.token('health', 'auditor')];
  expect((await run('audit', 'export', '--output', log, ...auditor)).code).toBe(0);
  await writeFile(key, server.bench.auditKey);
  const verified = await run('audit', 'verify', log, '--key', key, '--receipt', receipt);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('1 receipts') });
  await writeFile(receipt, (await readFile(receipt, 'utf8')).replace('M-1', 'M-2'));
  expect((await run('audit', 'verify', log, '--key', key, '--receipt', receipt)).code).toBe(1);
});

test('what is wrong with keys is said without them', async () => {
  const keys = join(folder, 'wrong.json');
  const id = '440306199001011234';
  for (const [text, code] of [
    [`{"id":"${id}"`, 2],
    [`["${id}"]`, 2],
    [`{"id":"${id}x"}`, 1],
    [`{"id":${id}}`, 1],
  ] as const) {
    await writeFile(keys, text);
    const refused = await run(
      'lookup',
      DATASET,
      '--keys',
      keys,
      '--receipt',
      join(folder, 'none'),
      ...scope,
      ...officer,
    );
    expect([text, refused.code]).toEqual([text, code]);
    expect(refused.stdout + refused.stderr).not.toContain('4403');
  }
  expect((await run('lookup', DATASET, ...scope, ...officer)).code).toBe(2);
  await expect(stat(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});
