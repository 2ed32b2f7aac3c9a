/** The test server, read by a client that shares nothing with it: pymssql (FreeTDS). Else our mistakes would agree. */
import { expect, test } from 'vitest';
import { pythonLacks, runPython } from '../../support/python.ts';
import type { Reply, TdsQuery } from '../../support/tds/server.ts';
import { withTdsServer } from '../../support/tds/server.ts';
import { type TypeCase, typeCases } from './cases.ts';
import { CANARY } from './support.ts';
import { tortureOf } from './torture.ts';

const lacking = pythonLacks('pymssql');
const why = lacking === undefined ? '' : ` (${lacking})`;

const SCRIPT = `
import datetime, decimal, json, sys, pymssql
def connect(password):
    return pymssql.connect(server='127.0.0.1', port=sys.argv[1], user='reader', password=password, database='health', tds_version='7.4', login_timeout=5, charset='UTF-8')
def image(value):
    if value is None: return None
    if isinstance(value, (bytes, bytearray)): return '0x' + value.hex()
    if isinstance(value, bool): return '1' if value else '0'
    if isinstance(value, decimal.Decimal): return format(value, 'f')
    if isinstance(value, datetime.datetime): return value.isoformat(' ', 'microseconds')
    if isinstance(value, datetime.time): return value.isoformat('microseconds')
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

/** Of a sql_variant pymssql gives the bare bytes: bytes.test.ts has those. */
const cases = typeCases.filter(({ declared }) => declared !== 'sql_variant');

/** As `image` shows it: six digits of a second, blanks that fill. */
function inPython({ declared, expected }: TypeCase, value: string): string {
  if (/^n?char/.test(declared)) return String(expected?.(value));
  if (!/^(time\(|datetime|smalldatetime)/.test(declared)) return value;
  const [, clock = '', fraction = '', zone = ''] = /^(.*?\d\d:\d\d:\d\d)(?:\.(\d+))?(?: ([+-].*))?$/.exec(value) ?? [];
  return `${clock}.${fraction.padEnd(6, '0').slice(0, 6)}${zone}`;
}

/** Floats as what they are: their texts differ between languages. */
function compared(rows: (string | null)[][]): (string | number | null)[][] {
  const isFloat = cases.map(({ declared }) => declared === 'real' || declared === 'float');
  return rows.map((row) => row.map((cell, i) => (cell !== null && isFloat[i] ? Number(cell) : cell)));
}

test.skipIf(lacking !== undefined)(`pymssql reads every type that the test server sends${why}`, async () => {
  const { table } = tortureOf('torture', cases, true);
  const sent = table.rows ?? [];
  const asked: string[] = [];
  const answer = async ({ sql }: TdsQuery, reply: Reply) => {
    if (!sql.includes('torture')) return;
    asked.push(sql);
    await reply.columns(table.columns);
    for (const row of sent) await reply.row(row);
    for (const row of sent) await reply.nbcRow(row);
  };
  await withTdsServer({ users: { reader: CANARY }, answer }, async ({ port }) => {
    const read = await runPython<{ refused: boolean; names: string[]; rows: (string | null)[][] }>(
      SCRIPT,
      String(port),
      CANARY,
    );
    const expected = sent.map((row) =>
      row.map((cell, i) => (cell === null ? null : inPython(cases[i] as TypeCase, cell))),
    );
    expect(read.refused).toBe(true);
    expect(read.names).toEqual(table.columns.map(({ name }) => name));
    expect(compared(read.rows)).toEqual(compared([...expected, ...expected]));
    expect(asked).toEqual(["select * from torture where name = N'汇通'"]);
  });
});
