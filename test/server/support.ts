/** The whole API on a real catalog, store, audit log and Temporal; what an outsider cannot see is captured for tests. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { expect } from 'vitest';
import { Lookups } from '../../exchange/access/lookup/lookups.ts';
import type { Role } from '../../exchange/access/rights.ts';
import { mintToken } from '../../exchange/access/tokens.ts';
import type { AuditWriter } from '../../exchange/audit/audit-log.ts';
import { HuitongError } from '../../lib/errors.ts';
import type { DatasetDefinition } from '../../schemas/generated/dataset.ts';
import { buildApp } from '../../server/app.ts';
import type { AppDependencies } from '../../server/dependencies.ts';
import { createSessionTokens } from '../../server/session-tokens.ts';
import { type Bench, openBench } from '../exchange/access/support.ts';
import { connectTemporal } from '../support/temporal.ts';

export interface TestServer {
  app: FastifyInstance;
  bench: Bench;
  lookups: Lookups;
  temporal: Client;
  /** For workers in this server's namespace. */
  nativeConnection: NativeConnection;
  /** Every line that the server logged, as text. */
  log(): string;
  /** Makes the audit log refuse every leaf, or take them again. */
  setAuditAvailable(available: boolean): void;
  health: Record<string, string>;
  /** A token's secret, made once for each department and set of roles. */
  token(department: string, ...roles: Role[]): Promise<string>;
  /** One request with a token of that department and roles. */
  as(department: string, ...roles: Role[]): Promise<Caller>;
  /** Whoever has the last byte of a read has it before the read's `closed` leaf and the end of its lease. */
  readsEnded(): Promise<void>;
  /** Listens, once, and gives the base URL. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export type Caller = (
  method: 'GET' | 'HEAD' | 'POST' | 'DELETE',
  url: string,
  options?: { body?: unknown; headers?: Record<string, string> },
) => Promise<LightMyRequestResponse>;

/** Department `traffic` is there besides the world's `health`. */
export async function openServer(
  definition: Partial<DatasetDefinition> = {},
  more: Partial<AppDependencies> = {},
): Promise<TestServer> {
  const bench = await openBench(definition);
  const { catalog } = bench.world;
  await catalog('department').insert({ code: 'traffic', name_zh: '交通局', name_en: 'Traffic', definition: {} });
  const registry = "jsonb_build_object('code', code, 'name', jsonb_build_object('zh', name_zh, 'en', name_en))";
  await catalog('department').update({ definition: catalog.raw(registry) });
  const connection = await connectTemporal();
  const temporal = await ownNamespace(connection);
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const gate = { open: true };
  const access = { ...bench.access, audit: gated(bench.audit, gate) };
  const directory = join(bench.world.directory, 'lookups');
  const lookups = new Lookups(access, { directory, onFailure: (dataset, error) => lines.push(`${dataset} ${error}`) });
  const health = { catalog: 'ok', temporal: 'ok', audit: 'ok' };
  const app = await buildApp({
    logger,
    publication: bench.world,
    access,
    audit: bench.audit,
    lookups,
    temporal,
    quarantineKey: bench.quarantineKey,
    sessions: createSessionTokens(),
    health: async () => health,
    ...more,
  });
  await app.ready();
  const secrets = new Map<string, Promise<string>>();
  const token: TestServer['token'] = (department, ...roles) => {
    const name = [department, ...roles].join();
    const made = secrets.get(name) ?? mintToken(catalog, { department, subject: '李四', roles }).then((t) => t.secret);
    secrets.set(name, made);
    return made;
  };
  let url: Promise<string> | undefined;
  return {
    app,
    bench,
    lookups,
    temporal,
    nativeConnection: connection.nativeConnection,
    log: () => lines.join(''),
    setAuditAvailable: (available) => {
      gate.open = available;
    },
    health,
    token,
    as: async (department, ...roles) => callerOf(app, await token(department, ...roles)),
    async readsEnded() {
      const going = async () => {
        const steps = (await bench.leaves()).map(({ action }) => /\.read\.(opened|closed)$/.exec(action)?.[1]);
        const open =
          steps.filter((step) => step === 'opened').length - steps.filter((step) => step === 'closed').length;
        return { open, leases: (await catalog('lease').select('id')).length };
      };
      await expect.poll(going).toEqual({ open: 0, leases: 0 });
    },
    listen() {
      url ??= app.listen({ host: '127.0.0.1', port: 0 });
      return url;
    },
    async close() {
      await app.close();
      await lookups.close();
      await connection.close();
      await bench.close();
    },
  };
}

/** Requests with this token; `undefined`: with none. */
export function callerOf(app: FastifyInstance, token: string | undefined): Caller {
  return (method, url, { body, headers } = {}) =>
    app.inject({
      method,
      url: url.startsWith('/v1') ? url : `/v1${url}`,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
}

/** A problem as a caller may compare it: without what differs from request to request. */
export function problemOf(response: LightMyRequestResponse): Record<string, unknown> & { code: string } {
  expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const { instance, ...problem } = response.json();
  expect(instance).toMatch(/^[0-9a-f-]{36}$/);
  expect(problem.status).toBe(response.statusCode);
  return problem;
}

/** Workflow ids and task queues of the exchange are fixed: each server under test has a namespace of its own. */
async function ownNamespace({ client, unique }: Awaited<ReturnType<typeof connectTemporal>>): Promise<Client> {
  const namespace = unique('exchange');
  await client.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const own = new Client({ connection: client.connection, namespace });
  for (let attempt = 1; ; attempt++) {
    try {
      await own.workflow.count('WorkflowId = "none"');
      return own;
    } catch (e: unknown) {
      if (attempt === 100) throw e;
      await delay(100);
    }
  }
}

function gated(audit: AuditWriter, gate: { open: boolean }): AuditWriter {
  const check = () => {
    if (!gate.open) throw new HuitongError('AUDIT_UNAVAILABLE', 'the audit log cannot be written now');
  };
  return {
    async append(leaf) {
      check();
      return audit.append(leaf);
    },
    async appendMany(leaves) {
      check();
      return audit.appendMany(leaves);
    },
  };
}
