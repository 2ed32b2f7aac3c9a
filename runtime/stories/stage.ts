/** An exchange of its own for one story: started small in a temporary folder, and gone afterwards. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHuitongError } from '../../lib/errors.ts';
import { type DemoExchange, startExchange } from '../demo/exchange.ts';
import { Progress } from '../demo/progress.ts';
import { StateFolder } from '../state.ts';
import { Supervisor } from '../supervisor.ts';
import type { Stage } from './person.ts';

export interface StoryStage extends Stage {
  exchange: DemoExchange;
  step(line: string): void;
}

/** About 10,000 rows over all databases: a story is told of one of them. */
const SCALE = 0.02;
const INTERRUPTED = 130;

/** Starts an exchange, lets `tell` happen in it, and takes all of it away again. Gives the process's exit code. */
export async function onStage(tell: (stage: StoryStage) => Promise<void>): Promise<number> {
  const progress = new Progress();
  const root = await mkdtemp(join(tmpdir(), 'huitong-story-'));
  const state = await StateFolder.open(join(root, 'exchange'));
  await state.claim();
  const supervisor = new Supervisor({ state, onLog: (line) => progress.step(line) });
  const interrupted = new Promise<typeof INTERRUPTED>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(INTERRUPTED));
  });
  const play = async () => {
    const options = { once: true, scale: SCALE, fresh: true, help: false, state: state.directory };
    const exchange = await startExchange(options, state, supervisor, progress);
    const directory = join(root, 'people');
    await mkdir(directory);
    await tell({
      exchange,
      url: exchange.url,
      directory,
      say: (line) => progress.say(line),
      step: (line) => progress.step(line),
    });
    return 0;
  };
  try {
    return await Promise.race([play(), interrupted]);
  } catch (e: unknown) {
    const error = toHuitongError(e);
    progress.say(`\n✗ ${error.code}: ${error.code === 'INTERNAL' && e instanceof Error ? e.stack : error.message}`);
    return 1;
  } finally {
    progress.step('stopping');
    await supervisor.stop();
    await state.release();
    await rm(root, { recursive: true, force: true });
    progress.step('stopped');
  }
}
