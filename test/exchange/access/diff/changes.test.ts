/** The change feed under grants: what it tells, what it must not tell, and when only a bulk read leads on. */
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChangesRequest, openChanges } from '../../../../exchange/access/diff/changes.ts';
import { createGrant, revokeGrant } from '../../../../exchange/access/explicit-grants.ts';
import { openRead } from '../../../../exchange/access/read.ts';
import type { Session } from '../../../../exchange/access/session.ts';
import { meter } from '../../../../exchange/duties/metering.ts';
import type { GrantTerms } from '../../../../schemas/generated/grant-terms.ts';
import { DATASET } from '../../publication/world.ts';
import { type Bench, batchOf, bytesOf, openBench, principal } from '../support.ts';

type Row = [id: bigint, name: string | null];

let bench: Bench;
const same: Row[] = [
  [900n, '同'],
  [901n, null],
];
const versions: Row[][] = [
  [
    [1n, '张三'],
    [2n, null],
    [3n, '李四'],
    [4n, '王五'],
  ],
  [
    [4n, '王五'],
    [3n, '李思'],
    [2n, '新'],
    [5n, '赵六'],
  ],
  [
    [4n, '王五'],
    [3n, '李四'],
  ],
];

beforeAll(async () => {
  bench = await openBench({ sharing: { class: 'conditional', basis: { zh: '依据', en: 'basis' } } });
  await bench.world
    .catalog('department')
    .insert({ code: 'police', name_zh: '公安', name_en: 'Police', definition: {} });
  for (const rows of versions) await bench.publish([[batchOf(same)], [batchOf(rows)]]);
});
afterAll(() => bench.close());

const own = principal('health');
const police = principal('police');

function open(changes: Partial<ChangesRequest> = {}) {
  const asked = { principal: own, dataset: DATASET, since: 1, until: 'current' as const, format: 'arrow' as const };
  return openChanges(bench.access, { ...asked, ...changes });
}

async function told(changes: Partial<ChangesRequest> = {}): Promise<string[]> {
  const { stream, closed } = await open(changes);
  const table = tableFromIPC(await bytesOf(stream));
  await closed;
  const rows = table.toArray().map((row) => row.toJSON());
  return rows.map(({ _change, id, 姓名 }) => `${_change} ${id} ${姓名}`).sort();
}

async function grant(changes: Partial<GrantTerms>) {
  const terms: GrantTerms = {
    grantee: 'police',
    dataset: DATASET,
    items: ['id', '姓名'],
    modes: ['changes'],
    purpose: 'case-check',
    legalBasis: '依法',
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2099-01-01T00:00:00Z',
    ...changes,
  };
  return (await createGrant(bench.world, { terms, actor: { actor: 'token:officer' } })).id;
}

async function leavesOf(action: string) {
  const entries = await bench.audit.reader.entries(0, 1_000);
  return entries.map(({ leaf }) => JSON.parse(leaf)).filter((leaf) => leaf.action.startsWith(action));
}

describe('what is told', () => {
  test('insert, delete, and both images of an update; net over the versions in between', async () => {
    expect(await told({ until: 2 })).toEqual([
      'delete 1 张三',
      'insert 5 赵六',
      'update_postimage 2 新',
      'update_postimage 3 李思',
      'update_preimage 2 null',
      'update_preimage 3 李四',
    ]);
    // 3 was renamed and renamed back, 5 came and went: neither is told.
    expect(await told()).toEqual(['delete 1 张三', 'delete 2 null']);
  });

  test('an image before comes right before the one after', async () => {
    const lines = (await bytesOf((await open({ until: 2, format: 'json-lines' })).stream)).toString().trim();
    const rows = lines.split('\n').map((line) => JSON.parse(line));
    const at = rows.findIndex(({ _change, id }) => _change === 'update_preimage' && id === 3);
    expect(rows.slice(at, at + 2)).toEqual([
      { _change: 'update_preimage', id: 3, 姓名: '李四' },
      { _change: 'update_postimage', id: 3, 姓名: '李思' },
    ]);
  });

  test('nothing changed: no rows, and the version to go on from; a later one than there is is refused', async () => {
    const opened = await open({ since: 3 });
    expect(opened.version.number).toBe(3);
    expect(tableFromIPC(await bytesOf(opened.stream)).numRows).toBe(0);
    const csv = await open({ since: 3, format: 'csv' });
    expect((await bytesOf(csv.stream)).toString()).toBe('_change,id,姓名\r\n');
    await expect(open({ since: 4 })).rejects.toMatchObject({ code: 'REQUEST_INVALID', pointer: '/since' });
    await expect(open({ since: 2, until: 1 })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

describe('under a grant', () => {
  test('of the mode changes only; the refusal is in the log', async () => {
    await expect(told({ principal: police })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const bulk = await grant({ modes: ['bulk'] });
    await expect(told({ principal: police, grant: bulk })).rejects.toMatchObject({ code: 'GRANT_NOT_USABLE' });
    expect((await leavesOf('dataset.changes')).at(-1)).toMatchObject({ decision: 'deny', rule: 'GRANT_NOT_USABLE' });
    const changes = await grant({});
    expect(await told({ principal: police, grant: changes })).toEqual(['delete 1 张三', 'delete 2 null']);
  });

  test('a change that a mask or a missing column hides is none', async () => {
    const reader = { principal: police, until: 2 };
    const masked = await grant({ masks: { 姓名: { mask: 'partial', shape: 'name' } } });
    // 李四 and 李思 are both 李*; null and 新 are not the same behind the mask either.
    expect(await told({ ...reader, grant: masked })).toEqual([
      'delete 1 张*',
      'insert 5 赵*',
      'update_postimage 2 *',
      'update_preimage 2 null',
    ]);
    const keyOnly = await grant({ items: ['id'] });
    expect(await told({ ...reader, grant: keyOnly })).toEqual(['delete 1 undefined', 'insert 5 undefined']);
  });

  test('a row that enters the filter is an insert, one that leaves it a delete, also by a column not given', async () => {
    const filter = { rowFilter: { startsWith: { column: '姓名', value: '李四' } } };
    const reader = { principal: police };
    const given = await grant(filter);
    expect(await told({ ...reader, grant: given, until: 2 })).toEqual(['delete 3 李四']);
    expect(await told({ ...reader, grant: given, since: 2 })).toEqual(['insert 3 李四']);
    const hidden = await grant({ ...filter, items: ['id'] });
    expect(await told({ ...reader, grant: hidden, since: 2 })).toEqual(['insert 3 undefined']);
  });

  test('the key must be shown, whole or hashed', async () => {
    const reader = { principal: police, until: 2 };
    for (const terms of [{ items: ['姓名'] }, { masks: { id: { mask: 'constant' as const } } }]) {
      const refused = told({ ...reader, grant: await grant(terms) });
      await expect(refused).rejects.toMatchObject({ code: 'COLUMN_NOT_GRANTED' });
      expect((await leavesOf('dataset.changes')).at(-1)).toMatchObject({
        decision: 'deny',
        rule: 'COLUMN_NOT_GRANTED',
      });
    }
    const hashed = await told({ ...reader, grant: await grant({ masks: { id: { mask: 'keyed-hash' } } }) });
    expect(hashed.map((row) => row.replace(/[0-9a-f]{64}/, '#')).sort()).toEqual([
      'delete # 张三',
      'insert # 赵六',
      'update_postimage # 新',
      'update_postimage # 李思',
      'update_preimage # null',
      'update_preimage # 李四',
    ]);
  });

  test('quota counts each, a revocation ends the next, and metering has them', async () => {
    const once = await grant({ quota: { readsPerDay: 1 } });
    const reader = { principal: police, grant: once };
    await told(reader);
    await expect(told(reader)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const free = await grant({});
    await told({ principal: police, grant: free });
    await revokeGrant(bench.world.catalog, { id: free, actor: { actor: 'token:officer' }, reason: '终止' });
    await expect(told({ principal: police, grant: free })).rejects.toMatchObject({ code: 'GRANT_NOT_USABLE' });
    const sums = await meter(bench.world.catalog, police, { by: ['grant'] });
    expect(sums.find((sum) => sum.grant === free)).toMatchObject({ reads: 1, rows: 2 });
  });

  test('opened is in the log before the first byte, closed counts the rows', async () => {
    await told({ until: 2 });
    const [opened, closed] = (await leavesOf('dataset.changes')).slice(-2);
    expect(opened).toMatchObject({
      action: 'dataset.changes.opened',
      object: `dataset/${DATASET}/version/2`,
      detail: { since: 1 },
    });
    expect(closed).toMatchObject({ action: 'dataset.changes.closed', outcome: 'complete', rows: 6 });
  });
});

test('applied to what was read in bulk, they give what is read in bulk, under one grant', async () => {
  const both: Partial<GrantTerms>[] = [
    {},
    { items: ['id'] },
    { masks: { 姓名: { mask: 'partial', shape: 'name' } } },
    { masks: { id: { mask: 'keyed-hash' } }, rowFilter: { not: { isNull: { column: '姓名' } } } },
  ];
  for (const terms of both) {
    const id = await grant({ ...terms, modes: ['bulk', 'changes'] });
    const asked = { principal: police, dataset: DATASET, grant: id, format: 'json-lines' as const };
    const bulk = async (version: number) =>
      (await linesOf(openRead(bench.access, { ...asked, version }))).map((row) => JSON.stringify(row)).sort();
    for (const [since, until] of [
      [1, 2],
      [2, 3],
      [1, 3],
    ] as const) {
      const rows = new Set(await bulk(since));
      for (const { _change, ...row } of await linesOf(openChanges(bench.access, { ...asked, since, until }))) {
        const [text, gone] = [JSON.stringify(row), ['delete', 'update_preimage'].includes(String(_change))];
        expect(gone ? rows.delete(text) : !rows.has(text)).toBe(true);
        if (!gone) rows.add(text);
      }
      expect([...rows].sort()).toEqual(await bulk(until));
    }
  }
});

async function linesOf(opening: Promise<Session>): Promise<Record<string, unknown>[]> {
  const text = (await bytesOf((await opening).stream)).toString().trim();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line));
}

// Last: from here on version 1 is recalled.
test('only a bulk read leads on from a version that cannot be read any more', async () => {
  await expect(open({ since: 1 })).resolves.toMatchObject({ version: { number: 3 } });
  await bench.world.catalog('version_recall').insert({
    ...{ dataset: DATASET, version: 1, reason: '错误', actor: 'token:officer', person: 'p' },
    recalled_at: new Date(),
  });
  await expect(open({ since: 1 })).rejects.toMatchObject({ code: 'CHANGES_UNAVAILABLE', pointer: '/since' });
  expect((await leavesOf('dataset.changes')).at(-1)).toMatchObject({ decision: 'deny', rule: 'VERSION_RECALLED' });
});
