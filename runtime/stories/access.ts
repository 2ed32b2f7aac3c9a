/**
 * `npm run story:access`: one sharing between two departments from the request to its end, told through the command
 * line as the people in it use it, and checked at every step. Anything that is not as it must be ends it with 1.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { HuitongError } from '../../lib/errors.ts';
import { supervisorOf } from '../demo/district.ts';
import { Person } from './person.ts';
import { pythonWithArrow } from './python.ts';
import { onStage, type StoryStage } from './stage.ts';

const DATASET = 'health.residents';
const PURPOSE = 'school-entry';
const MATTER = '440309-EDU-2026-000123';
/** Communities of Longhua; the person lives in the one in which the data does not have them. */
const COMMUNITIES = ['440309001001', '440309001002'] as const;
const WAIT_MS = 60_000;
const district = join(import.meta.dirname, '..', '..', 'districts', 'longhua');
const summarise = `
import json, sys, pyarrow as pa
with pa.ipc.open_stream(sys.argv[1]) as reader: table = reader.read_all()
first = table.slice(0, 1).to_pylist()[0]
print(json.dumps({'rows': table.num_rows, 'columns': table.column_names, 'id': first['person_id'], 'name': first['name'], 'community': first['division_code']}))
`;

process.exitCode = await onStage(tell);
// Whatever still holds the event loop has nothing left to do.
process.exit();

interface Cast {
  /** 教育局：经办人、共享专员；卫健局：共享专员、数据工程师；审计员。 */
  officer: Person;
  endorser: Person;
  provider: Person;
  engineer: Person;
  auditor: Person;
}

async function tell(stage: StoryStage): Promise<void> {
  const cast = await introduce(stage);
  await chapter(stage, '卫健局发布数据', 'The health department publishes', async () => {
    await cast.engineer.huitong(['publish', DATASET], { lines: 3 });
  });
  const { request, grant } = await requestAndApproval(stage, cast);
  const person = await bulkRead(stage, cast, grant);
  await lookUp(stage, cast.officer, person, 1);
  await correct(stage, cast, person);
  await lookUp(stage, cast.officer, person, 2);
  await rateAndRevoke(stage, cast, request, grant, person);
  await verifyOffline(stage, cast.auditor);
  stage.say('\nstory:access: told to its end, 0 failed');
}

async function introduce(stage: StoryStage): Promise<Cast> {
  const administrator = new Person(stage, 'administrator', '管理员', stage.exchange.tokens.administrator);
  const supervising = await supervisorOf(district);
  const register = async (login: string, title: string, department: string, ...roles: string[]) => {
    const who = ['--department', department, '--login', login, '--name', title, '--role', ...roles];
    const { stdout } = await administrator.huitong(['person', 'add', ...who], { lines: 1 });
    const password = found(/temporary password: (\S+)/, stdout);
    const person = new Person(stage, login, title);
    const input = `${password}\n一个自己选的口令 ${title}\n`;
    await person.huitong(['login', login, '--new-password'], { input });
    return person;
  };
  return chapter(stage, '人员与角色', 'People and their roles', async () => ({
    officer: await register('chen.jing', '教育局经办人', 'education', 'officer'),
    endorser: await register('liu.yang', '教育局共享专员', 'education', 'sharing-officer'),
    provider: await register('wang.fang', '卫健局共享专员', 'health', 'sharing-officer'),
    engineer: await register('zhao.lei', '卫健局数据工程师', 'health', 'engineer'),
    auditor: await register('sun.li', '审计员', supervising, 'auditor'),
  }));
}

async function requestAndApproval(stage: StoryStage, { officer, endorser, provider }: Cast) {
  return chapter(stage, '申请与部分同意', 'A request, and an approval in part', async () => {
    const items = 'person_id,name,birth_date,mobile,division_code,blood_type';
    const { stdout } = await officer.huitong(
      // biome-ignore format: one option a line reads best
      ['request', 'create', DATASET, '--items', items, '--modes', 'bulk,lookup', '--purpose', PURPOSE,
        '--basis', '《义务教育法》第十二条', '--matter', MATTER, '--expires', inOneYear()],
    );
    const request = found(/request ([0-9a-f-]{36})/, stdout);
    await endorser.huitong(['request', 'endorse', request], { lines: 5 });
    const given = ['--items', 'person_id,name,birth_date,division_code', '--masks', 'masks.json'];
    const masks = { name: { mask: 'partial', shape: 'name' } };
    await writeFile(join(stage.directory, 'masks.json'), JSON.stringify(masks));
    await provider.huitong(['request', 'preview', request, ...given], { lines: 12 });
    const approved = await provider.huitong(['request', 'approve', request, ...given]);
    return { request, grant: found(/grant ([0-9a-f-]{36})/, approved.stdout) };
  });
}

/** Whom the story is about from here. */
interface Resident {
  id: number;
  /** Their community, as it should be in the data. */
  lives: string;
}

async function bulkRead(stage: StoryStage, { officer }: Cast, grant: string): Promise<Resident> {
  return chapter(stage, '批量读取', 'A bulk read, opened with pyarrow', async () => {
    const to = ['--grant', grant, '--output', 'residents.arrow', '--receipt', 'receipt-read.json'];
    await officer.huitong(['read', DATASET, ...to]);
    const python = await pythonWithArrow(stage.step);
    if (python === undefined) throw new HuitongError('INTERNAL', 'no Python with pyarrow could be had');
    const { stdout } = await promisify(execFile)(python, ['-c', summarise, join(stage.directory, 'residents.arrow')]);
    stage.say(`\n  pyarrow: ${stdout.trim()}`);
    const { rows, columns, id, name, community } = JSON.parse(stdout);
    check(rows > 1_000, 'pyarrow reads the rows');
    check(columns.join() === 'person_id,name,birth_date,division_code', 'the items that were approved, and no other');
    check(/^.\*+$/.test(name), 'names are masked');
    return { id, lives: COMMUNITIES.find((code) => code !== community) ?? COMMUNITIES[0] };
  });
}

async function lookUp(stage: StoryStage, officer: Person, person: Resident, version: number): Promise<void> {
  await chapter(stage, `核验（版本 ${version}）`, `A look-up, answered from version ${version}`, async () => {
    const scope = [
      '--keys',
      '-',
      '--purpose',
      PURPOSE,
      '--matter',
      MATTER,
      '--receipt',
      `receipt-lookup-${version}.json`,
    ];
    const command = ['lookup', DATASET, ...scope];
    const input = JSON.stringify({ person_id: person.id });
    const named = new RegExp(`version\\D*${version}\\b`);
    // A version that was just published is looked up in when its index is made; until then the one before answers.
    if (version > 1) {
      await until(`version ${version} is looked up in`, async () =>
        named.test((await officer.huitong(command, { input, quiet: true })).text),
      );
    }
    const { text } = await officer.huitong(command, { input });
    check(named.test(text), `the answer names version ${version}`);
    check(text.includes(person.lives) === version > 1, 'the community is mended in the version after, and only there');
  });
}

async function correct(stage: StoryStage, { officer, provider, engineer }: Cast, person: Resident): Promise<void> {
  await chapter(stage, '更正', 'A correction, mended in a new version', async () => {
    const claim = { dataset: DATASET, version: 1, key: { person_id: person.id }, item: 'division_code' };
    const input = JSON.stringify({ ...claim, claim: person.lives, reason: '已迁居，与户口簿不符' });
    const filed = await officer.huitong(['correction', 'file', '-'], { input });
    const correction = found(/case ([0-9a-f-]{36})/, filed.stdout);
    await provider.huitong(['correction', 'claim', correction]);
    await provider.huitong(['case', 'accept', correction], { lines: 3 });
    await mendInSource(stage, person);
    await engineer.huitong(['publish', DATASET], { lines: 3 });
    await until('the exchange sees the correction in version 2', async () => {
      const shown = await provider.huitong(['case', 'show', correction], { quiet: true });
      return shown.stdout.includes('CONSUMERS_NOTIFIED') && /mended in 2/.test(shown.stdout);
    });
    await provider.huitong(['case', 'show', correction], { lines: 4 });
    await officer.huitong(['read', DATASET, '--output', 'residents-2.arrow', '--receipt', 'receipt-read-2.json']);
    const { stdout } = await officer.huitong(['duties', '--of', 'confirmation']);
    const confirmation = found(/([0-9a-f-]{36})/, stdout);
    const reason = ['--reason', '已换用版本 2'];
    const confirmed = await officer.huitong(['case', 'replaced', confirmation, ...reason], { lines: 3 });
    check(confirmed.stdout.includes('CONFIRMED'), 'the copy is replaced');
  });
}

async function rateAndRevoke(
  stage: StoryStage,
  { officer, provider }: Cast,
  request: string,
  grant: string,
  person: Resident,
): Promise<void> {
  await chapter(stage, '评价', 'A rating', async () => {
    const reasons = ['--stars', '5', '--reasons', '更正及时', '--grant', grant];
    await officer.huitong(['rating', 'give', DATASET, '2', ...reasons]);
  });
  await chapter(stage, '撤销授权', 'The grant is revoked; nothing is given any more', async () => {
    await provider.huitong(['request', 'revoke', request, '--reason', '入学审核已结束'], { lines: 4 });
    await officer.huitong(['read', DATASET, '--grant', grant, '--output', 'late.arrow'], { expect: 1 });
    const late = ['lookup', DATASET, '--keys', '-', '--purpose', PURPOSE, '--matter', MATTER];
    await officer.huitong(late, { expect: 1, input: JSON.stringify({ person_id: person.id }) });
    const destroyed = ['request', 'destroyed', request, '--reason', '副本已按规程销毁'];
    const closed = await officer.huitong(destroyed, { lines: 4 });
    check(closed.stdout.includes('CLOSED'), 'the request ends with the destruction of the copies');
  });
}

async function verifyOffline(stage: StoryStage, auditor: Person): Promise<void> {
  await chapter(stage, '离线验证', 'Everything verified without the exchange', async () => {
    await auditor.huitong(['audit', 'export', '--output', 'log.jsonl']);
    await auditor.huitong(['audit', 'key', '--output', 'exchange.pem']);
    const receipts = ['read', 'lookup-1', 'read-2', 'lookup-2'].map((name) => `receipt-${name}.json`);
    // Another place, with the log, the receipts and the key, and an exchange that cannot be reached.
    const directory = join(stage.directory, 'elsewhere');
    await mkdir(directory);
    for (const file of ['log.jsonl', 'exchange.pem', ...receipts]) {
      await cp(join(stage.directory, file), join(directory, file));
    }
    const anybody = new Person({ ...stage, url: 'http://127.0.0.1:9', directory }, 'anybody', '任何人');
    const verify = ['--key', 'exchange.pem', '--receipt', ...receipts];
    const verified = await anybody.huitong(['audit', 'verify', 'log.jsonl', ...verify]);
    check(verified.stdout.includes(`${receipts.length} receipts are in it`), 'every receipt is in the log');
    const log = await readFile(join(directory, 'log.jsonl'), 'utf8');
    check(log.includes('deny'), 'what was refused is in the log too');
    await writeFile(join(directory, 'forged.jsonl'), log.replace('deny', 'allow'));
    await anybody.huitong(['audit', 'verify', 'forged.jsonl', ...verify], { expect: 1 });
  });
}

/** What the department's own people do in their own database. */
async function mendInSource(stage: StoryStage, person: Resident): Promise<void> {
  const source = stage.exchange.databases.find(({ department }) => department === 'health');
  const client = new pg.Client(source?.adminUrl);
  await client.connect();
  try {
    const mend = 'update residents set division_code = $2 where person_id = $1';
    await client.query(mend, [person.id, person.lives]);
    stage.say('\n  卫健局 in its own database: update residents set division_code = … where person_id = …');
  } finally {
    await client.end();
  }
}

async function chapter<T>(stage: StoryStage, zh: string, en: string, happens: () => Promise<T>): Promise<T> {
  stage.say(`\n── ${zh} · ${en} ──`);
  return happens();
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const late = Date.now() + WAIT_MS;
  while (!(await holds())) {
    check(Date.now() < late, what);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new HuitongError('INTERNAL', `not so: ${what}`);
}

function found(pattern: RegExp, text: string): string {
  const match = pattern.exec(text)?.[1];
  if (match !== undefined) return match;
  throw new HuitongError('INTERNAL', `nothing like ${pattern} in: ${text}`);
}

function inOneYear(): string {
  return new Date(Date.now() + 365 * 24 * 3_600_000).toISOString();
}
