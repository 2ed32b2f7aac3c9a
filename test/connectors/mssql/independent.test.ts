/** The test server, read by a client that shares nothing with it: pymssql (FreeTDS). Else our mistakes would agree. */
import { expect, test } from 'vitest';
import { pythonLacks, runPython } from '../../support/python.ts';
import { withTdsServer } from '../../support/tds/server.ts';
import * as tds from '../../support/tds/types.ts';
import { CANARY } from './support.ts';

const lacking = pythonLacks('pymssql');

const SCRIPT = `
import json, sys, pymssql
def connect(password):
    return pymssql.connect(server='127.0.0.1', port=sys.argv[1], user='reader', password=password, database='health', tds_version='7.4', login_timeout=5)
def image(value):
    if value is None: return None
    if isinstance(value, (bytes, bytearray)): return '0x' + value.hex()
    if isinstance(value, bool): return '1' if value else '0'
    return str(value)
try:
    connect('wrong')
    refused = False
except pymssql.OperationalError as error:
    refused = '18456' in str(error)
cursor = connect(sys.argv[2]).cursor()
cursor.execute('select * from torture where name = %s', ('汇通',))
print(json.dumps({'refused': refused, 'names': [c[0] for c in cursor.description], 'rows': [[image(v) for v in row] for row in cursor.fetchall()]}))
`;

const columns = [
  { name: 'tiny', type: tds.integer(1), values: ['255', '0'] },
  { name: 'int', type: tds.integer(4), values: ['-2147483648', '5'] },
  { name: 'big', type: tds.integer(8), values: ['-9223372036854775808', '9223372036854775807'] },
  { name: 'bit', type: tds.bit(), values: ['1', '0'] },
  { name: 'float', type: tds.float(), values: ['0.1', '-1.5'] },
  { name: 'decimal', type: tds.decimal(38, 4), values: ['-9999999999999999999999999999999999.9999', '17.6850'] },
  { name: 'money', type: tds.money(), values: ['-922337203685477.5808', '17.6850'] },
  { name: 'date', type: tds.date(), values: ['0001-01-01', '9999-12-31'] },
  { name: 'instant', type: tds.datetime2(6), values: ['2024-02-29 23:59:59.999999', '1969-12-31 00:00:00.000001'] },
  {
    name: 'id',
    type: tds.uniqueidentifier(),
    values: ['00112233-4455-6677-8899-aabbccddeeff', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  },
  { name: '姓名', type: tds.nvarchar(50), values: ['汇通😀', ''] },
  { name: 'latin', type: tds.varchar(50), values: ['Zürich', 'x'] },
  { name: 'long', type: tds.nvarchar('max', 9), values: ['长'.repeat(5_000), 'x'] },
  { name: 'bytes', type: tds.varbinary('max', 3), values: ['0x00ff01', '0x01'] },
  { name: 'legacy', type: tds.ntext(), values: ['汇', 'x'] },
];

test.skipIf(lacking !== undefined)(
  `pymssql reads what the test server sends${lacking ? ` (${lacking})` : ''}`,
  async () => {
    const rows = [0, 1].map((row) => columns.map(({ values }) => values[row] ?? null));
    const asked: unknown[] = [];
    const answer = {
      users: { reader: CANARY },
      answer: async (query: { sql: string }, reply: Parameters<Parameters<typeof withTdsServer>[0]['answer']>[1]) => {
        if (!query.sql.includes('torture')) return;
        asked.push(query.sql);
        await reply.columns(columns);
        for (const row of rows) await reply.row(row);
        await reply.nbcRow(columns.map(() => null));
      },
    };
    await withTdsServer(answer, async ({ port }) => {
      const read = await runPython<{ refused: boolean; names: string[]; rows: unknown[][] }>(
        SCRIPT,
        String(port),
        CANARY,
      );
      expect(read.refused).toBe(true);
      expect(read.names).toEqual(columns.map(({ name }) => name));
      expect(read.rows).toEqual([...rows, columns.map(() => null)]);
      expect(asked).toEqual(["select * from torture where name = N'汇通'"]);
    });
  },
);
