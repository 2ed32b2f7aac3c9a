import { describe, expect, test } from 'vitest';
import { serverOf, settingsOf } from '../../../connectors/mysql/session.ts';

test.each([
  ['10.11.6-MariaDB-0+deb12u1', 'Debian 12', 'mariadb', 'MariaDB 10.11.6'],
  ['5.5.5-10.4.32-MariaDB-log', '', 'mariadb', 'MariaDB 10.4.32'],
  ['8.0.36', 'MySQL Community Server - GPL', 'mysql', 'MySQL 8.0.36'],
  ['8.0.11-TiDB-v7.5.0', 'TiDB Server (Apache License 2.0)', 'tidb', 'TiDB 7.5.0'],
  ['5.7.25-OceanBase-v4.2.1.0', 'OceanBase', 'oceanbase', 'OceanBase 4.2.1.0'],
])('%s (%s) is %s', (version, remark, flavour, title) => {
  expect(serverOf(version, remark)).toEqual({ flavour, title });
});

describe('a statement may take as long as the source’s owner allows', () => {
  const last = (flavour: Parameters<typeof settingsOf>[0], ms: number) => settingsOf(flavour, ms).at(-1);

  test('in the unit of each server; 0 is no limit', () => {
    expect(last('mariadb', 1_500)).toBe('max_statement_time = 1.5');
    expect(last('mysql', 1_500)).toBe('max_execution_time = 1500');
    expect(last('tidb', 0)).toBe('max_execution_time = 0');
  });

  test('OceanBase would end a statement after 10 s and a transaction after 100 s', () => {
    const day = 86_400_000_000;
    expect(settingsOf('oceanbase', 0)).toEqual(
      expect.arrayContaining([`ob_query_timeout = ${day}`, `ob_trx_timeout = ${day}`, `ob_trx_idle_timeout = ${day}`]),
    );
    expect(settingsOf('oceanbase', 1_500)).toContain('ob_query_timeout = 1500000');
    expect(settingsOf('mysql', 0).join()).not.toContain('ob_');
  });
});
