/** The server process: HTTP API, staging, and, in one of them, the audit log's sequencer. Its settings: docs/reference/configuration.md. */
import { Client, Connection } from '@temporalio/client';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { migrate } from '../catalog/database.ts';
import type { Access, Alarm } from '../exchange/access/access.ts';
import { type AuditLog, openAuditLog } from '../exchange/audit/audit-log.ts';
import { isRefusal } from '../exchange/audit/refusal.ts';
import type { AuditEvent } from '../exchange/audit/sequencer.ts';
import { createHeadSigner } from '../exchange/audit/signer.ts';
import { IdentityProvider } from '../exchange/people/oidc.ts';
import type { Publication } from '../exchange/publication/publication.ts';
import { HuitongError } from '../lib/errors.ts';
import { buildApp } from '../server/app.ts';
import { createSessionTokens } from '../server/session-tokens.ts';
import { type Configuration, requireSettings, type SettingName, variableOf } from './configuration.ts';
import { Published, startHousekeeping, startTending } from './housekeeping.ts';
import { boxKeysOf, sessionKeyOf, subjectKeyOf } from './keys.ts';
import { openLookups } from './lookups.ts';
import { openConfiguredCatalog, openConfiguredHeadStore, openConfiguredStore } from './open.ts';
import { runProcess } from './process.ts';
import { Resources } from './resources.ts';
import { resolveSecret } from './secrets.ts';
import { serverSettings } from './server-settings.ts';
import { temporalOptions } from './temporal-connection.ts';

type ServerConfiguration = Configuration & Required<Pick<Configuration, (typeof serverSettings)[number]>>;

/** What an operator can set right by another address or port; anything else that goes wrong is a defect of ours. */
const listenFailures: Record<string, string> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
};

await runProcess('server', async ({ log, configuration }) => {
  const settings = requireSettings(configuration, serverSettings, 'the server');
  return Resources.opening(async (resources) => {
    const app = await composeServer(settings, log, resources);
    const url = await listen(app, settings);
    resources.add(app, (opened) => closeApp(opened, settings.shutdownGraceSeconds));
    return { details: { url: settings.publicUrl ?? url }, stop: () => resources.close() };
  });
});

async function composeServer(
  settings: ServerConfiguration,
  log: Logger,
  resources: Resources,
): Promise<FastifyInstance> {
  const secretOf = (setting: SettingName & keyof typeof settings) =>
    resolveSecret(String(settings[setting]), variableOf(setting));
  const [signingKey, subjectKey, quarantineKey] = await Promise.all(
    (['signingKey', 'auditSubjectKey', 'quarantinePrivateKey'] as const).map(secretOf),
  );
  const box = boxKeysOf(quarantineKey, variableOf('quarantinePrivateKey'));

  const { catalog, url } = await openConfiguredCatalog(settings, 'huitong server', resources);
  const migrated = await migrate(catalog);
  if (migrated.length > 0) log.info({ migrated }, 'catalog brought up to date');
  const publication: Publication = { catalog, store: await openConfiguredStore(settings, resources) };
  const published = new Published();
  const audit = await openConfiguredAudit({ settings, url, privateKeyPem: signingKey, published }, log, resources);
  resources.add(audit, (opened) => opened.close());
  startHousekeeping(publication, audit, log, resources);
  const temporal = await connectTemporal(settings, resources);
  const access: Access = {
    publication,
    audit,
    subjectKey: subjectKeyOf(subjectKey, variableOf('auditSubjectKey')),
    quarantinePrivateKey: box.privateKey,
    onAlarm: (alarm) => logAlarm(log, alarm),
  };
  startTending(access, { audit, published }, temporal, log, resources);
  return buildApp({
    logger: log,
    publication,
    access,
    audit,
    lookups: openLookups(access, settings, { log, published }, resources),
    temporal,
    quarantineKey: box.publicKey,
    sessions: createSessionTokens(sessionKeyOf(signingKey, variableOf('signingKey'))),
    health: () => health(publication, temporal, audit),
    identityProvider: await identityProviderOf(settings),
    trustedProxies: settings.trustedProxies,
  });
}

async function identityProviderOf(settings: ServerConfiguration): Promise<IdentityProvider | undefined> {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret, oidcLoginClaim: loginClaim } = settings;
  if (issuer === undefined) return undefined;
  if (clientId === undefined) {
    throw new HuitongError('CONFIG_INVALID', 'an issuer needs a client', { at: variableOf('oidcClientId') });
  }
  const clientSecret =
    oidcClientSecret === undefined ? undefined : await resolveSecret(oidcClientSecret, variableOf('oidcClientSecret'));
  const publicUrl = settings.publicUrl ?? `http://${settings.httpHost}:${settings.httpPort}`;
  return new IdentityProvider({ issuer, clientId, clientSecret, loginClaim, publicUrl });
}

async function openConfiguredAudit(
  {
    settings,
    url,
    privateKeyPem,
    published,
  }: { settings: ServerConfiguration; url: string; privateKeyPem: string; published: Published },
  log: Logger,
  resources: Resources,
): Promise<AuditLog> {
  return openAuditLog({
    url,
    signer: createHeadSigner({ origin: settings.auditOrigin, privateKeyPem }),
    headStore: await openConfiguredHeadStore(settings, resources),
    address: settings.auditAddress,
    onEvent: (event) => logAudit(log, event),
    onMoved: (leaves) => published.add(leaves),
  });
}

async function connectTemporal(settings: ServerConfiguration, resources: Resources): Promise<Client> {
  try {
    const connection = await Connection.connect(await temporalOptions(settings));
    resources.add(connection, (opened) => opened.close());
    return new Client({ connection, namespace: settings.temporalNamespace });
  } catch (cause) {
    if (cause instanceof HuitongError) throw cause;
    throw new HuitongError('TEMPORAL_UNREACHABLE', 'Temporal does not answer', { at: settings.temporalAddress, cause });
  }
}

async function listen(app: FastifyInstance, settings: ServerConfiguration): Promise<string> {
  const { httpHost: host, httpPort: port } = settings;
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? listenFailures[String(cause.code)] : undefined;
    if (reason === undefined) throw cause;
    throw new HuitongError('CONFIG_INVALID', reason, { at: `HUITONG_HTTP_PORT=${port} on ${host}`, cause });
  }
}

/** Running answers may end within the grace time; then their connections are cut, and the rest can be closed. */
async function closeApp(app: FastifyInstance, graceSeconds: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), graceSeconds * 1_000);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

/** By service: `ok`, or one line that says what is wrong. */
async function health(publication: Publication, temporal: Client, audit: AuditLog): Promise<Record<string, string>> {
  const checks: Record<string, () => Promise<unknown>> = {
    catalog: () => publication.catalog.raw('select 1'),
    temporal: () => temporal.workflowService.getSystemInfo({}),
    audit: async () => audit.reader.head(),
  };
  const answers = Object.entries(checks).map(async ([name, check]): Promise<[string, string]> => {
    const answer = await check().then(
      () => 'ok',
      (e: unknown) => (isRefusal(e) ? e.code : 'does not answer'),
    );
    return [name, answer];
  });
  return Object.fromEntries(await Promise.all(answers));
}

function logAlarm(log: Logger, alarm: Alarm): void {
  const { error, ...what } = alarm;
  log.error({ err: error, ...what }, 'a read went wrong');
}

function logAudit(log: Logger, event: AuditEvent): void {
  if (event.kind === 'opened') log.info({ size: event.size }, 'this process writes the audit log');
  else if (event.kind === 'refused')
    log.error({ err: event.error, hint: event.error.hint }, 'the audit log is not written: the exchange is read-only');
  else if (event.kind === 'holder-lost')
    log.warn({ err: event.error }, 'the server that holds the audit log is not reached');
  else log.warn({ err: event.error, kind: event.kind }, 'audit log');
}
