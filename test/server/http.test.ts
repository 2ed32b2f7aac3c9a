/** What holds for every HTTP request: problems, idempotency, and secrets that are in no log. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { districtFiles } from '../catalog/support.ts';
import { type Caller, callerOf, openServer, problemOf, type TestServer } from './support.ts';

let server: TestServer;
let officer: Caller;
let administrator: Caller;
beforeAll(async () => {
  server = await openServer();
  officer = await server.as('health', 'officer');
  administrator = await server.as('health', 'administrator');
});
afterAll(() => server.close());

describe('problems', () => {
  test.each([
    [undefined, 'zh'],
    ['zh-CN,en;q=0.9', 'zh'],
    ['en', 'en'],
    ['en-GB;q=0.3, zh;q=0.8', 'zh'],
    ['fr, en;q=0.5', 'en'],
    ['zh;q=0, en;q=0.1', 'en'],
    ['fr', 'zh'],
  ])('Accept-Language %s is answered in %s', async (accepted, language) => {
    const headers: Record<string, string> = accepted === undefined ? {} : { 'accept-language': accepted };
    const response = await officer('GET', '/datasets/health.none', { headers });
    expect(response.headers['content-language']).toBe(language);
    const { title, hint } = problemOf(response);
    for (const text of [title, hint]) expect(/\p{Script=Han}/u.test(String(text))).toBe(language === 'zh');
  });

  test('an address that does not exist, a method that it lacks, and a body that is no JSON', async () => {
    expect(problemOf(await officer('GET', '/v1/nowhere'))).toMatchObject({ code: 'NOT_FOUND', status: 404 });
    expect(problemOf(await officer('DELETE', '/departments'))).toMatchObject({ code: 'NOT_FOUND', status: 404 });
    const headers = { 'content-type': 'application/json' };
    const broken = await administrator('POST', '/tokens', { body: '{"subject":', headers });
    expect(problemOf(broken)).toMatchObject({ code: 'REQUEST_INVALID', status: 400 });
  });

  test('every mistake of a request has its pointer; text is not taken for a number in a body', async () => {
    const body = { department: 'health', roles: ['king'], subject: '', expiresAt: 'soon', more: 1 };
    const problem = problemOf(await administrator('POST', '/tokens', { body }));
    expect(problem.code).toBe('REQUEST_INVALID');
    const pointers = (problem.errors as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(pointers.sort()).toEqual(['/expiresAt', '/more', '/roles/0', '/subject']);
    const missing = problemOf(
      await administrator('POST', '/tokens', { body: { department: 'health', roles: ['officer'] } }),
    );
    expect(missing.pointer).toBe('/subject');
    const engineer = await server.as('health', 'engineer');
    const text = problemOf(await engineer('POST', '/datasets/health.vaccinations/runs', { body: { confirm: 'true' } }));
    expect(text.pointer).toBe('/confirm');
  });

  test.each([
    ['zh', '/expiresAt 格式应为 date-time', ['没有此成员', '格式应为 date-time', '缺少此成员']],
    [
      'en',
      '/expiresAt must have the format date-time',
      ['is not known here', 'must have the format date-time', 'is missing'],
    ],
  ])('what is wrong with a request is told in %s', async (language, detail, messages) => {
    const body = { department: 'health', roles: ['officer'], expiresAt: 'soon', more: 1 };
    const headers = { 'accept-language': language };
    const problem = problemOf(await administrator('POST', '/tokens', { body, headers }));
    const found = (problem.errors as { pointer: string; message: string }[]).sort((a, b) =>
      a.pointer < b.pointer ? 1 : -1,
    );
    expect(found.map(({ pointer }) => pointer)).toEqual(['/subject', '/more', '/expiresAt']);
    expect(found.map(({ message }) => message).sort()).toEqual(messages.sort());
    const alone = problemOf(
      await administrator('POST', '/tokens', { body: { ...body, subject: 'x', more: undefined }, headers }),
    );
    expect(alone.detail).toBe(detail);
  });

  test('an unknown member of a query is an error, and so is a number that is none', async () => {
    expect(problemOf(await officer('GET', '/datasets?page=2')).pointer).toBe('/page');
    expect(problemOf(await officer('GET', '/datasets?limit=many')).pointer).toBe('/limit');
    expect(problemOf(await officer('GET', '/datasets?limit=100000')).pointer).toBe('/limit');
    expect(problemOf(await officer('GET', '/datasets?limit=1e999')).pointer).toBe('/limit');
    expect(problemOf(await officer('GET', '/receipts/1e999')).pointer).toBe('/index');
    expect(problemOf(await officer('GET', '/datasets/health.none/versions/1e999')).pointer).toBe('/version');
    expect(problemOf(await officer('GET', '/datasets?cursor=forged')).code).toBe('REQUEST_INVALID');
    expect((await officer('GET', '/datasets?limit=2')).statusCode).toBe(200);
  });

  test('a body that is too large', async () => {
    const body = { department: 'health', subject: 'x'.repeat(1_100_000), roles: ['officer'] };
    expect(problemOf(await administrator('POST', '/tokens', { body }))).toMatchObject({ code: 'OBJECT_TOO_LARGE' });
  });

  test('a defect of ours shows no message, and an id by which the log has the rest', async () => {
    const { catalog } = server.bench.world;
    await catalog.schema.renameTable('department', 'department_away');
    let response: Awaited<ReturnType<Caller>>;
    try {
      response = await officer('GET', '/departments');
    } finally {
      await catalog.schema.renameTable('department_away', 'department');
    }
    const problem = problemOf(response);
    expect(problem).toMatchObject({ code: 'INTERNAL', status: 500 });
    expect(problem.detail).toBeUndefined();
    expect(response.body).not.toContain('department_away');
    expect(response.body).not.toContain('select');
    const { instance } = response.json();
    expect(server.log()).toContain(instance);
    expect((await officer('GET', '/departments')).statusCode).toBe(200);
  });
});

describe('health', () => {
  test('needs no token; 503 names what does not answer', async () => {
    const anyone = callerOf(server.app, undefined);
    const well = await anyone('GET', '/health');
    expect([well.statusCode, well.json()]).toEqual([
      200,
      { ok: true, checks: { catalog: 'ok', temporal: 'ok', audit: 'ok' } },
    ]);
    server.health.temporal = 'does not answer';
    const ill = await anyone('GET', '/health');
    expect([ill.statusCode, ill.json()]).toEqual([
      503,
      { ok: false, checks: { catalog: 'ok', temporal: 'does not answer', audit: 'ok' } },
    ]);
    server.health.temporal = 'ok';
  });
});

describe('Idempotency-Key', () => {
  const plan = (key: string, body: object) =>
    administrator('POST', '/district/plan', { body, headers: { 'idempotency-key': key } });
  const wrong = { files: { 'district.yaml': 'code: 7' } };

  test('the same request gets the same answer, and nothing is done twice', async () => {
    const first = await plan('k1', wrong);
    const second = await plan('k1', wrong);
    expect(first.statusCode).toBe(422);
    // The body is the first one to the last byte, its instance included.
    expect(second.body).toBe(first.body);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect((await plan('k2', wrong)).body).not.toBe(first.body);
  });

  test('another request with a key that was used is refused', async () => {
    await plan('k3', wrong);
    expect(problemOf(await plan('k3', { files: {} })).code).toBe('IDEMPOTENCY_MISMATCH');
  });

  test('a key belongs to its token', async () => {
    await plan('k4', wrong);
    const other = await server.as('traffic', 'administrator');
    const answer = await other('POST', '/district/plan', { body: { files: {} }, headers: { 'idempotency-key': 'k4' } });
    expect(answer.headers['idempotency-replayed']).toBeUndefined();
    expect(answer.statusCode).not.toBe(409);
  });

  test('while the first is at work a second one is told so; a claim that is never answered is freed in time', async () => {
    const { catalog } = server.bench.world;
    await plan('k5', wrong);
    await catalog('idempotent_request').where({ key: 'k5' }).update({ status: null, body: null });
    expect(problemOf(await plan('k5', wrong)).code).toBe('IDEMPOTENCY_IN_PROGRESS');
    const old = new Date(Date.now() - 11 * 60_000);
    await catalog('idempotent_request').where({ key: 'k5' }).update({ created_at: old });
    expect((await plan('k5', wrong)).statusCode).toBe(422);
  });

  test('a failure of ours frees the key', async () => {
    const { catalog } = server.bench.world;
    const right = { files: districtFiles() };
    await catalog.schema.renameTable('source', 'source_away');
    try {
      expect(problemOf(await plan('k6', right)).code).toBe('INTERNAL');
    } finally {
      await catalog.schema.renameTable('source_away', 'source');
    }
    const again = await plan('k6', right);
    expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([200, undefined]);
  });

  test('a key is 1 to 255 characters', async () => {
    expect(problemOf(await plan('k'.repeat(256), wrong)).code).toBe('REQUEST_INVALID');
    expect((await plan('k'.repeat(255), wrong)).statusCode).toBe(422);
  });
});

describe('secrets', () => {
  test('a new token is shown once, kept nowhere, logged nowhere', async () => {
    const body = { department: 'traffic', subject: '王五', roles: ['officer', 'engineer'], label: 'desk' };
    const made = await administrator('POST', '/tokens', { body, headers: { 'idempotency-key': 'token-1' } });
    expect(made.statusCode).toBe(201);
    expect(made.headers['cache-control']).toBe('no-store');
    const { secret, token } = made.json();
    const again = await administrator('POST', '/tokens', { body, headers: { 'idempotency-key': 'token-1' } });
    expect(again.json().secret).not.toBe(secret);

    const caller = callerOf(server.app, secret);
    expect((await caller('GET', '/departments')).statusCode).toBe(200);
    const listed = await administrator('GET', '/tokens?department=traffic');
    expect(listed.json().items.map(({ id }: { id: string }) => id)).toContain(token.id);
    expect((await administrator('DELETE', `/tokens/${token.id}`)).statusCode).toBe(204);
    expect(problemOf(await caller('GET', '/departments')).code).toBe('UNAUTHENTICATED');

    const { catalog } = server.bench.world;
    const { rows } = await catalog.raw(
      `select coalesce(json_agg(t), '[]')::text as everything from idempotent_request t`,
    );
    for (const text of [server.log(), listed.body, rows[0].everything]) expect(text).not.toContain(secret.slice(3));
  });

  test('no bearer of any request is in the log, not even a wrong one', async () => {
    const canary = 'canary-5b1e-not-in-any-log';
    await callerOf(server.app, canary)('GET', '/departments');
    await callerOf(server.app, canary)('GET', '/nowhere');
    expect(server.log()).not.toContain(canary);
    expect(server.log()).not.toContain((await server.token('health', 'officer')).slice(3));
    expect(server.log()).toContain('UNAUTHENTICATED');
  });

  test('a failing statement is logged without the values that it would have written', async () => {
    const { catalog } = server.bench.world;
    const subject = 'canary-person-赵';
    await catalog.raw("alter table access_token add constraint canary check (subject not like 'canary%')");
    try {
      const body = { department: 'traffic', subject, roles: ['officer'] };
      expect(problemOf(await administrator('POST', '/tokens', { body })).code).toBe('INTERNAL');
    } finally {
      await catalog.raw('alter table access_token drop constraint canary');
    }
    expect(server.log()).toContain('access_token');
    expect(server.log()).not.toContain(subject);
  });

  test('a token for a department that there is not, or without a role, or of the past, is not made', async () => {
    const make = async (changes: object) =>
      problemOf(
        await administrator('POST', '/tokens', {
          body: { department: 'traffic', subject: 'x', roles: ['officer'], ...changes },
        }),
      );
    expect((await make({ department: 'mars' })).code).toBe('NOT_FOUND');
    expect((await make({ roles: [] })).pointer).toBe('/roles');
    expect(await make({ expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      code: 'REQUEST_INVALID',
      pointer: '/expiresAt',
    });
  });
});
