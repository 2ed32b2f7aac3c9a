/**
 * The faults of the publish path (FAULTS.md 1 to 6), each played from outside: signals, a link that freezes, a lock, and
 * the activities' own functions called once more. Nothing in the code under test knows of them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isHuitongError } from '../../lib/errors.ts';
import { until } from './clients.ts';
import type { Random } from './random.ts';
import type { Watch } from './watch.ts';
import type { World } from './world.ts';

export interface Stage {
  world: World;
  watch: Watch;
  random: Random;
  dataset: string;
  /** How long a run of this dataset takes undisturbed, in all and until its report is staged. */
  usual: { runMs: number; extractMs: number };
}

export interface Played {
  /** The run that has to end well in spite of it. */
  run: string;
  position: string;
  /** Commits that were refused as FENCED: each has to be in the audit log. */
  fenced?: { run: string; times: number };
  /** What was seen on the way and must not have been. */
  problems?: string[];
}

export interface Fault {
  name: string;
  /** Numbers in FAULTS.md. */
  of: string;
  play(stage: Stage): Promise<Played>;
}

export const faults: readonly Fault[] = [
  { name: 'delivered-twice', of: '4', play: deliverTwice },
  { name: 'server-killed', of: '2', play: (stage) => killAnywhere(stage, ['server']) },
  { name: 'zombie-run', of: '5', play: commitOfOlderRun },
  { name: 'worker-killed', of: '1', play: killWhileExtracting },
  { name: 'exchange-killed', of: '2', play: (stage) => killAnywhere(stage, ['exchange']) },
  { name: 'report-lost', of: '2, 5', play: loseReport },
  { name: 'commit-killed', of: '2', play: killInCommit },
  { name: 'commit-unheard', of: '3', play: killAfterCommit },
  { name: 'worker-stopped', of: '6', play: stopWhileExtracting },
  { name: 'all-killed', of: '1, 2, 3', play: (stage) => killAnywhere(stage, ['server', 'exchange', 'worker']) },
];

/** Begins a run through the API. A server that is being started again is waited for. */
export async function begin({ world, dataset }: Pick<Stage, 'world' | 'dataset'>): Promise<string> {
  const run = await until(
    'the API takes a run',
    60_000,
    async () => {
      try {
        return await world.owner.post<{ id: string }>(`/datasets/${dataset}/runs`);
      } catch (e: unknown) {
        // The workflow of the run before may be a moment behind its row.
        if (e instanceof TypeError || isHuitongError(e, 'RUN_IN_PROGRESS')) return undefined;
        throw e;
      }
    },
    50,
  );
  return run.id;
}

async function killWhileExtracting(stage: Stage): Promise<Played> {
  const run = await begin(stage);
  await stage.watch.untilGeneration(run, 1);
  const ms = await delayWithin(stage, stage.usual.extractMs);
  await stage.world.worker.kill();
  return { run, position: `${ms} ms into the extract` };
}

async function killAnywhere(stage: Stage, members: ('server' | 'exchange' | 'worker')[]): Promise<Played> {
  const run = await begin(stage);
  const ms = await delayWithin(stage, stage.usual.runMs);
  await Promise.all(members.map((name) => stage.world[name].kill()));
  return { run, position: `${ms} ms into the run` };
}

/** Its report is staged, and nobody hears of it; later, when a newer generation is on its way, it is committed after all. */
async function loseReport(stage: Stage): Promise<Played> {
  const { world, watch } = stage;
  const run = await begin(stage);
  await watch.untilGeneration(run, 1);
  world.links.worker.freeze();
  const reportDigest = await watch.untilReported(run, 1);
  const killed = world.worker.kill();
  world.links.worker.cut();
  await killed;
  await watch.untilGeneration(run, 2);
  const ms = await delayWithin(stage, stage.usual.extractMs);
  const late = { runId: run, generation: 1, reportDigest };
  const answers = [await watch.commit(late)];
  await watch.untilEnded(run);
  answers.push(await watch.commit(late));
  return { run, position: `report staged; late commit ${ms} ms into generation 2`, ...zombie(run, answers) };
}

/** The transaction is begun and stands at its first lock when the process dies. */
async function killInCommit(stage: Stage): Promise<Played> {
  const { world, watch } = stage;
  const run = await begin(stage);
  await watch.untilGeneration(run, 1);
  const hold = await watch.holdDataset(stage.dataset);
  await hold.untilWaiting(1);
  const killed = world.exchange.kill();
  const ms = await delayWithin(stage, 500);
  await hold.release();
  await killed;
  return { run, position: `in the transaction, its lock given ${ms} ms later` };
}

/** The commit is done, and Temporal does not hear of it. */
async function killAfterCommit(stage: Stage): Promise<Played> {
  const { world, watch } = stage;
  const run = await begin(stage);
  await watch.untilGeneration(run, 1);
  const hold = await watch.holdDataset(stage.dataset);
  await hold.untilWaiting(1);
  world.links.exchange.freeze();
  await hold.release();
  await watch.untilEnded(run);
  const ms = await delayWithin(stage, 200);
  const killed = world.exchange.kill();
  world.links.exchange.cut();
  await killed;
  return { run, position: `${ms} ms after the transaction, unacknowledged` };
}

/** Three deliveries of one commit stand at the lock together. */
async function deliverTwice(stage: Stage): Promise<Played> {
  const { watch } = stage;
  const run = await begin(stage);
  await watch.untilGeneration(run, 1);
  const hold = await watch.holdDataset(stage.dataset);
  await hold.untilWaiting(1);
  const { generation } = await watch.run(run);
  const request = { runId: run, generation, reportDigest: await watch.untilReported(run, generation) };
  const deliveries = Promise.all([watch.commit(request), watch.commit(request)]);
  await hold.untilWaiting(3);
  const ms = await delayWithin(stage, 100);
  await hold.release();
  const answers = (await deliveries).map((answer) => JSON.stringify(answer));
  answers.push(JSON.stringify(await watch.commit(request)));
  const problems = new Set(answers).size === 1 ? [] : [`one commit, several answers: ${answers.join(' ')}`];
  return { run, position: `three at the lock, ${ms} ms`, problems };
}

/** An operator ends a workflow whose worker goes on unaware; a new run begins, and then the old one's commit comes. */
async function commitOfOlderRun(stage: Stage): Promise<Played> {
  const { world, watch } = stage;
  const older = await begin(stage);
  await watch.untilGeneration(older, 1);
  world.links.worker.freeze();
  await world.temporal.workflow.getHandle(`publish/${stage.dataset}`, older).terminate('crash test');
  const reportDigest = await watch.untilReported(older, 1);
  world.links.worker.cut();
  const run = await begin(stage);
  const ms = await delayWithin(stage, stage.usual.runMs);
  const late = { runId: older, generation: 1, reportDigest };
  const answers = [await watch.commit(late)];
  await watch.untilEnded(run);
  answers.push(await watch.commit(late));
  return { run, position: `late commit ${ms} ms into the newer run`, ...zombie(older, answers) };
}

/** Silent past its heartbeats' time-out, then awake again while another worker extracts, or when it has. */
async function stopWhileExtracting(stage: Stage): Promise<Played> {
  const { world, watch, random } = stage;
  const run = await begin(stage);
  await watch.untilGeneration(run, 1);
  // Not later, or there would be nothing left to do when it wakes.
  const ms = await delayWithin(stage, stage.usual.extractMs / 2);
  const wake = world.worker.suspend();
  const wakeMs = random.below(stage.usual.extractMs);
  try {
    await world.spare.start();
    await watch.untilGeneration(run, 2);
    await delay(wakeMs);
  } finally {
    wake();
  }
  await watch.untilEnded(run);
  await world.spare.stop();
  return { run, position: `${ms} ms into the extract, awake ${wakeMs} ms into generation 2` };
}

function zombie(run: string, answers: unknown[]): Pick<Played, 'fenced' | 'problems'> {
  const wrong = answers.filter((answer) => answer !== 'fenced');
  return {
    fenced: { run, times: answers.length },
    problems: wrong.map((answer) => `a zombie's commit was not refused: ${JSON.stringify(answer)}`),
  };
}

async function delayWithin({ random }: Stage, ms: number): Promise<number> {
  const chosen = random.below(Math.max(1, Math.round(ms)));
  await delay(chosen);
  return chosen;
}
