/** The commands against a whole exchange, in the order of a first day: what a person or a script sees, and the exit code. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { languageFor } from '../../cli/language.ts';
import type { Role } from '../../exchange/access/rights.ts';
import { BAD_ROWS, DATASET, exchangeFiles, openExchange, ROWS, type TestExchange } from '../server/exchange.ts';
import { run, spawnCommand } from './support.ts';

let exchange: TestExchange;
let folder: string;
beforeAll(async () => {
  exchange = await openExchange();
  folder = await mkdtemp(join(tmpdir(), 'huitong-cli-'));
});
afterAll(async () => {
  await exchange.close();
  await rm(folder, { recursive: true });
});

/** Options that say where and as whom. */
async function as(department: string, ...roles: Role[]): Promise<string[]> {
  return ['--url', exchange.url, '--token', await exchange.token(department, ...roles)];
}

describe('apply', () => {
  test('shows the plan, asks, and applies with --yes; then there is nothing to change', async () => {
    const district = await exchange.folderOf(exchangeFiles());
    const administrator = await as('data', 'administrator');
    const plan = await run('apply', district, '--plan', ...administrator);
    expect(plan).toMatchObject({ code: 0, stderr: '' });
    expect(plan.stdout).toContain(`+ dataset ${DATASET}`);
    expect(plan.stdout).toMatch(/plan: 7 to add, 0 to change, 0 to remove/);

    const unsure = await spawnCommand(['apply', district, ...administrator]);
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('--yes')]);

    const applied = await run('apply', district, '--yes', ...administrator);
    expect([applied.code, applied.stdout.trim().split('\n').at(-1)]).toEqual([
      0,
      'applied: 7 added, 0 changed, 0 removed',
    ]);
    const again = await run('apply', district, ...administrator);
    expect([again.code, again.stdout]).toEqual([0, 'nothing to change: the catalog matches the folder\n']);
    const json = await run('apply', district, '--json', ...administrator);
    expect(JSON.parse(json.stdout)).toMatchObject({ empty: true });
  });

  test('each mistake is a line with file, line and pointer; a misplaced definition is one of them', async () => {
    const files = exchangeFiles();
    const path = 'datasets/health/people.yaml';
    const wrong = {
      ...files,
      [path]: files[path]!.replace('openness:', 'openess:'),
      'datasets/Health.yaml': 'code: x',
    };
    const answer = await run('apply', await exchange.folderOf(wrong), '--plan', ...(await as('data', 'administrator')));
    expect([answer.code, answer.stdout]).toEqual([1, '']);
    expect(answer.stderr).toMatch(/datasets\/health\/people\.yaml:\d+ \/openess/);
    expect(answer.stderr).toContain('datasets/Health.yaml');
    expect(answer.stderr).toContain('→');
  });

  test('a folder that is not there is wrong usage', async () => {
    const answer = await run('apply', join(folder, 'absent'), ...(await as('data', 'administrator')));
    expect([answer.code, answer.stderr]).toEqual([2, expect.stringContaining('there is no folder')]);
  });
});

describe('publish', () => {
  test('follows the run to its account; its quarantine can be listed and written to a file', async () => {
    const engineer = await as('health', 'engineer');
    const published = await run('publish', DATASET, ...engineer);
    expect(published).toMatchObject({ code: 0, stderr: '' });
    expect(published.stdout).toContain(`${DATASET} version 1 (published)`);
    expect(published.stdout).toContain(`read 1,000 = published 990 + quarantined ${BAD_ROWS}`);
    expect(published.stdout).toContain(`MINIMUM: ${BAD_ROWS}`);
    const id = /run ([0-9a-f-]{36})/.exec(published.stdout)![1]!;

    expect(JSON.parse((await run('run', 'show', id, '--json', ...engineer)).stdout)).toMatchObject({ id, version: 1 });
    const runs = await run('runs', '--dataset', DATASET, ...engineer);
    expect(runs.stdout).toMatch(new RegExp(`${id} .* published`));
    const rows = await run('quarantine', id, '--limit', '2', ...engineer);
    expect(rows.stdout.match(/MINIMUM \/余额/g)).toHaveLength(2);
    const file = join(folder, 'quarantine.csv');
    expect((await run('quarantine', id, '--output', file, ...engineer)).code).toBe(0);
    expect(await readFile(file, 'utf8')).toContain('__errors');
    const stranger = await run('quarantine', id, ...(await as('police', 'engineer')));
    expect([stranger.code, stranger.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);
  });

  test('that fails says why and exits with 1', async () => {
    const { HEALTH_URL: url } = exchange.secrets;
    exchange.secrets.HEALTH_URL = '';
    try {
      const failed = await run('publish', DATASET, ...(await as('health', 'engineer')));
      expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/SECRET_MISSING.*HEALTH_URL[\s\S]*→/)]);
      const checked = await run('source', 'check', 'health-his', ...(await as('health', 'engineer')));
      expect([checked.code, checked.stdout]).toEqual([1, expect.stringContaining('✗ resolve: SECRET_MISSING')]);
    } finally {
      exchange.secrets.HEALTH_URL = url!;
    }
    const checked = await run('source', 'check', 'health-his', ...(await as('health', 'engineer')));
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('✓ snapshot')]);
    const tables = await run(
      'source',
      'discover',
      'health-his',
      '--table',
      '人口',
      ...(await as('health', 'engineer')),
    );
    expect(tables.stdout).toMatch(/出生日期 +date/);
  });
});

describe('reading', () => {
  test('to a file is all or nothing', async () => {
    const officer = await as('police', 'officer');
    const file = join(folder, 'people.csv');
    const read = await run('read', DATASET, '--format', 'csv', '--columns', 'id,姓名', '--output', file, ...officer);
    expect(read.code).toBe(0);
    const text = await readFile(file, 'utf8');
    expect(text.split('\r\n')[0]).toBe('id,姓名');
    expect(text.trimEnd().split('\r\n')).toHaveLength(ROWS - BAD_ROWS + 1);

    const broken = await brokenServer();
    try {
      const half = await run('read', DATASET, '--output', join(folder, 'half'), '--url', broken.url, '--token', 'x');
      expect([half.code, half.stderr]).toEqual([1, expect.stringContaining('did not arrive whole')]);
      expect((await readdir(folder)).filter((name) => name.startsWith('half'))).toEqual([]);
    } finally {
      broken.close();
    }
  });

  test('into `head` ends quietly', async () => {
    const args = ['read', DATASET, '--format', 'jsonl', ...(await as('police', 'officer'))];
    const script = 'set -o pipefail; "$@" | head -1; echo "exit $?"';
    const { stdout, stderr } = await spawnCommand(args, { script });
    expect(stdout.split('\n')[0]).toMatch(/^\{"id":9007199254740993,/);
    expect(stdout.trimEnd()).toMatch(/exit 0$/);
    expect(stderr).toBe('');
  });

  test.skipIf(!existsSync('/dev/full'))('to a disk that is full fails in one line', async () => {
    const args = ['read', DATASET, '--format', 'csv', ...(await as('police', 'officer'))];
    const { code, stderr } = await spawnCommand(args, { script: '"$@" > /dev/full' });
    expect([code, stderr]).toEqual([1, '无法写入标准输出 standard output cannot be written: ENOSPC\n']);
  });

  test('the catalog, in a table that keeps Chinese aligned', async () => {
    const officer = await as('police', 'officer');
    expect((await run('dataset', 'list', ...officer)).stdout).toContain('人口 People');
    const lineage = (await run('dataset', 'lineage', DATASET, ...officer)).stdout;
    expect(lineage).toContain('人口.姓名');
    expect((await run('dataset', 'versions', DATASET, ...officer)).stdout).toMatch(/1 .* 990 .* 10 /);
    expect(JSON.parse((await run('dataset', 'show', DATASET, ...officer)).stdout)).toMatchObject({ code: DATASET });
  });
});

describe('version verify', () => {
  const download = async (name: string) => {
    const to = join(folder, name);
    const done = await run('version', 'download', DATASET, '1', '--to', to, ...(await as('police', 'officer')));
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const [part] = await readdir(join(to, 'parts'));
    return { to, manifest: join(to, 'manifest.json'), part: join(to, 'parts', part!) };
  };

  test('recounts what was downloaded, and finds every tampering', async () => {
    const { to, manifest, part } = await download('v1');
    const good = await run('version', 'verify', to);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringMatching(/^✓ health\.people version 1: 990 rows in \d+ parts?/),
    ]);

    const original = await readFile(part);
    const changedByte = Buffer.from(original);
    changedByte[200]! ^= 1;
    await writeFile(part, changedByte);
    await expectFault(to, 'does not have its digest');
    await writeFile(part, original.subarray(0, -8));
    await expectFault(to, 'bytes instead of');
    await rm(part);
    await expectFault(to, 'is missing');
    await writeFile(part, original);

    const document = JSON.parse(await readFile(manifest, 'utf8'));
    const column = Object.keys(document.sums)[0]!;
    await writeFile(manifest, JSON.stringify({ ...document, rows: document.rows + 1 }));
    await expectFault(to, 'the manifest says');
    await writeFile(manifest, JSON.stringify({ ...document, sums: { ...document.sums, [column]: '1' } }));
    await expectFault(to, `column ${column} adds up to`);
    await writeFile(manifest, JSON.stringify(document));
    expect((await run('version', 'verify', to)).code).toBe(0);
  });

  test('a folder without a manifest is wrong usage', async () => {
    expect((await run('version', 'verify', join(folder, 'nothing'))).code).toBe(2);
  });

  async function expectFault(to: string, says: string): Promise<void> {
    const verdict = await run('version', 'verify', to);
    expect([verdict.code, verdict.stdout]).toEqual([1, expect.stringContaining(says)]);
    const json = await run('version', 'verify', to, '--json');
    expect(JSON.parse(json.stdout).problems.length).toBeGreaterThan(0);
  }
});

describe('audit', () => {
  test('an export is verified offline with the public key; a changed leaf, another key or a lost head is found', async () => {
    const auditor = await as('data', 'auditor');
    const log = join(folder, 'log.jsonl');
    expect((await run('audit', 'export', '--output', log, ...auditor)).code).toBe(0);
    const key = join(folder, 'exchange.pem');
    await writeFile(key, exchange.bench.auditKey);
    const receipt = join(folder, 'receipt.json');
    await writeFile(receipt, (await run('audit', 'prove', '0', ...auditor)).stdout);
    const good = await run('audit', 'verify', log, '--key', key, '--receipt', receipt);
    expect([good.code, good.stdout]).toEqual([0, expect.stringMatching(/^✓ huitong\.test\/log: \d+ entries/)]);

    const text = await readFile(log, 'utf8');
    const forged = join(folder, 'forged.jsonl');
    await writeFile(forged, text.replace('dataset.read', 'dataset.seen'));
    const bad = await run('audit', 'verify', forged, '--key', key);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('AUDIT_VERIFY_FAILED')]);
    const other = join(folder, 'other.pem');
    await writeFile(other, generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }));
    expect((await run('audit', 'verify', log, '--key', other)).code).toBe(1);
    expect((await run('audit', 'verify', log, '--key', join(folder, 'no.pem'))).code).toBe(2);
    expect((await run('audit', 'entries', '--limit', '2', ...auditor)).stdout.split('\n')).toHaveLength(5);
    expect(JSON.parse((await run('audit', 'head', '--json', ...auditor)).stdout).size).toBeGreaterThan(0);
  });
});

describe('tokens, schedules, health', () => {
  test('a token is made, listed without its secret, and revoked', async () => {
    const administrator = await as('data', 'administrator');
    const subject = ['--department', 'police', '--subject', '赵六', '--role', 'officer', 'engineer'];
    const made = JSON.parse((await run('token', 'create', ...subject, '--json', ...administrator)).stdout);
    expect((await run('dataset', 'list', '--url', exchange.url, '--token', made.secret)).code).toBe(0);
    const listed = await run('token', 'list', ...administrator);
    expect(listed.stdout).toContain(made.token.id);
    expect(listed.stdout).not.toContain(made.secret);
    expect((await run('token', 'revoke', made.token.id, ...administrator)).code).toBe(0);
    const revoked = await run('dataset', 'list', '--url', exchange.url, '--token', made.secret);
    expect([revoked.code, revoked.stderr]).toEqual([1, expect.stringMatching(/^UNAUTHENTICATED: [\s\S]*→/)]);
  });

  test('what has no schedule cannot be paused; an exchange that is not well exits with 1', async () => {
    const engineer = await as('health', 'engineer');
    expect((await run('schedule', 'list', '--json', ...engineer)).stdout.trim()).toBe('[]');
    expect((await run('schedule', 'pause', DATASET, ...engineer)).stderr).toContain('has no schedule');
    expect(await run('health', '--url', exchange.url)).toMatchObject({ code: 0 });
    exchange.health.temporal = 'does not answer';
    const ill = await run('health', '--url', exchange.url);
    exchange.health.temporal = 'ok';
    expect([ill.code, ill.stdout]).toEqual([1, expect.stringContaining('✗ temporal: does not answer')]);
  });
});

describe('languages', () => {
  test.each([
    [undefined, { LC_ALL: 'zh_CN.UTF-8', LANG: 'C' }, 'zh'],
    [undefined, { LC_ALL: 'C', LANG: 'zh_CN.UTF-8' }, 'en'],
    [undefined, { LANG: 'zh' }, 'zh'],
    [undefined, {}, 'en'],
    ['zh', { LANG: 'en_US.UTF-8' }, 'zh'],
    ['en', { LANG: 'zh_CN.UTF-8' }, 'en'],
  ])('--lang %s with %o: %s', (option, env, language) => {
    expect(languageFor(option, env)).toBe(language);
  });

  test('what the exchange says, what it says in English only, and what the command itself says', async () => {
    const unknown = ['dataset', 'show', 'health.none', ...(await as('police', 'officer'))];
    const chinese = await run(...unknown, '--lang', 'zh');
    expect(chinese.stderr).toMatch(/^NOT_FOUND: .*\p{Script=Han}[\s\S]*→ 检查名称/u);
    const english = await run(...unknown);
    expect(english.stderr).not.toMatch(/\p{Script=Han}/u);
    expect(english.stderr).toMatch(/^NOT_FOUND: there is no such dataset[\s\S]*→ Check the name/);
    for (const [language, words] of [
      ['zh', 'nonsense 不是网址\n'],
      ['en', 'nonsense is no address: give it as http://host:port\n'],
    ] as const) {
      const told = await run('runs', '--url', 'nonsense', '--lang', language);
      expect([told.code, told.stderr]).toEqual([2, words]);
    }
  });
});

describe('exit codes', () => {
  test('0 for help, with examples, of every command', async () => {
    const help = await run('--help');
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const word of ['Examples:', 'Exit codes:', 'publish', 'apply', 'audit', 'schedule'])
      expect(help.stdout).toContain(word);
    expect((await run('publish', '--help')).stdout).toContain('Example:');
  });

  test('2 for wrong usage, 3 for an exchange that cannot be reached', async () => {
    for (const wrong of [
      ['publsh'],
      ['publish'],
      ['runs', '--limit', 'many'],
      ['runs', '--lmit', '3'],
      ['read', 'x', '--format', 'xml'],
    ]) {
      const answer = await run(...wrong, '--url', exchange.url);
      expect([wrong, answer.code]).toEqual([wrong, 2]);
      expect(answer.stderr).not.toBe('');
    }
    const away = await run('runs', '--url', 'http://127.0.0.1:9', '--token', 'x');
    expect([away.code, away.stderr]).toEqual([3, expect.stringContaining('cannot be reached')]);
    const child = await spawnCommand(['runs', '--url', 'http://127.0.0.1:9']);
    expect(child.code).toBe(3);
  });
});

/** Promises 100 bytes, sends 10, and hangs up. */
async function brokenServer(): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('0123456789', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
