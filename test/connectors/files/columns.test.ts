/** Arrow and Parquet as pyarrow and DuckDB write them. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { readAtOf, readPartIndex, readStreamIndex } from '../../../columnar/read.ts';
import { pythonLacks, runPython } from '../../support/python.ts';
import { readContent, readTable, withFolder } from './support.ts';

const lacks = pythonLacks('pyarrow');
const TABLE = `import pyarrow as pa, pyarrow.parquet as pq, json, base64, decimal, datetime
n = 6000
t = pa.table({'id': pa.array(range(n), pa.int64()), '姓名': pa.array([None if i % 7 == 0 else f'名{i}' for i in range(n)]),
  'd': pa.array([decimal.Decimal(i) / 100 for i in range(n)], pa.decimal128(20, 2)),
  't': pa.array([datetime.datetime(2024, 1, 1, microsecond=i) for i in range(n)], pa.timestamp('us'))})
sink = pa.BufferOutputStream()
`;
const expected = Array.from({ length: 6_000 }, (_, i) => [
  String(i),
  i % 7 === 0 ? null : `名${i}`,
  (i / 100).toFixed(2),
  `2024-01-01 00:00:00${i === 0 ? '' : `.${String(i).padStart(6, '0').replace(/0+$/, '')}`}`,
]);

async function written(script: string): Promise<Uint8Array> {
  const text = `${TABLE}${script}\nprint(json.dumps(base64.b64encode(sink.getvalue().to_pybytes()).decode()))`;
  return Buffer.from(await runPython<string>(text), 'base64');
}

describe.skipIf(lacks)(`what pyarrow writes ${lacks ?? ''}`, () => {
  test.each([
    ['a.arrow', 'w = pa.ipc.new_file(sink, t.schema)\nw.write_table(t, 1000)\nw.close()'],
    [
      'b.arrow',
      "w = pa.ipc.new_file(sink, t.schema, options=pa.ipc.IpcWriteOptions(compression='zstd'))\nw.write_table(t, 1000)\nw.close()",
    ],
    ['a.arrows', 'w = pa.ipc.new_stream(sink, t.schema)\nw.write_table(t, 1000)\nw.close()'],
    [
      'b.arrows',
      "w = pa.ipc.new_stream(sink, t.schema, options=pa.ipc.IpcWriteOptions(compression='zstd'))\nw.write_table(t)\nw.close()",
    ],
    ['a.parquet', 'pq.write_table(t, sink, row_group_size=1000)'],
    ['b.parquet', "pq.write_table(t, sink, compression='zstd')"],
  ])('%s: every cell, in batches of a reader’s size, in parts', async (name, script) => {
    const bytes = await written(script);
    await withFolder({ [name]: bytes }, async (folder) => {
      const seen = await readTable({ folder }, name, 2);
      expect(seen.rows).toEqual(expected);
      expect(seen.counted).toBe(expected.length);
      expect(seen.partitions).toBe(script.includes('1000') ? 2 : 1);
    });
  });

  test('lz4 is refused by its name, with what to do', async () => {
    const bytes = await written(
      "w = pa.ipc.new_file(sink, t.schema, options=pa.ipc.IpcWriteOptions(compression='lz4'))\nw.write_table(t)\nw.close()",
    );
    const read = readContent('a.arrow', bytes);
    await expect(read).rejects.toMatchObject({ code: 'ARROW_INVALID', message: expect.stringContaining('lz4') });
  });

  test('a dictionary column is refused by name, and can be skipped by none but its writer', async () => {
    const bytes = await written(
      "t = pa.table({'a': pa.array(['x', 'y']).dictionary_encode()})\nw = pa.ipc.new_file(sink, t.schema)\nw.write_table(t)\nw.close()",
    );
    const error: unknown = await readContent('a.arrow', bytes).catch((e: unknown) => e);
    expect(['ARROW_INVALID', 'TYPE_UNMAPPED']).toContain((error as { code: string }).code);
  });

  test('damaged streams are refused, whatever is damaged', async () => {
    const bytes = await written('w = pa.ipc.new_stream(sink, t.schema)\nw.write_table(t, 2500)\nw.close()');
    const good = await readStreamIndex(readAtOf(bytes), bytes.length);
    expect(good.rows).toBe(6_000);
    for (const cut of [3, 40, bytes.length >> 1]) {
      const part = bytes.subarray(0, cut);
      await expect(readStreamIndex(readAtOf(part), part.length)).rejects.toMatchObject({ code: 'ARROW_INVALID' });
    }
    await expect(readPartIndex(readAtOf(bytes), bytes.length)).rejects.toMatchObject({ code: 'ARROW_INVALID' });
  });
});

test('Parquet of DuckDB: integers beyond doubles, decimals, dates', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'huitong-duckdb-'));
  try {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(
      `copy (select 9007199254740993::bigint as id, 12345678901234567.89::decimal(19,2) as d, date '2024-02-29' as day, true as ok,
             'NULL' as s union all select null, null, null, null, null) to '${folder}/a.parquet' (format parquet)`,
    );
    connection.closeSync();
    const seen = await readContent('a.parquet', await readFile(join(folder, 'a.parquet')));
    expect(seen.rows).toEqual([
      ['9007199254740993', '12345678901234567.89', '2024-02-29', 't', 'NULL'],
      [null, null, null, null, null],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what is no Parquet is said to be none', async () => {
  await expect(readContent('a.parquet', 'PAR1 but nothing else PAR1')).rejects.toMatchObject({ code: 'FILE_INVALID' });
});
