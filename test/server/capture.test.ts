/** A dataset that follows its source's own log, as its engineer and its readers see it: command line, Temporal, HTTP. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../cli/support.ts';
import { exchangeFiles, openExchange, type TestExchange } from './exchange.ts';

const CODE = 'health.visits';

let exchange: TestExchange;
beforeAll(async () => {
  exchange = await openExchange();
  await exchange.sql(`
    create table visits (id bigint primary key, ward text not null, fee numeric(10, 2));
    insert into visits select n, 'ward ' || n % 7, n from generate_series(1, 500) n;
    alter table visits replica identity full`);
  await exchange.apply({ ...exchangeFiles(), ...visits('mode: { kind: changes }') });
});
afterAll(() => exchange.close());

function visits(mode: string): Record<string, string> {
  const contract = {
    version: '1.0.0',
    key: ['id'],
    type: 'object',
    properties: { id: { type: 'integer' }, ward: { type: 'string' }, fee: { type: ['number', 'null'] } },
    required: ['id', 'ward', 'fee'],
  };
  return {
    'datasets/health/visits.yaml': `code: ${CODE}
title: { zh: 就诊, en: Visits }
abstract: { zh: 就诊记录, en: Visits to wards }
source: health-his
table: { schema: public, name: visits }
contract: visits.contract.json
sharing: { class: unconditional }
openness: open
updateCycle: realtime
securityGrade: general
${mode}
`,
    'datasets/health/visits.contract.json': JSON.stringify(contract),
  };
}

async function huitong(...args: string[]) {
  const said = await run('--url', exchange.url, '--token', await exchange.token('health', 'engineer'), ...args);
  if (said.code !== 0) throw new Error(`${args.join(' ')}: ${said.stdout}${said.stderr}`);
  return said.stdout;
}

const slots = async () =>
  (
    await exchange.sql(
      "select slot_name from pg_replication_slots where slot_type = 'logical' and database = current_database()",
    )
  ).length;

async function rows(): Promise<string[]> {
  const read = await huitong('read', CODE, '--format', 'csv');
  return read.trim().split('\r\n').slice(1).sort();
}

async function sourceRows(): Promise<string[]> {
  const found = await exchange.sql<{ line: string }>(`select concat_ws(',', id, ward, fee) as line from visits`);
  return found.map(({ line }) => line).sort();
}

test('loads once, then follows inserts, updates and deletes; another mode gives the slot back', async () => {
  expect(await huitong('publish', CODE)).toContain('version 1 (published)');
  expect(await slots()).toBe(1);
  expect(await rows()).toEqual(await sourceRows());

  await exchange.sql(`
    insert into visits values (501, 'ward 外科', 7.5); update visits set fee = 0 where id = 3;
    delete from visits where id between 10 and 19`);
  await exchange.sql('begin; delete from visits; rollback');
  expect(await huitong('publish', CODE)).toContain('version 2 (published)');
  expect(await rows()).toEqual(await sourceRows());
  const changed = await huitong('changes', CODE, '--since', '1', '--format', 'csv');
  expect(changed.trim().split('\r\n')).toHaveLength(1 + 1 + 2 + 10);
  expect(await huitong('publish', CODE)).toContain('unchanged');
  expect(await huitong('publish', CODE, '--full')).toContain('unchanged');

  // Removed now, its slot would fill the source's disk.
  await expect(exchange.apply(exchangeFiles())).rejects.toThrow('CAPTURE_OPEN');
  await exchange.apply({ ...exchangeFiles(), ...visits('mode: { kind: snapshot }') });
  await huitong('publish', CODE);
  expect(await slots()).toBe(0);
  expect(await rows()).toEqual(await sourceRows());
  await exchange.apply(exchangeFiles());
});
