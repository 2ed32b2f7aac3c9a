/** `npm run demo`: an exchange with the synthetic databases of Longhua, started, filled, published, and checked. */
import { join } from 'node:path';
import { toHuitongError } from '../lib/errors.ts';
import { checkAll } from './demo/check.ts';
import { startExchange } from './demo/exchange.ts';
import { farewell } from './demo/farewell.ts';
import { type DemoOptions, demoHelp, parseDemoOptions } from './demo/options.ts';
import { Progress } from './demo/progress.ts';
import { publishAll } from './demo/publish.ts';
import { publishedTable } from './demo/table.ts';
import { StateFolder } from './state.ts';
import { Supervisor } from './supervisor.ts';

const INTERRUPTED = 130;
const root = join(import.meta.dirname, '..');
const progress = new Progress();

/** Resolves on the first Ctrl-C or SIGTERM; a second one is left to the watchdogs. */
const interrupted = new Promise<'interrupted'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => resolve('interrupted'));
  }
});

process.exitCode = await main().catch((e: unknown) => {
  const error = toHuitongError(e);
  const message = error.code === 'INTERNAL' && e instanceof Error ? (e.stack ?? e.message) : error.message;
  progress.clear();
  console.error(`\n${error.code}${error.at ? ` at ${error.at}` : ''}: ${message}\n→ ${error.hint}`);
  return 1;
});
// Whatever still holds the event loop, for instance a connection that is kept alive, has nothing left to do.
process.exit();

async function main(): Promise<number> {
  const options = parseDemoOptions(process.argv.slice(2), root, process.env);
  if (options.help) {
    console.log(demoHelp);
    return 0;
  }
  const state = await StateFolder.open(options.state);
  const ended = await state.claim();
  if (ended.length > 0) progress.step(`ended what a former demo left running: ${ended.join(', ')}`);
  if (options.fresh) await state.clear();
  const supervisor = new Supervisor({ state, onLog: (line) => progress.step(line) });
  try {
    const outcome = await Promise.race([run(options, state, supervisor), interrupted]);
    if (outcome === 'interrupted') return INTERRUPTED;
    if (outcome === 'checked') return 0;
    if (outcome === 'failed') return 1;
    await interrupted;
    return 0;
  } finally {
    progress.clear();
    progress.step('stopping');
    await supervisor.stop();
    await state.release();
    progress.step('stopped');
  }
}

async function run(
  options: DemoOptions,
  state: StateFolder,
  supervisor: Supervisor,
): Promise<'ready' | 'checked' | 'failed'> {
  const exchange = await startExchange(options, state, supervisor, progress);
  progress.step(`publishing ${exchange.datasets.length} datasets`);
  const published = await publishAll(exchange.datasets, exchange.apiOf, progress);
  progress.say(`\n${publishedTable(published, exchange.databases)}`);
  if (options.once) {
    const { passed, failures } = await checkAll(exchange, published);
    for (const failure of failures) progress.say(`✗ ${failure}`);
    progress.say(`\ndemo: ${passed} checks passed, ${failures.length} failed`);
    return failures.length === 0 ? 'checked' : 'failed';
  }
  progress.say(farewell(exchange, published, state.directory));
  return 'ready';
}
