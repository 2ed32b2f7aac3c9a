/**
 * A worker process. By its roles it runs workflows and exchange activities (`exchange`), or source activities of some
 * departments (`source:<department>`), which know neither the catalog nor the store.
 */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createExchangeActivities } from '../activities/exchange/index.ts';
import { createSourceActivities } from '../activities/source/index.ts';
import { migrate } from '../catalog/database.ts';
import { exchangeQueue, sourceQueue } from '../lib/pure/task-queues.ts';
import { httpStagingClient } from '../pipeline/http-staging.ts';
import { type Configuration, requireSettings, variableOf } from './configuration.ts';
import { openConfiguredCatalog, openConfiguredStore } from './open.ts';
import { runProcess } from './process.ts';
import { Resources } from './resources.ts';
import { resolveSecret } from './secrets.ts';
import { departmentsWithSources, sourceDepartments } from './source-departments.ts';
import { connectNative, installTemporalRuntime, WorkerGroup } from './temporal-worker.ts';
import { exchangeWorkerSettings, sourceWorkerSettings, workerSettings } from './worker-settings.ts';

/** How often a worker for every department looks for new ones. */
const DEPARTMENTS_POLL_MS = 15_000;

await runProcess('worker', async ({ log, configuration }) => {
  const settings = requireSettings(configuration, ['temporalAddress', 'workerRoles'], 'a worker');
  requireSettings(configuration, workerSettings(configuration), `a worker of roles ${settings.workerRoles.join(', ')}`);
  installTemporalRuntime(log);
  return Resources.opening(async (resources) => {
    const group = new WorkerGroup(configuration, await connectNative(configuration, resources));
    if (settings.workerRoles.includes('exchange')) await startExchangeWorker(configuration, group, resources);
    if (settings.workerRoles.some((role) => role.startsWith('source:'))) {
      await startSourceWorkers(configuration, settings.workerRoles, group, log, resources);
    }
    // Last opened, first closed: work ends before what it works with.
    resources.add(group, (running) => running.stop());
    return { details: { roles: settings.workerRoles.join(',') }, ended: group.failed, stop: () => resources.close() };
  });
});

async function startExchangeWorker(
  configuration: Configuration,
  group: WorkerGroup,
  resources: Resources,
): Promise<void> {
  const settings = requireSettings(configuration, exchangeWorkerSettings, 'an exchange worker');
  const { catalog } = await openConfiguredCatalog(settings, 'huitong exchange worker', resources);
  await migrate(catalog);
  const publication = { catalog, store: await openConfiguredStore(settings, resources) };
  await group.start(exchangeQueue, {
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    activities: createExchangeActivities({ publication }),
  });
}

async function startSourceWorkers(
  configuration: Configuration,
  roles: readonly string[],
  group: WorkerGroup,
  log: Logger,
  resources: Resources,
): Promise<void> {
  const settings = requireSettings(configuration, sourceWorkerSettings, 'a source worker');
  const tokenOf = (department: string) =>
    resolveSecret(settings.workerToken.replaceAll('{department}', department), variableOf('workerToken'));
  const activitiesOf = async (department: string) =>
    createSourceActivities({
      staging: httpStagingClient({ url: settings.stagingUrl, token: await tokenOf(department) }),
      resolveSecret: (reference, at) => resolveSecret(reference, at),
      threads: settings.workerThreads,
      loopbackAllowed: settings.sourceLoopbackAllowed,
      sourceFolders: settings.sourceFolders,
    });
  const serve = async (departments: readonly string[]) => {
    for (const department of departments.filter((code) => !group.has(sourceQueue(code)))) {
      await group.start(sourceQueue(department), {
        activities: await activitiesOf(department),
        maxConcurrentActivityTaskExecutions: settings.workerExtractionsMax,
      });
      log.info({ department }, 'serving a department');
    }
  };
  const { named, every } = sourceDepartments(roles);
  await serve(named);
  if (!every) return;
  const token = await tokenOf('*');
  await serve(await departmentsWithSources(settings.stagingUrl, token));
  const timer = setInterval(() => {
    departmentsWithSources(settings.stagingUrl, token)
      .then(serve)
      .catch((e: unknown) => log.warn({ err: e }, 'could not look for new departments'));
  }, DEPARTMENTS_POLL_MS);
  resources.add(timer, async (started) => clearInterval(started));
}
