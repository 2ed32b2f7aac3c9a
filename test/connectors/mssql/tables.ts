/** The tables of the conformance test. */
import { limits } from '../../../lib/limits.ts';
import { unsigned } from '../../support/tds/bytes.ts';
import type { FakeTable } from '../../support/tds/database.ts';
import type { Reply } from '../../support/tds/server.ts';
import * as tds from '../../support/tds/types.ts';
import { brokenCases, typeCases } from './cases.ts';
import { tortureOf } from './torture.ts';

const id = { name: 'id', declared: 'bigint', type: tds.integer(8), nullable: false };
const name = { name: 'name', declared: 'nvarchar(50)', type: tds.nvarchar(50) };
const CHUNK_BYTES = 32_000;

export function largeRows(): (string | null)[][] {
  return Array.from({ length: 5_000 }, (_, i) => [String(i), i % 7 === 0 ? null : `居民 ${i}`]);
}

export const torture = tortureOf('torture', [...typeCases, ...brokenCases], true);

/** Rows that differ in the last of seven digits, which no clock of JavaScript tells apart. */
export const changes: FakeTable = {
  name: 'changes',
  columns: [id, { name: 'changed', declared: 'datetime2(7)', type: tds.datetime2(7), nullable: false }],
  rows: Array.from({ length: 9 }, (_, i) => [String(i), `2026-03-01 00:00:00.123456${i + 1}`]),
};

export function makeTables(): FakeTable[] {
  return [
    {
      name: 'large',
      columns: [id, { ...name, comment: '姓名' }],
      rows: largeRows(),
      keys: [{ columns: ['id'], primary: true }],
      comment: '常住居民',
    },
    { name: 'empty', columns: [id, name] },
    {
      name: 'Names 表]',
      columns: ['Id', 'with space', 'quo]te"d', '姓名', 'select'].map((column) => ({ ...name, name: column })),
      rows: [['1', '2', '3', '4', '5']],
    },
    {
      name: 'wide',
      columns: Array.from({ length: 1024 }, (_, i) => ({ name: `c${i}`, declared: 'int', type: tds.integer(4) })),
      rows: [Array.from({ length: 1024 }, (_, i) => String(i))],
    },
    bigTable('big cell', limits.cellBytesMax),
    bigTable('larger cell', limits.cellBytesMax + 1),
    torture.table,
    changes,
    {
      name: 'unmapped',
      columns: [
        id,
        { name: 'point', declared: 'Point3D', type: tds.nvarchar('max'), isClr: true },
        { name: 'secret', declared: 'int', type: tds.integer(4), isEncrypted: true },
      ],
    },
    { name: 'forbidden', columns: [id], isForbidden: true },
    { name: 'revoked', columns: [id], rows: [['1']] },
    { name: 'slow', columns: [id], send: sendSlowly },
  ];
}

/** One row with a cell of `bytes` ASCII characters as nvarchar(max), of a length that is not told beforehand. */
function bigTable(table: string, bytes: number): FakeTable {
  return {
    name: table,
    columns: [id, { name: 'cell', declared: 'nvarchar(max)', type: tds.nvarchar('max') }, name],
    send: async (reply) => {
      const unknownLength = unsigned(8, 0xffff_ffff_ffff_fffen);
      await reply.rawRows(Buffer.concat([unsigned(1, 0xd1), tds.integer(8).cell('1'), unknownLength]), 1);
      const chunk = Buffer.alloc(CHUNK_BYTES, 'a\0');
      for (let left = bytes * 2; left > 0 && !reply.signal.aborted; left -= CHUNK_BYTES) {
        const size = Math.min(left, CHUNK_BYTES);
        await reply.token(Buffer.concat([unsigned(4, size), chunk.subarray(0, size)]));
      }
      await reply.token(Buffer.concat([unsigned(4, 0), tds.nvarchar(50).cell('after it')]));
    },
  };
}

async function sendSlowly(reply: Reply): Promise<void> {
  for (let i = 0; !reply.signal.aborted; i++) {
    await reply.row([String(i)]);
    await reply.sleep(50);
  }
}
