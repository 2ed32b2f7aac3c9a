/** The kit, against the TDS test server: what it says of a source's concurrency only MSSQL_URL can prove. */
import { testConnector } from '../../../connectors/conformance/kit.ts';
import { mssql } from '../../../connectors/mssql/index.ts';
import { answerAs } from '../../support/tds/database.ts';
import { startTdsServer } from '../../support/tds/server.ts';
import { CANARY, configFor } from './support.ts';
import { changes, largeRows, makeTables, torture } from './tables.ts';

testConnector(mssql, async () => {
  let busy = 0;
  // A database snapshot: what `disturb` does to the database is not in it.
  const live = largeRows();
  const tables = makeTables();
  const answer = answerAs({ tables, readOnly: true });
  const server = await startTdsServer({
    users: { reader: CANARY },
    databases: ['health'],
    answer: async (query, reply) => {
      busy++;
      await answer(query, reply).finally(() => busy--);
    },
  });
  const config = configFor(server);
  const setForbidden = (name: string, isForbidden: boolean) => {
    for (const table of tables) if (table.name === name) table.isForbidden = isForbidden;
  };
  const request = (name: string) => ({ table: { schema: 'dbo', name } });
  return {
    close: () => server.close(),
    fixture: {
      config,
      canary: CANARY,
      failures: [
        { name: 'password', config: { ...config, password: `${CANARY}x` }, step: 'authenticate', code: 'SOURCE_AUTH' },
        {
          name: 'database',
          config: { ...config, database: 'x' },
          step: 'authenticate',
          code: 'SOURCE_DATABASE_MISSING',
        },
        {
          name: 'host',
          config: { ...config, server: 'no-such-host.invalid' },
          step: 'connect',
          code: 'SOURCE_UNREACHABLE',
        },
        { name: 'port', config: { ...config, port: 1 }, step: 'connect', code: 'SOURCE_UNREACHABLE' },
        {
          name: 'setting',
          config: { ...config, sslmode: 'x' } as typeof config,
          step: 'resolve',
          code: 'CONFIG_INVALID',
        },
        { name: 'TLS', config: { ...config, encrypt: true }, step: 'connect', code: 'SOURCE_TLS' },
      ],
      large: { request: request('large'), rows: live.length, idColumn: 'id', partitions: 1 },
      disturb: () => {
        let changes = 0;
        const timer = setInterval(() => {
          live.splice(changes % live.length, 1, [String(-changes), 'changed']);
          changes++;
        }, 1);
        return {
          stop: async () => {
            await new Promise((resolve) => setTimeout(resolve, 5));
            clearInterval(timer);
            return changes;
          },
        };
      },
      empty: { request: request('empty'), columns: ['id', 'name'] },
      names: { request: request('Names 表]'), columns: ['Id', 'with space', 'quo]te"d', '姓名', 'select'] },
      comments: { request: request('large'), table: '常住居民', of: 'name', column: '姓名' },
      wide: { request: request('wide'), columns: 1024 },
      bigCell: { fits: request('big cell'), tooLarge: request('larger cell'), column: 'cell' },
      torture: {
        request: request('torture'),
        expected: torture.expected,
        unrepresentable: torture.unrepresentable,
      },
      unmapped: { request: request('unmapped'), columns: ['point', 'secret'] },
      cursor: { request: request(changes.name), column: 'changed', rows: changes.rows?.length ?? 0, lagSeconds: 60 },
      missing: [
        { request: request('nothing'), code: 'TABLE_NOT_FOUND' },
        { request: request('forbidden'), code: 'SOURCE_FORBIDDEN' },
        { request: { ...request('large'), columns: ['id', 'no such'] }, code: 'COLUMN_NOT_FOUND' },
      ],
      revoked: {
        request: request('revoked'),
        revoke: async () => setForbidden('revoked', true),
        restore: async () => setForbidden('revoked', false),
      },
      slow: request('slow'),
      busyStatements: async () => busy,
    },
  };
});
