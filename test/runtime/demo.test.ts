import { expect, it } from 'vitest';
import { checkAccounts } from '../../runtime/demo/check.ts';
import { parseDemoOptions } from '../../runtime/demo/options.ts';
import { Progress } from '../../runtime/demo/progress.ts';
import type { Published } from '../../runtime/demo/publish.ts';
import { publishedTable } from '../../runtime/demo/table.ts';

const residents: Published = {
  dataset: 'health.residents',
  department: 'health',
  run: 'r',
  state: 'published',
  version: 1,
  rowsRead: 110_000,
  rowsPublished: 109_340,
  rowsQuarantined: 660,
  quarantinedByCode: { FORMAT_RESIDENT_ID: 660 },
  bytes: 8_400_000,
  seconds: 2,
};

it('options have defaults, bounds, and names in their errors', () => {
  expect(parseDemoOptions([], '/srv')).toEqual({
    once: false,
    fresh: false,
    help: false,
    scale: 1,
    state: '/srv/.huitong',
  });
  const MSSQL_URL = 'mssql://sa@127.0.0.1/master';
  expect(parseDemoOptions([], '/srv', { MSSQL_URL })).toMatchObject({ mssqlUrl: MSSQL_URL });
  expect(parseDemoOptions(['--once', '--scale', '0.1', '--port', '9000'], '/srv')).toMatchObject({
    once: true,
    scale: 0.1,
    port: 9000,
  });
  for (const args of [['--scale', '0'], ['--scale', 'many'], ['--port', '70000'], ['--onse'], ['--scale']]) {
    expect(() => parseDemoOptions(args, '/srv'), args.join(' ')).toThrow(args[0]);
  }
});

it('the table has a line a dataset and their sum', () => {
  const rejected: Published = { ...residents, dataset: '交通.车辆', state: 'rejected', rowsRead: 5, seconds: 0 };
  const { version: _, ...unpublished } = rejected;
  const lines = publishedTable(
    [residents, unpublished],
    [{ department: 'health', kind: 'SQL Server → embedded PostgreSQL' }],
  ).split('\n');
  expect(lines).toEqual(
    [
      'department  source                            dataset            version  rows read  published  quarantined     MB  rows/s',
      '──────────  ────────────────────────────────  ────────────────  ────────  ─────────  ─────────  ───────────  ─────  ──────',
      'health      SQL Server → embedded PostgreSQL  health.residents         1    110,000    109,340          660   8.40  55,000',
      'health      SQL Server → embedded PostgreSQL  交通.车辆         rejected          5    109,340          660   8.40       0',
      '──────────  ────────────────────────────────  ────────────────  ────────  ─────────  ─────────  ───────────  ─────  ──────',
      '                                              2 datasets                    110,005    218,680        1,320  16.80  55,003',
    ].map((line) => line.trimEnd()),
  );
});

it('accounts that agree with what was planted pass, and every difference is told', () => {
  const planted = new Map([['health.residents', { FORMAT_RESIDENT_ID: 660 }]]);
  expect(checkAccounts([residents], planted)).toEqual([]);
  expect(checkAccounts([{ ...residents, rowsRead: 110_001 }], planted)).toHaveLength(1);
  expect(checkAccounts([{ ...residents, quarantinedByCode: { ENUM: 1, FORMAT_RESIDENT_ID: 659 } }], planted)).toEqual([
    'health.residents: 660 rows planted as FORMAT_RESIDENT_ID, 659 found',
    'health.residents: 0 rows planted as ENUM, 1 found',
  ]);
  expect(checkAccounts([{ ...residents, state: 'failed', failure: 'SOURCE_AUTH: no' }], planted)).toEqual([
    'health.residents: failed, SOURCE_AUTH: no',
  ]);
  expect(checkAccounts([], planted)).toEqual(['health.residents: has planted rows, but no such dataset was published']);
});

it('a terminal gets a line that is written over, anything else plain lines', () => {
  const write = (isTTY: boolean) => {
    const written: string[] = [];
    const output = { isTTY, columns: 40, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const progress = new Progress(output);
    progress.live('working');
    progress.say('done');
    progress.clear();
    return written.join('');
  };
  expect(write(false)).toBe('done\n');
  expect(write(true)).toBe('\r\u001b[2Kworking\r\u001b[2Kdone\n\r\u001b[2Kworking\r\u001b[2K');
});
