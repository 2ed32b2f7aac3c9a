import type { RecordBatch } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportQuarantine, listQuarantine, type QuarantinedRow } from '../../../exchange/access/quarantine.ts';
import { BoxSealer } from '../../../lib/sealed-box.ts';
import { quarantineBatch } from '../../../pipeline/quarantine.ts';
import { writePart } from '../../columnar/samples.ts';
import { type Bench, batchOf, bytesOf, openBench, principal } from './support.ts';

let bench: Bench;
let runId: string;
beforeAll(async () => {
  bench = await openBench();
  const first = quarantined(
    [
      [1n, '=cmd'],
      [2n, 'good'],
      [9007199254740993n, null],
    ],
    [0, 2],
  );
  const second = quarantined([[4n, 'long name']], [0]);
  const parts = [first, second].map((batch) => ({ bytes: seal(writePart([batch])), rows: batch.numRows }));
  ({ runId } = await bench.publish(
    [
      [
        batchOf([
          [2n, 'good'],
          [3n, 'x'],
          [5n, 'y'],
        ]),
      ],
    ],
    parts,
  ));
});
afterAll(() => bench.close());

const owner = principal('health', 'engineer');
const refused = (code: string) => expect.objectContaining({ code });

test('the owner sees row, key, pointer and code, page by page, and each page is in the log', async () => {
  const seen: QuarantinedRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await listQuarantine(bench.access, { principal: owner, runId, limit: 2, cursor });
    seen.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  expect(seen).toEqual([
    { partition: 3, ordinal: 0, key: '{"id":1}', errors: wrong, row: '{"id":1,"姓名":"=cmd"}' },
    {
      partition: 3,
      ordinal: 2,
      key: '{"id":9007199254740993}',
      errors: wrong,
      row: '{"id":9007199254740993,"姓名":null}',
    },
    { partition: 3, ordinal: 0, key: '{"id":4}', errors: wrong, row: '{"id":4,"姓名":"long name"}' },
  ]);
  const reads = (await bench.leaves()).filter(({ decision }) => decision === 'allow');
  expect(reads.map(({ action, rows }) => [action, rows])).toEqual([
    ['quarantine.read', 2],
    ['quarantine.read', 1],
  ]);
});

test('it is exported as CSV and JSON lines, with formulas neutralised', async () => {
  const csv = await exportQuarantine(bench.access, { principal: owner, runId, format: 'csv' });
  const text = (await bytesOf(csv.stream)).toString();
  expect(text.split('\r\n')[0]).toBe('id,姓名,__row,__key,__errors');
  expect(text.split('\r\n')[1]).toMatch(/^1,'=cmd,"\{""partition"":3,""ordinal"":0\}","\{""id"":1\}"/);
  const lines = await exportQuarantine(bench.access, { principal: owner, runId, format: 'json-lines' });
  expect((await bytesOf(lines.stream)).toString().trimEnd().split('\n')).toHaveLength(3);
  await Promise.all([csv.closed, lines.closed]);
  const closed = (await bench.leaves()).filter(({ action }) => action === 'quarantine.read.closed');
  expect(closed.map(({ rows, outcome }) => [rows, outcome])).toEqual([
    [3, 'complete'],
    [3, 'complete'],
  ]);
});

test('another department and an absent run look the same; a role without the right is told so; all are in the log', async () => {
  const list = (who = owner, id = runId) =>
    listQuarantine(bench.access, { principal: who, runId: id }).catch((e: Error) => e);
  const other = await list(principal('police', 'engineer'));
  const absent = await list(owner, '0198c1f2-0000-7000-8000-000000000002');
  expect([other, absent]).toEqual([refused('NOT_FOUND'), refused('NOT_FOUND')]);
  expect((other as Error).message).toBe((absent as Error).message);
  expect(await list(principal('health', 'operator'))).toEqual(refused('FORBIDDEN'));
  expect(await list()).toMatchObject({ items: { length: 3 } });
  const denials = (await bench.leaves()).filter(({ decision }) => decision === 'deny');
  expect(denials.map(({ rule }) => rule)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'FORBIDDEN']);
});

test('another key does not open it, and what is past its retention is gone', async () => {
  const wrongKey = { ...bench.access, quarantinePrivateKey: Buffer.alloc(32, 5).toString('base64') };
  await expect(listQuarantine(wrongKey, { principal: owner, runId })).rejects.toThrow(refused('SEALED_INVALID'));
  await bench.world.catalog('quarantine_part').update({ expires_at: new Date(0) });
  expect(await listQuarantine(bench.access, { principal: owner, runId })).toEqual({ items: [] });
  await expect(exportQuarantine(bench.access, { principal: owner, runId, format: 'csv' })).rejects.toThrow(
    refused('NOT_FOUND'),
  );
});

const wrong = [{ pointer: '/姓名', code: 'PATTERN' }];

/** As the pipeline makes it: these rows of these are bad. */
function quarantined(rows: [bigint, string | null][], bad: number[]): RecordBatch {
  const mask = Uint8Array.from(rows, (_, row) => (bad.includes(row) ? 1 : 0));
  const errors = bad.map((row) => ({ row, pointer: '/姓名', code: 'PATTERN' }));
  return quarantineBatch({ batch: batchOf(rows), mask, errors, partition: 3, ordinalOf: (row) => row, keyColumns: [0] })
    .batch;
}

function seal(file: Uint8Array): Uint8Array {
  const sealer = new BoxSealer(bench.quarantineKey);
  return Buffer.concat([sealer.start(), sealer.seal(file), sealer.end()]);
}
