/** What the harness sees of a run from outside: rows of the catalog, asked for often. */
import pg from 'pg';
import type { Catalog } from '../../catalog/database.ts';
import { commitRun } from '../../exchange/publication/commit.ts';
import type { CommitOutcome } from '../../exchange/publication/publication.ts';
import { isHuitongError } from '../../lib/errors.ts';
import { until } from './clients.ts';
import type { World } from './world.ts';

const STEP_TIMEOUT_MS = 60_000;
/** A lost worker is noticed after its heartbeats' time-out; two of them, and a machine that is busy. */
const RUN_TIMEOUT_MS = 180_000;

export interface RunNow {
  id: string;
  state: string;
  generation: number;
  version: number | null;
}

export class Watch {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async run(id: string): Promise<RunNow> {
    const row = await this.#world.publication
      .catalog('run')
      .where({ id })
      .first<RunNow | undefined>('id', 'state', 'generation', 'version');
    if (row === undefined) throw new Error(`run ${id} is not in the catalog`);
    return row;
  }

  untilGeneration(id: string, generation: number): Promise<RunNow> {
    return this.#untilRun(id, `generation ${generation}`, STEP_TIMEOUT_MS, (run) => run.generation >= generation);
  }

  untilEnded(id: string): Promise<RunNow> {
    return this.#untilRun(id, 'the end', RUN_TIMEOUT_MS, (run) => run.state !== 'running');
  }

  #untilRun(id: string, what: string, timeoutMs: number, there: (run: RunNow) => boolean): Promise<RunNow> {
    return until(`${what} of run ${id}`, timeoutMs, async () => {
      const run = await this.run(id);
      return there(run) && run;
    });
  }

  /** The digest of the report that a generation has staged, as soon as it has. */
  untilReported(run: string, generation: number): Promise<string> {
    return until(`the report of generation ${generation} of run ${run}`, STEP_TIMEOUT_MS, async () => {
      const row = await this.#world.publication
        .catalog('staged_object')
        .where({ run, generation, kind: 'report' })
        .first<{ digest: string } | undefined>('digest');
      return row?.digest;
    });
  }

  /** As an activity delivered to somebody else would: the same function, the same request. */
  async commit(request: {
    runId: string;
    generation: number;
    reportDigest: string;
  }): Promise<CommitOutcome | 'fenced'> {
    try {
      return await commitRun(this.#world.publication, request);
    } catch (e: unknown) {
      if (isHuitongError(e, 'FENCED')) return 'fenced';
      throw e;
    }
  }

  /**
   * Holds the dataset's row, so that a commit stands in the middle of its transaction until `release`. Take it once the
   * run has opened a generation: what begins a run needs the row too.
   */
  async holdDataset(code: string): Promise<DatasetHold> {
    const client = new pg.Client({ connectionString: this.#world.catalogUrl, application_name: 'crash hold' });
    client.on('error', () => {});
    await client.connect();
    await client.query('begin');
    await client.query('select from dataset where code = $1 for update', [code]);
    return new DatasetHold(client, this.#world.publication.catalog);
  }
}

export class DatasetHold {
  readonly #client: pg.Client;
  readonly #catalog: Catalog;

  constructor(client: pg.Client, catalog: Catalog) {
    this.#client = client;
    this.#catalog = catalog;
  }

  /** Until so many transactions wait for it, directly or in a queue behind one that does. */
  async untilWaiting(count: number): Promise<void> {
    await until(`${count} commits at the dataset's lock`, STEP_TIMEOUT_MS, async () => {
      // Not asked in the transaction that holds: there `pg_stat_activity` stays as it was first seen.
      const { rows } = await this.#catalog.raw<{ rows: { n: number }[] }>(
        `select count(*)::int as n from pg_stat_activity
         where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
      );
      return (rows[0]?.n ?? 0) >= count;
    });
  }

  async release(): Promise<void> {
    await this.#client.query('rollback');
    await this.#client.end();
  }
}
