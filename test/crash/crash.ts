/** The loop: a source that changes, a fault for each seed, and the invariants after it. */
import { setTimeout as delay } from 'node:timers/promises';
import { collect } from '../../exchange/publication/collect.ts';
import { begin, type Fault, faults, type Stage } from './faults.ts';
import { Invariants } from './invariants.ts';
import { Random } from './random.ts';
import { datasetOf, type Table, tables } from './source.ts';
import { Watch } from './watch.ts';
import { type World, withWorld } from './world.ts';

/** Enough for an extract of about a second, so that there is a middle to be killed in. */
const SOURCE_ROWS = 120_000;

export interface CrashOptions {
  seeds: number[];
  /** Of each table; default 120,000. */
  rows?: number;
  onSeed?(result: SeedResult): void;
  onLog?(line: string): void;
}

export interface SeedResult {
  seed: number;
  fault: string;
  /** Numbers in FAULTS.md. */
  of: string;
  dataset: string;
  position: string;
  outcome: string;
  generations: number;
  seconds: number;
  /** Empty where every invariant holds. */
  problems: string[];
}

/** One result a seed; a last one, seed 0, for the collector and what is left after it. */
export async function crash({
  seeds,
  rows = SOURCE_ROWS,
  onSeed,
  onLog = () => {},
}: CrashOptions): Promise<SeedResult[]> {
  return withWorld({ rows, onLog }, async (world) => {
    const harness = new Harness(world);
    await harness.warmUp();
    const results: SeedResult[] = [];
    const add = (result: SeedResult) => {
      results.push(result);
      onSeed?.(result);
    };
    for (const seed of seeds) add(await harness.play(seed));
    add(await harness.collectAll());
    return results;
  });
}

/** Which fault a seed plays, so that as many seeds as there are faults play each once. */
export function faultOf(seed: number): Fault {
  return faults[(seed - 1) % faults.length] as Fault;
}

class Harness {
  readonly #world: World;
  readonly #watch: Watch;
  readonly #invariants: Invariants;
  readonly #usual = new Map<Table, Stage['usual']>();
  /** Changed since their current version; a seed that published nothing leaves its change to the next one. */
  readonly #changed = new Set<Table>();

  constructor(world: World) {
    this.#world = world;
    this.#watch = new Watch(world);
    this.#invariants = new Invariants(world);
  }

  /** A first version of each dataset, undisturbed; the second run of each tells how long one takes. */
  async warmUp(): Promise<void> {
    for (const round of [1, 2]) {
      for (const table of tables) {
        const source = await this.#world.source.expected(table);
        const since = Date.now();
        const run = await begin({ world: this.#world, dataset: datasetOf(table) });
        await this.#watch.untilGeneration(run, 1);
        const opened = Date.now();
        await this.#watch.untilReported(run, 1);
        const extractMs = Date.now() - opened;
        await this.#watch.untilEnded(run);
        this.#usual.set(table, { runMs: Date.now() - since, extractMs });
        const expectation = { table, source, changed: round === 1, versionBefore: round - 1 };
        const problems = await this.#invariants.check({ run, position: '' }, expectation);
        if (problems.length > 0) throw new Error(`undisturbed, and yet:\n${problems.join('\n')}`);
      }
    }
  }

  async play(seed: number): Promise<SeedResult> {
    const since = Date.now();
    const random = new Random(seed);
    const fault = faultOf(seed);
    const table = random.pick(tables);
    const dataset = datasetOf(table);
    if (await this.#world.source.change(table, random)) this.#changed.add(table);
    const changed = this.#changed.has(table);
    const source = await this.#world.source.expected(table);
    const versionBefore = await this.#currentVersion(dataset);
    const result = { seed, fault: fault.name, of: fault.of, dataset };
    const seconds = () => (Date.now() - since) / 1000;
    try {
      const usual = this.#usual.get(table) as Stage['usual'];
      const played = await fault.play({ world: this.#world, watch: this.#watch, random, dataset, usual });
      const ended = await this.#watch.untilEnded(played.run);
      if (ended.state === 'published') this.#changed.delete(table);
      const problems = await this.#invariants.check(played, { table, source, changed, versionBefore });
      const outcome = ended.version === null ? ended.state : `${ended.state} v${ended.version}`;
      return {
        ...result,
        position: played.position,
        outcome,
        generations: ended.generation,
        seconds: seconds(),
        problems,
      };
    } catch (e: unknown) {
      const problems = [e instanceof Error ? (e.stack ?? e.message) : String(e)];
      return { ...result, position: '', outcome: 'not reached', generations: 0, seconds: seconds(), problems };
    }
  }

  /** Without a grace time the collector takes all that nothing refers to; every version is still whole. */
  async collectAll(): Promise<SeedResult> {
    const since = Date.now();
    // The collector takes what is older than now, and the store's clock counts milliseconds.
    await delay(10);
    const { objects } = await collect(this.#world.publication, 0);
    const problems = await this.#invariants.checkAlways();
    const again = await collect(this.#world.publication, 0);
    if (again.objects > 0) problems.push(`the collector left ${again.objects} objects for a second time`);
    const unreferenced = await this.#unreferenced();
    if (unreferenced > 0) problems.push(`${unreferenced} objects are in the store that nothing refers to`);
    const seconds = (Date.now() - since) / 1000;
    const outcome = `${objects} objects removed`;
    return {
      seed: 0,
      fault: 'collect',
      of: '2',
      dataset: '',
      position: 'at the end',
      outcome,
      generations: 0,
      seconds,
      problems,
    };
  }

  async #unreferenced(): Promise<number> {
    const { catalog, store } = this.#world.publication;
    const referred = new Set<string>();
    for (const table of ['staged_object', 'quarantine_part']) {
      for (const { digest } of await catalog(table).select<{ digest: string }[]>('digest')) referred.add(digest);
    }
    let count = 0;
    for await (const { digest } of store.list()) if (!referred.has(digest)) count += 1;
    return count;
  }

  async #currentVersion(code: string): Promise<number> {
    const row = await this.#world.publication.catalog('dataset').where({ code }).first<{ current_version: number }>();
    return row.current_version;
  }
}
