/** The whole of a department's side over files: the real connector, real reading threads, the real contract compiler. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAtOf, readBatches } from '../../columnar/read.ts';
import type { Connector } from '../../connectors/connector.ts';
import type { FilesConfig } from '../../connectors/files/config.ts';
import { files } from '../../connectors/files/index.ts';
import { generateBoxKeys } from '../../lib/sealed-box.ts';
import { extract } from '../../pipeline/extract.ts';
import { httpStagingClient } from '../../pipeline/http-staging.ts';
import type { RunReport } from '../../schemas/generated/run-report.ts';
import { pythonLacks, runPython } from '../support/python.ts';
import { withStaging } from './staging-server.ts';

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'huitong-files-test-')));
});
afterAll(() => rm(folder, { recursive: true }));

const properties = {
  编号: { type: 'string', pattern: '^[0-9]{3}$' },
  姓名: { type: 'string' },
  出生: { type: ['string', 'null'], format: 'date' },
};

async function publish(config: FilesConfig, table: string): Promise<{ report: RunReport; rows: string[] }> {
  const assignment = {
    runId: 'run-1',
    dataset: 'health.residents',
    department: 'health',
    source: { code: 'health.files', kind: 'files', connection: { ...config } },
    table: { name: table },
    contract: { version: '1.0.0', key: ['编号'], type: 'object', required: ['编号', '姓名'], properties },
    plan: { partitions: 2, controlTotals: true },
    quarantineKey: generateBoxKeys().publicKey,
  };
  return withStaging(assignment, async (staging) => {
    const session = await httpStagingClient({ url: staging.url, token: 'worker-token' }).openGeneration('run-1');
    const connector = files as Connector;
    const { report } = await extract({ session, connector, config, signal: new AbortController().signal });
    const rows: string[] = [];
    for (const part of report.parts) {
      const { bytes } = staging.objects.get(part.digest)!;
      for await (const batch of readBatches(readAtOf(bytes), bytes.byteLength)) {
        for (let row = 0; row < batch.numRows; row++) rows.push(String(batch.getChild('姓名')?.get(row)));
      }
    }
    return { report, rows };
  });
}

test('a CSV file in GBK: good rows are published, the rest is found, every record is counted twice', async () => {
  // 张三, 李四 in GBK; the third row has a cell too few, the fourth a day that is none.
  const gbk = '\xb1\xe0\xba\xc5,\xd0\xd5\xc3\xfb,\xb3\xf6\xc9\xfa';
  const rows = [
    '007,\xd5\xc5\xc8\xfd,1990-05-06',
    '008,\xc0\xee\xcb\xc4,',
    '009,x',
    '010,y,1990-02-30',
    '7,z,',
    '007,again,',
  ];
  await writeFile(join(folder, 'a.csv'), Buffer.from(`${gbk}\r\n${rows.join('\r\n')}\r\n`, 'latin1'));
  const config = { folder, tables: { 居民: { files: 'a.csv', encoding: 'gbk' as const, types: { 出生: 'date' } } } };
  const { report, rows: published } = await publish(config, '居民');
  expect(published).toEqual(['张三', '李四']);
  expect(report).toMatchObject({
    rowsRead: 6,
    rowsPublished: 2,
    rowsQuarantined: 4,
    guarantee: 'snapshot',
    controlTotals: { rows: 6 },
  });
  expect(report.quarantinedByCode).toMatchObject({ OUT_OF_RANGE: 1, PATTERN: 1, DUPLICATE_KEY: 1 });
});

const lacks = pythonLacks('openpyxl', 'pyarrow');

test.skipIf(lacks)(
  `a workbook and a Parquet file give the same rows through the same threads ${lacks ?? ''}`,
  async () => {
    await runPython(
      `import openpyxl, datetime, sys, json, pyarrow as pa, pyarrow.parquet as pq
rows = [('007', '张三', datetime.date(1990, 5, 6)), ('008', '李四', None)]
wb = openpyxl.Workbook(); wb.active.append(['编号', '姓名', '出生'])
for r in rows: wb.active.append(r)
wb.save(sys.argv[1] + '/b.xlsx')
t = pa.table({n: pa.array([r[i] for r in rows], ty) for i, (n, ty) in enumerate([('编号', pa.string()), ('姓名', pa.string()), ('出生', pa.date32())])})
pq.write_table(t, sys.argv[1] + '/c.parquet'); print('null')`,
      folder,
    );
    const tables = { 'b.xlsx': { types: { 出生: 'date' } } };
    const workbook = await publish({ folder, tables }, 'b.xlsx');
    const parquet = await publish({ folder }, 'c.parquet');
    expect(workbook.rows).toEqual(['张三', '李四']);
    expect(parquet.rows).toEqual(workbook.rows);
    // A workbook has no rows that can be counted without being read.
    expect(workbook.report.controlTotals).toBeUndefined();
    expect(parquet.report.controlTotals?.rows).toBe(2);
  },
);
