/**
 * What holds whatever happened: asked of the catalog, the store, the API and the operating system after each seed.
 * Each check gives one line for each thing that is wrong.
 */
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { verifyExport } from '../../exchange/audit/verify/export.ts';
import { partsOf, readManifestObject } from '../../exchange/publication/manifest.ts';
import type { AuditLeaf } from '../../schemas/generated/audit-leaf.ts';
import { until } from './clients.ts';
import type { Played } from './faults.ts';
import { leftovers } from './leftovers.ts';
import { datasetOf, type Expected, type Table } from './source.ts';
import type { World } from './world.ts';

/** What the source, and nothing else, decides about a seed's outcome. */
export interface Expectation {
  table: Table;
  source: Expected;
  /** Whether the source changed since the current version was published. */
  changed: boolean;
  /** The current version before. */
  versionBefore: number;
}

interface VersionRow {
  dataset: string;
  number: number;
  run: string;
  manifest_digest: string;
  rows: number;
  rows_read: number;
  rows_quarantined: number;
}

export class Invariants {
  readonly #world: World;
  /** Signed heads that we kept: the log has to begin with them for ever. */
  readonly #heads: string[] = [];
  readonly #fenced = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** After a run that `played` says has to end well. */
  async check(played: Played, expectation: Expectation): Promise<string[]> {
    if (played.fenced) this.#fenced.set(played.fenced.run, played.fenced.times);
    return [
      ...(played.problems ?? []),
      ...(await this.#checkRun(played.run, expectation)),
      ...(await this.#checkContent(expectation)),
      ...(await this.#checkGenerations()),
      ...(await this.checkAlways()),
      ...(await leftovers(this.#world)),
    ];
  }

  /** What needs no run: versions, their objects, the log. */
  async checkAlways(): Promise<string[]> {
    return [...(await this.#checkVersions()), ...(await this.#checkStore()), ...(await this.#checkAudit())];
  }

  /** The outcome follows from the source alone, and every row is accounted for. */
  async #checkRun(id: string, { table, source, changed, versionBefore }: Expectation): Promise<string[]> {
    const run = await this.#catalog('run').where({ id }).first();
    const expected = {
      dataset: datasetOf(table),
      state: changed ? 'published' : 'unchanged',
      version: changed ? versionBefore + 1 : versionBefore,
      rows_read: source.rowsRead,
      rows_published: source.content.rows,
      rows_quarantined: source.rowsRead - source.content.rows,
      quarantined_by_code: source.quarantined,
    };
    const found = Object.fromEntries(Object.keys(expected).map((name) => [name, run[name]]));
    if (isDeepStrictEqual(found, expected)) return [];
    const failure = run.failure_code ? ` (${run.failure_code}: ${run.failure_message})` : '';
    return [`run ${id}: ${JSON.stringify(found)}${failure}; expected ${JSON.stringify(expected)}`];
  }

  /** A reader gets the rows of the source's snapshot less those that break the contract, byte for byte. */
  async #checkContent({ table, source }: Expectation): Promise<string[]> {
    const response = await this.#world.owner.open(`/datasets/${datasetOf(table)}/data`, 'application/x-ndjson');
    if (!response.ok) return [`reading ${table}: status ${response.status}`];
    const read = await this.#world.source.contentOfLines(table, await response.text());
    if (isDeepStrictEqual({ ...read }, { ...source.content })) return [];
    return [`content of ${table}: ${JSON.stringify(read)}; the source has ${JSON.stringify(source.content)}`];
  }

  /** Nothing that a dead generation staged is referred to; and it had staged what its successor staged too. */
  async #checkGenerations(): Promise<string[]> {
    const { rows: kept } = await this.#catalog.raw(`
      select distinct s.run from staged_object s join run on run.id = s.run
      where s.kept and (s.generation <> run.generation or run.state not in ('published', 'unchanged', 'rejected'))`);
    // A partition that was read to its end gives the same parts each time, so long as the source is the same.
    const { rows: other } = await this.#catalog.raw(`
      select s.run, s.generation, s.digest from staged_object s join run on run.id = s.run
      where s.kind = 'part' and s.generation < run.generation and run.state in ('published', 'unchanged')
        and not exists (select from staged_object l
                        where l.run = s.run and l.generation = run.generation and l.digest = s.digest)`);
    const { rows: running } = await this.#catalog.raw(`select id from run where state = 'running'`);
    return [
      ...kept.map(({ run }: { run: string }) => `run ${run}: an object of a dead generation is kept`),
      ...other.map(
        (row: { run: string; generation: number; digest: string }) =>
          `run ${row.run}: generation ${row.generation} made part ${row.digest}, its successor did not`,
      ),
      ...running.map(({ id }: { id: string }) => `run ${id} is still running`),
    ];
  }

  /** Consecutive, one a successful run, the pointer at the last, and the account of each adds up. */
  async #checkVersions(): Promise<string[]> {
    const problems: string[] = [];
    const versions = await this.#versions();
    const datasets = await this.#catalog('dataset').select<{ code: string; current_version: number | null }[]>('*');
    for (const { code, current_version: current } of datasets) {
      const numbers = versions.filter(({ dataset }) => dataset === code).map(({ number }) => number);
      const consecutive = numbers.every((number, i) => number === i + 1);
      if (!consecutive || (current ?? 0) !== numbers.length) {
        problems.push(`${code}: versions ${numbers.join(', ')}, and version ${current} is current`);
      }
    }
    const published = await this.#catalog('run').where({ state: 'published' }).select<{ id: string }[]>('id');
    const runs = new Set(versions.map(({ run }) => run));
    if (runs.size !== published.length || published.some(({ id }) => !runs.has(id))) {
      problems.push(`${published.length} runs published, but ${runs.size} runs have a version`);
    }
    for (const { dataset, number, rows, rows_read: read, rows_quarantined: bad } of versions) {
      if (read !== rows + bad)
        problems.push(`${dataset} version ${number}: read ${read}, ${rows} + ${bad} accounted for`);
    }
    return problems;
  }

  /** Every part of every version is in the store under its digest, and was staged by the run that published it. */
  async #checkStore(): Promise<string[]> {
    const { store } = this.#world.publication;
    const problems: string[] = [];
    for (const { dataset, number, run, manifest_digest: digest } of await this.#versions()) {
      try {
        const parts = partsOf(await readManifestObject(store, digest));
        for (const part of parts) await store.verify(part.digest);
        const kept = await this.#catalog('staged_object')
          .where({ run, kept: true })
          .select<{ digest: string }[]>('digest');
        const lost = [digest, ...parts.map((part) => part.digest)].filter(
          (one) => !kept.some((row) => row.digest === one),
        );
        problems.push(...lost.map((one) => `${dataset} version ${number}: nothing keeps object ${one}`));
      } catch (e: unknown) {
        problems.push(`${dataset} version ${number}: ${e instanceof Error ? e.message : String(e)}`);
      }
    }
    return problems;
  }

  /** The log verifies without the exchange, begins with every head that we saw, and tells of each version once. */
  async #checkAudit(): Promise<string[]> {
    await until('the outbox is empty', 30_000, async () => {
      const [{ n }] = await this.#catalog('audit_outbox').count<{ n: number }[]>({ n: '*' });
      return n === 0;
    });
    const response = await this.#world.auditor.open('/audit/export', 'application/x-ndjson');
    const lines: string[] = [];
    for await (const line of createInterface(Readable.fromWeb(response.body as never))) lines.push(line);
    const publicKey = createPublicKey(await readFile(this.#world.signingPublicFile, 'utf8'));
    const verified = await verifyExport(Readable.from(lines), { publicKey, earlierHeads: this.#heads });
    this.#heads.push(verified.head.note);
    const leaves = lines.slice(1).map((line) => JSON.parse(JSON.parse(line).leaf) as AuditLeaf);
    return [...this.#leavesOfVersions(leaves, await this.#versions()), ...this.#leavesOfFences(leaves)];
  }

  #leavesOfVersions(leaves: AuditLeaf[], versions: VersionRow[]): string[] {
    const told = leaves.filter(
      (leaf) => leaf.action === 'dataset.publish' && leaf.decision === 'allow' && leaf.versionDigest,
    );
    const problems = versions.flatMap(({ dataset, number, manifest_digest: digest }) => {
      const object = `dataset/${dataset}/version/${number}`;
      const own = told.filter((leaf) => leaf.object === object && leaf.versionDigest === digest);
      return own.length === 1 ? [] : [`${object} is in the log ${own.length} times`];
    });
    if (told.length !== versions.length)
      problems.push(`${told.length} publications in the log, ${versions.length} versions`);
    return problems;
  }

  #leavesOfFences(leaves: AuditLeaf[]): string[] {
    return [...this.#fenced].flatMap(([run, times]) => {
      const told = leaves.filter((leaf) => leaf.run === run && leaf.rule === 'FENCED' && leaf.decision === 'deny');
      return told.length === times ? [] : [`run ${run}: ${times} commits were FENCED, ${told.length} are in the log`];
    });
  }

  #versions(): Promise<VersionRow[]> {
    return this.#catalog('version').orderBy(['dataset', 'number']).select<VersionRow[]>('*');
  }

  get #catalog() {
    return this.#world.publication.catalog;
  }
}
