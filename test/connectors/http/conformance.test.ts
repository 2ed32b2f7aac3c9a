import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fixture, testConnector } from '../../../connectors/conformance/kit.ts';
import type { HttpConfig, HttpTable } from '../../../connectors/http/config.ts';
import { http } from '../../../connectors/http/index.ts';
import { limits } from '../../../lib/limits.ts';
import { startJsonServer } from './server.ts';
import { torture, tortureDocument, tortureTable } from './torture.ts';

const CANARY = 'canary-7d1e-密码';
const LARGE_ROWS = 3_000;
const PAGE_ROWS = 700;
const WIDE_COLUMNS = 1_600;
/** The API gives no more than this at once, whatever it is asked for. */
const SERVED_ROWS = 450;

const column = (name: string, type?: HttpTable['columns'][number]['type']) => ({ name, ...(type ? { type } : {}) });
const table = (name: string, columns: HttpTable['columns'], more: Partial<HttpTable> = {}): HttpTable => ({
  name,
  path: `/${encodeURIComponent(name)}`,
  records: '/data',
  columns,
  ...more,
});
const request = (name: string) => ({ table: { name } });

const tables: HttpTable[] = [
  table('large', [column('id', 'integer'), column('filler', 'text')], {
    unique: ['id'],
    total: '/total',
    paging: { kind: 'offset', parameter: 'from', sizeParameter: 'size', size: PAGE_ROWS },
    comment: '大表',
  }),
  table('empty', [column('id', 'integer'), column('name', 'text')]),
  table(
    'Names 表/"',
    ['Id', 'with space', 'quo"te', '姓名', 'a/b~c', '__proto__'].map((name) => column(name, 'text')),
  ),
  table(
    'wide',
    Array.from({ length: WIDE_COLUMNS }, (_, i) => column(`c${i}`, 'integer')),
  ),
  table('big', [column('cell', 'text')]),
  table('bigger', [column('cell', 'text')]),
  table('unmapped', [column('id', 'integer'), column('what'), { ...column('else'), comment: '未知' }]),
  table('slow', [column('id', 'integer')]),
  table('changes', [column('id', 'integer'), column('changed', 'instant')], {
    incremental: { column: 'changed', after: 'since', upTo: 'until' },
  }),
  tortureTable,
];

testConnector(http, async () => {
  const large = Array.from({ length: LARGE_ROWS }, (_, i) => `{"id":${i},"filler":"row ${i}"}`);
  const many = (length: number, text: string) => `{"data":[{"cell":"${text.repeat(length)}"}]}`;
  const begun = new Date(Date.now() - 60_000).toISOString();
  const handlers: Record<string, (url: URL, request: IncomingMessage, response: ServerResponse) => unknown> = {
    '/large': (url) => {
      const from = Number(url.searchParams.get('from'));
      const size = Math.min(Number(url.searchParams.get('size')), SERVED_ROWS);
      return `{"total":${large.length},"data":[${large.slice(from, from + size).join(',')}]}`;
    },
    '/empty': () => '{"data":[]}',
    [`/${encodeURIComponent('Names 表/"')}`]: () =>
      '{"data":[{"Id":"1","with space":"2","quo\\"te":"3","姓名":"4","a/b~c":"5","__proto__":"6"}]}',
    '/wide': () => `{"data":[{${Array.from({ length: WIDE_COLUMNS }, (_, i) => `"c${i}":${i}`).join(',')}}]}`,
    '/big': () => many(limits.cellBytesMax, 'x'),
    '/bigger': () => many(limits.cellBytesMax + 1, 'x'),
    '/torture': () => tortureDocument,
    '/slow': () => undefined,
    '/changes': (url) => {
      const { since = '', until = '' } = Object.fromEntries(url.searchParams);
      return { data: [1, 2, 3].filter(() => begun > since && begun <= until).map((id) => ({ id, changed: begun })) };
    },
  };
  const server = await startJsonServer(
    Object.fromEntries(
      Object.entries(handlers).map(([path, handler]) => [
        path,
        (url, request, response) => {
          if (request.headers.authorization === `Bearer ${encodeURIComponent(CANARY)}`)
            return handler(url, request, response);
          response.statusCode = 401;
          return '{"error":"who?"}';
        },
      ]),
    ),
  );
  // A header has no Chinese: the department's token is written in ASCII, and the canary stands in it.
  const secret = encodeURIComponent(CANARY);
  const config: HttpConfig = {
    url: server.url,
    authentication: { kind: 'bearer', token: secret },
    responseBytesMax: 2 * limits.cellBytesMax,
    tables,
  };
  const at = (url: string): HttpConfig => ({ ...config, url });
  const failures: Fixture<HttpConfig>['failures'] = [
    {
      name: 'token',
      config: { ...config, authentication: { kind: 'bearer', token: `${secret}x` } },
      step: 'authenticate',
      code: 'SOURCE_AUTH',
    },
    { name: 'host', config: at('http://no-such-host.invalid'), step: 'connect', code: 'SOURCE_UNREACHABLE' },
    { name: 'port', config: at('http://127.0.0.1:1'), step: 'connect', code: 'SOURCE_UNREACHABLE' },
    { name: 'TLS', config: at(server.url.replace('http', 'https')), step: 'connect', code: 'SOURCE_TLS' },
    { name: 'metadata service', config: at('http://169.254.169.254'), step: 'resolve', code: 'SSRF_BLOCKED' },
    { name: 'path', config: at(`${server.url}/v9`), step: 'read', code: 'TABLE_NOT_FOUND' },
    { name: 'setting', config: { ...config, tokne: 'x' } as HttpConfig, step: 'resolve', code: 'CONFIG_INVALID' },
    { name: 'scheme', config: at('file:///etc/passwd'), step: 'resolve', code: 'CONFIG_INVALID' },
  ];
  return {
    close: () => server.close(),
    fixture: {
      config,
      canary: secret,
      failures,
      large: { request: request('large'), rows: LARGE_ROWS, idColumn: 'id', partitions: 1 },
      disturb: { lacks: 'an API has no snapshots' },
      empty: { request: request('empty'), columns: ['id', 'name'] },
      names: { request: request('Names 表/"'), columns: ['Id', 'with space', 'quo"te', '姓名', 'a/b~c', '__proto__'] },
      comments: { lacks: 'comments of an API are those of its definition' },
      wide: { request: request('wide'), columns: WIDE_COLUMNS },
      bigCell: { fits: request('big'), tooLarge: request('bigger'), column: 'cell' },
      torture,
      unmapped: { request: request('unmapped'), columns: ['what', 'else'] },
      missing: [
        { request: request('nothing'), code: 'TABLE_NOT_FOUND' },
        { request: { ...request('large'), columns: ['id', 'no such'] }, code: 'COLUMN_NOT_FOUND' },
      ],
      revoked: { lacks: 'an API refuses with a status, which its own tests try' },
      slow: request('slow'),
      busyStatements: async () => server.busy(),
      cursor: { request: request('changes'), column: 'changed', rows: 3 },
    },
  };
});
