/**
 * Oracle and Dameng without a server: types, statements, what becomes of each cell, and errors. What only a server can
 * prove is in `conformance.test.ts`, which runs where ORACLE_URL or DAMENG_URL is set.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderCell } from '../../../connectors/conformance/render.ts';
import { errorOf as damengErrorOf } from '../../../connectors/dameng/driver.ts';
import { dameng } from '../../../connectors/dameng/index.ts';
import { type DriverConnection, OraSession, type OraTarget } from '../../../connectors/ora-session.ts';
import * as source from '../../../connectors/ora-source.ts';
import { damengForms, oracleForms, oraTypes, selectExpression } from '../../../connectors/ora-types.ts';
import { errorOf, fetchTypeHandler } from '../../../connectors/oracle/driver.ts';
import { oracle } from '../../../connectors/oracle/index.ts';
import { limits } from '../../../lib/limits.ts';

const context = { signal: new AbortController().signal, label: 'huitong/test' };
const types = oraTypes(oracleForms);

/** A connection that answers from a script; what it does not know is an empty result. */
function scripted(answer: (sql: string, binds: unknown[]) => unknown[][] | undefined) {
  const statements: string[] = [];
  const connection: DriverConnection = {
    async execute(sql, binds, options) {
      statements.push(sql.replaceAll(/\s+/g, ' ').trim());
      const rows = answer(sql, binds) ?? [];
      if (options.resultSet !== true) return { rows };
      let at = 0;
      return {
        resultSet: {
          getRows: async (count) => {
            at += count;
            return rows.slice(at - count, at);
          },
          close: async () => {},
        },
      };
    },
    close: async () => {},
  };
  const target: OraTarget = { place: 'test', connect: async () => connection, errorOf, fetchOptions: {} };
  const dialect: source.OraDialect<object> = {
    types,
    targetOf: () => target,
    server: 'Test',
    versionQuery: 'select version',
    scnQueries: ['select scn by flashback', 'select scn by view'],
    beginReading: 'set transaction read only',
  };
  return { dialect, statements };
}

const columnRows = (
  columns: [name: string, type: string, precision: number | null, scale: number | null, nullable: 'Y' | 'N'][],
) =>
  columns.map(([name, type, precision, scale, nullable]) => [
    'HIS',
    '病人',
    name,
    type,
    precision,
    scale,
    22,
    nullable,
    name === 'ID' ? '编号' : null,
  ]);

function catalog(columns: unknown[][], scn?: string) {
  return (sql: string): unknown[][] | undefined => {
    if (sql.includes('all_objects')) return [['HIS', '病人', 'TABLE', '病人表', '1000']];
    if (sql.includes('all_tab_columns')) return columns;
    if (sql.includes('all_constraints'))
      return [
        ['HIS', '病人', 'PK', 'P', 'ID'],
        ['HIS', '病人', 'UQ', 'U', 'CODE'],
      ];
    if (sql.includes('scn by flashback')) throw new Error('ORA-00904: "DBMS_FLASHBACK": invalid identifier');
    if (sql.includes('scn by view') && scn !== undefined) return [[scn]];
    if (sql.includes('scn by view')) throw new Error('ORA-00942: table or view does not exist');
    return undefined;
  };
}

describe('types', () => {
  test.each([
    [{ name: 'NUMBER' }, 'Utf8'],
    [{ name: 'NUMBER', scale: 0 }, 'Decimal[38e0]'],
    [{ name: 'NUMBER', precision: 18, scale: 0 }, 'Int64'],
    [{ name: 'NUMBER', precision: 19, scale: 0 }, 'Decimal[19e0]'],
    [{ name: 'NUMBER', precision: 38, scale: 10 }, 'Decimal[38e+10]'],
    [{ name: 'NUMBER', precision: 5, scale: -2 }, 'Int64'],
    [{ name: 'NUMBER', precision: 38, scale: -2 }, 'Utf8'],
    [{ name: 'NUMBER', precision: 3, scale: 5 }, 'Decimal[5e+5]'],
    [{ name: 'NUMBER', precision: 2, scale: 100 }, 'Utf8'],
    [{ name: 'FLOAT', precision: 126 }, 'Utf8'],
    [{ name: 'DATE' }, 'Timestamp<MICROSECOND>'],
    [{ name: 'TIMESTAMP WITH TIME ZONE' }, 'Timestamp<MICROSECOND, UTC>'],
    [{ name: 'BLOB' }, 'Binary'],
    [{ name: 'SDO_GEOMETRY' }, undefined],
    [{ name: 'toString' }, undefined],
  ])('%j is %s', (type, arrow) => {
    const mapping = types.mappingOf(type);
    expect(mapping && String(types.arrowTypeOf(mapping))).toBe(arrow);
  });

  test('every type of both tables has an Arrow type and an expression that names its column', () => {
    for (const forms of [oracleForms, damengForms]) {
      const table = oraTypes(forms);
      for (const name of Object.keys(forms)) {
        const mapping = table.mappingOf({ name, precision: 10, scale: 2 })!;
        expect(String(table.arrowTypeOf(mapping)), name).not.toBe('');
        expect(selectExpression('"C"', mapping), name).toContain('"C"');
      }
    }
  });

  test('numbers, times and large objects are never fetched in the driver’s own lossy form', () => {
    const driver = { STRING: 'string', BUFFER: 'buffer', getConnection: async () => ({}) as DriverConnection } as const;
    const named = new Proxy(driver, { get: (of, name: string) => (of as Record<string, unknown>)[name] ?? name });
    const handler = fetchTypeHandler(named as never);
    for (const name of ['NUMBER', 'CLOB', 'NCLOB', 'LONG'])
      expect(handler({ dbType: `DB_TYPE_${name}` })).toEqual({ type: 'string' });
    for (const name of ['BLOB', 'RAW', 'LONG_RAW'])
      expect(handler({ dbType: `DB_TYPE_${name}` })).toEqual({ type: 'buffer' });
    expect(handler({ dbType: 'DB_TYPE_VARCHAR' })).toBeUndefined();
    expect(handler({ dbType: undefined })).toBeUndefined();
  });
});

describe('planning and reading', () => {
  const columns = columnRows([
    ['ID', 'NUMBER', 18, 0, 'N'],
    ['CODE', 'VARCHAR2', null, null, 'Y'],
    ['WHEN"', 'TIMESTAMP(9) WITH TIME ZONE', null, 9, 'Y'],
  ]);

  test('under an SCN: buckets of rows, each AS OF it; names quoted; nullable unique columns prove no key', async () => {
    const { dialect, statements } = scripted(catalog(columns, '18446744073709551615'));
    const snapshot = await source.openSnapshot(dialect, {}, context);
    const plan = structuredClone(await source.plan(dialect, snapshot, { table: { name: '病人' } }, { partitions: 2 }));
    expect(plan).toMatchObject({
      guarantee: 'snapshot',
      snapshotToken: '18446744073709551615',
      uniqueKeys: [['ID']],
      columns: [
        { name: 'ID', sourceType: 'NUMBER(18,0)', nullable: false, comment: '编号' },
        { name: 'CODE' },
        { name: 'WHEN"' },
      ],
    });
    expect(plan.partitions.map((partition) => source.partitionQuery(plan, partition))).toEqual(
      [0, 1].map(
        (bucket) =>
          `select "ID", "CODE", to_char(sys_extract_utc("WHEN"""), 'SYYYY-MM-DD"T"HH24:MI:SS.FF9') || 'Z' from "HIS"."病人" as of scn 18446744073709551615 where ora_hash(rowid, 1) = ${bucket}`,
      ),
    );
    await snapshot.controlTotals({ table: { schema: 'HIS', name: '病人' } });
    expect(statements.at(-1)).toBe('select count(*) from "HIS"."病人" as of scn 18446744073709551615');
  });

  test('without the right to learn the SCN: one read-only transaction, one stream, and the version says so', async () => {
    const { dialect, statements } = scripted(catalog(columns));
    const snapshot = await source.openSnapshot(dialect, {}, context);
    const plan = await source.plan(dialect, snapshot, { table: { name: '病人' } }, { partitions: 8 });
    expect(plan).toMatchObject({ guarantee: 'transaction', partitions: [{ table: { schema: 'HIS', name: '病人' } }] });
    expect(plan.snapshotToken).toBeUndefined();
    expect(await snapshot.controlTotals({ table: plan.table })).toBeUndefined();
    const reading = source.read(
      dialect,
      {},
      { plan, partition: plan.partitions[0]!, batchRowsMax: 9, batchBytesMax: 999 },
      context,
    );
    for await (const _ of reading) expect.fail('there are no rows');
    expect(statements.slice(-2)).toEqual([
      'set transaction read only',
      expect.stringMatching(/^select "ID", .* from "HIS"\."病人"$/),
    ]);
  });

  test('cells: exact to the last digit, or null with the reason', async () => {
    const kinds: [
      type: string,
      precision: number | null,
      scale: number | null,
      cells: unknown[],
      expected: (string | null)[],
    ][] = [
      [
        'NUMBER',
        18,
        0,
        ['-999999999999999999', '0', null, 9_007_199_254_740_992],
        ['-999999999999999999', '0', null, null],
      ],
      [
        'NUMBER',
        38,
        10,
        ['1234567890123456789012345678.0123456789', '-.5', null, '1E+5'],
        ['1234567890123456789012345678.0123456789', '-0.5000000000', null, '100000.0000000000'],
      ],
      [
        'NUMBER',
        null,
        null,
        ['1E-130', '99999999999999999999999999999999999999.99', null, '0'],
        ['1E-130', '99999999999999999999999999999999999999.99', null, '0'],
      ],
      ['VARCHAR2', null, null, ['汇通😀', ' ', null, 'x'], ['汇通😀', ' ', null, 'x']],
      [
        'RAW',
        null,
        null,
        [Buffer.from([0, 255]), Buffer.alloc(0), null, Buffer.from('a')],
        ['\\x00ff', '\\x', null, '\\x61'],
      ],
      [
        'DATE',
        null,
        null,
        [' 2026-03-01T23:59:59.000000000', '-0044-03-15T00:00:00.000000000', null, ' 9999-12-31T00:00:00.000000000'],
        ['2026-03-01 23:59:59', null, null, '9999-12-31 00:00:00'],
      ],
      [
        'TIMESTAMP(9)',
        null,
        9,
        [' 2026-03-01T08:00:00.123456000', ' 2026-03-01T08:00:00.123456789', null, ' 0001-01-01T00:00:00.000000000'],
        ['2026-03-01 08:00:00.123456', null, null, '0001-01-01 00:00:00'],
      ],
      [
        'TIMESTAMP(6) WITH LOCAL TIME ZONE',
        null,
        6,
        [' 2026-03-01T00:00:00.500000000Z', null, null, null],
        ['2026-03-01 00:00:00.5+00', null, null, null],
      ],
      [
        'INTERVAL DAY(2) TO SECOND(6)',
        2,
        6,
        ['+01 02:03:04.000000', null, null, null],
        ['+01 02:03:04.000000', null, null, null],
      ],
      [
        'BINARY_DOUBLE',
        null,
        null,
        [Number.NaN, Number.NEGATIVE_INFINITY, null, 0.1],
        ['NaN', '-Infinity', null, '0.1'],
      ],
      ['BOOLEAN', null, null, [true, false, null, true], ['t', 'f', null, 't']],
    ];
    const described = columnRows(kinds.map(([type, precision, scale], i) => [`C${i}`, type, precision, scale, 'Y']));
    const rows = [0, 1, 2, 3].map((row) => kinds.map(([, , , cells]) => cells[row]));
    const answers = catalog(described, '1');
    const { dialect } = scripted((sql) =>
      sql.startsWith('select "C0"') || sql.includes('"C0",') ? rows : answers(sql),
    );
    const snapshot = await source.openSnapshot(dialect, {}, context);
    const plan = await source.plan(dialect, snapshot, { table: { name: '病人' } }, { partitions: 1 });
    const { batchRowsMax, batchBytesMax } = limits;
    const seen: (string | null)[][] = [];
    const reported: unknown[] = [];
    for await (const { batch, unrepresentable } of source.read(
      dialect,
      {},
      { plan, partition: plan.partitions[0]!, batchRowsMax, batchBytesMax },
      context,
    )) {
      reported.push(...unrepresentable);
      for (let c = 0; c < kinds.length; c++)
        seen.push([0, 1, 2, 3].map((row) => renderCell(batch.getChildAt(c)!, row)));
    }
    expect(seen).toEqual(kinds.map(([, , , , expected]) => expected));
    expect(reported).toEqual([
      { row: 1, column: 5, code: 'OUT_OF_RANGE' },
      { row: 1, column: 6, code: 'OUT_OF_RANGE' },
      { row: 3, column: 0, code: 'OUT_OF_RANGE' },
    ]);
  });

  test('a column that is not mapped is named; a table that is not there is TABLE_NOT_FOUND', async () => {
    const { dialect } = scripted(catalog(columnRows([['SHAPE', 'SDO_GEOMETRY', null, null, 'Y']]), '1'));
    const snapshot = await source.openSnapshot(dialect, {}, context);
    const planning = source.plan(dialect, snapshot, { table: { name: '病人' } }, { partitions: 1 });
    await expect(planning).rejects.toMatchObject({
      code: 'TYPE_UNMAPPED',
      message: expect.stringContaining('SHAPE (SDO_GEOMETRY)'),
    });
    const nothing = scripted(() => undefined).dialect;
    await expect(
      source.plan(
        nothing,
        await source.openSnapshot(nothing, {}, context),
        { table: { name: 'x' } },
        { partitions: 1 },
      ),
    ).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });

  test('whoever is cancelled gets CANCELLED, and the statement is broken off', async () => {
    const owner = new AbortController();
    let broken = 0;
    const connection: DriverConnection = {
      execute: () =>
        new Promise((_, reject) => owner.signal.addEventListener('abort', () => reject(new Error('ORA-01013')))),
      close: async () => {},
      break: async () => void broken++,
    };
    const target: OraTarget = { place: 'test', connect: async () => connection, errorOf, fetchOptions: {} };
    const session = await OraSession.open(target, { ...context, signal: owner.signal });
    const waiting = session.query('select 1 from dual');
    owner.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(broken).toBe(1);
    expect(session.isClosed).toBe(true);
  });
});

describe('errors', () => {
  test.each([
    ['ORA-01017: invalid username/password; logon denied', 'SOURCE_AUTH'],
    ['ORA-28000: the account is locked', 'SOURCE_AUTH'],
    ['ORA-12514: TNS:listener does not currently know of service', 'SOURCE_DATABASE_MISSING'],
    ['NJS-503: connection to host 10.0.0.1 port 1 could not be established', 'SOURCE_UNREACHABLE'],
    ['NJS-530: The host addresses or URLs provided by the connect string are incorrect', 'SOURCE_UNREACHABLE'],
    ['ORA-01555: snapshot too old', 'SNAPSHOT_LOST'],
    ['ORA-00942: table or view does not exist', 'TABLE_NOT_FOUND'],
    ['ORA-00904: "X": invalid identifier', 'COLUMN_NOT_FOUND'],
    ['ORA-01031: insufficient privileges', 'SOURCE_FORBIDDEN'],
    ['ORA-99999: 张三', 'SOURCE_FAILED'],
  ])('%s is %s', (message, code) => {
    const error = errorOf(new Error(message), 'HIS');
    expect(error).toMatchObject({
      code,
      at: 'HIS',
      message: expect.stringContaining(/^(ORA|NJS)-\d+/.exec(message)![0]),
    });
    expect(error.message).not.toContain('张三');
  });

  test('Dameng: by number; the message stays out', () => {
    const failure = (errCode: number, message = '张三') =>
      damengErrorOf(Object.assign(new Error(message), { errCode }), 'DM');
    expect(failure(-2501).code).toBe('SOURCE_AUTH');
    expect(failure(-2106).code).toBe('TABLE_NOT_FOUND');
    expect(failure(6001).code).toBe('SOURCE_UNREACHABLE');
    expect(failure(-1)).toMatchObject({ code: 'SOURCE_FAILED', message: 'the source failed (-1)' });
  });

  test('no number is read as another: any ORA- number has one meaning, and an unknown one is SOURCE_FAILED', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 99_998 }), (number) => {
        expect(errorOf(new Error(`ORA-${number}: x`), 'at').code).toBe('SOURCE_FAILED');
      }),
    );
  });

  test.each([
    ['oracledb', oracle, { host: '127.0.0.1', service: 'X', user: 'u', password: 'canary-ora' }],
    ['dmdb', dameng, { host: '127.0.0.1', user: 'u', password: 'canary-ora' }],
  ] as const)('without the driver %s the check says what to install', async (name, connector, config) => {
    const report = await (connector as typeof oracle).check(config as never, context);
    const step = report.steps.at(-1);
    // Where somebody has installed it, nobody listens.
    expect(['DRIVER_MISSING', 'SOURCE_UNREACHABLE']).toContain(step?.code);
    if (step?.code === 'DRIVER_MISSING') expect(step.message).toContain(`npm install ${name}`);
    expect(JSON.stringify(report)).not.toContain('canary-ora');
    const misspelt = await (connector as typeof oracle).check({ ...config, pasword: 'x' } as never, context);
    expect(misspelt.steps.at(-1)).toMatchObject({ name: 'resolve', code: 'CONFIG_INVALID' });
  });
});
