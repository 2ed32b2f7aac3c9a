/** The indexes that this server holds open, and the making of those that are missing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { getDataset } from '../../../catalog/datasets.ts';
import { readSchemaMessage } from '../../../columnar/message.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import type { Publication } from '../../publication/publication.ts';
import { readManifest, resolveVersion } from '../../publication/versions.ts';
import { IndexFiles } from './files.ts';
import { datasetsWithoutIndex, type IndexRow, keyedByOf, makeIndex, newestIndex } from './indexes.ts';
import { OpenIndex } from './open-index.ts';
import { keyHasher } from './slots.ts';

export interface ShelfOptions {
  publication: Publication;
  subjectKey: Uint8Array;
  /** A folder for copies of index objects; servers of one machine may share it. */
  directory: string;
  /** An index that could not be made, or a newer one that could not be opened; look-ups go on from an older one. */
  onFailure(dataset: string, error: unknown): void;
}

export class IndexShelf {
  readonly keyedBy: string;
  readonly #options: ShelfOptions;
  readonly #files: IndexFiles;
  /** By dataset, the one used longest ago first. */
  readonly #open = new Map<string, Promise<OpenIndex>>();
  readonly #making = new Map<string, Promise<void>>();
  /** By dataset and version: indexes that are being opened, or could not be a moment ago. */
  readonly #newer = new Map<string, Promise<OpenIndex | undefined>>();
  #closed = false;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#files = new IndexFiles(options.publication.store, options.directory);
    this.keyedBy = keyedByOf(options.subjectKey);
  }

  /**
   * The newest index that this server knows of; the very first is waited for.
   * @throws NOT_FOUND where nothing is published, LOOKUP_NOT_READY, LOOKUP_UNSUPPORTED
   */
  async newest(dataset: string): Promise<OpenIndex> {
    const open = this.#open.get(dataset);
    if (open === undefined) return this.#put(dataset, this.#first(dataset));
    this.#open.delete(dataset);
    this.#open.set(dataset, open);
    return open;
  }

  /**
   * The index that is to be answered from, given what the catalog says now. A newer one is opened once, however many
   * ask for it; where that takes long, or fails, the one at hand goes on.
   */
  async following(index: OpenIndex, now: { currentVersion: number | null; indexedVersion: number | null }) {
    const { dataset, number } = index.version;
    if (now.currentVersion !== null && now.currentVersion > (now.indexedVersion ?? 0)) void this.#startMaking(dataset);
    if (now.indexedVersion === null) return this.#anew(index);
    if (now.indexedVersion <= number) return index;
    const known = await this.newest(dataset);
    if (known.version.number >= now.indexedVersion) return known;
    const name = `${dataset}/${now.indexedVersion}`;
    const running = this.#newer.get(name) ?? this.#openNewer(dataset, name);
    return (await settledWithin(running, limits.lookupNewerWaitMs)) ?? index;
  }

  /** The version of the index has expired, and no later one has an index: that is waited for as the first one is. */
  async #anew(index: OpenIndex): Promise<OpenIndex> {
    const { dataset } = index.version;
    if ((await this.newest(dataset)) === index) {
      this.#open.delete(dataset);
      closeLater(Promise.resolve(index));
    }
    return this.newest(dataset);
  }

  /** Makes what is missing for datasets that are looked up; one after the other. */
  async makeMissing(): Promise<void> {
    for (const dataset of await datasetsWithoutIndex(this.#options.publication.catalog, this.keyedBy)) {
      if (this.#closed) return;
      await this.#startMaking(dataset);
    }
  }

  /** Waits for what is being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#making.values());
    for (const opening of this.#open.values()) await opening.then((index) => index.close()).catch(() => {});
    this.#open.clear();
  }

  /** Gives undefined where it cannot be opened now; it is tried again after a while. */
  #openNewer(dataset: string, name: string): Promise<OpenIndex | undefined> {
    const opening = this.#openNewest(dataset).then(
      (index) => {
        if (index !== undefined) void this.#put(dataset, Promise.resolve(index));
        this.#newer.delete(name);
        return index;
      },
      (error: unknown) => {
        this.#options.onFailure(dataset, error);
        setTimeout(() => this.#newer.delete(name), limits.lookupIndexIntervalMs).unref();
        return undefined;
      },
    );
    this.#newer.set(name, opening);
    return opening;
  }

  /** In its dataset's place; one that fails leaves it empty. What it replaces is closed once nobody can be at it. */
  #put(dataset: string, opening: Promise<OpenIndex>): Promise<OpenIndex> {
    const before = this.#open.get(dataset);
    this.#open.delete(dataset);
    this.#open.set(dataset, opening);
    void opening.then(
      (index) => closeLater(before, index),
      () => this.#open.get(dataset) === opening && this.#open.delete(dataset),
    );
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size > limits.lookupIndexesOpenMax) {
      this.#open.delete(oldest[0]);
      closeLater(oldest[1]);
    }
    return opening;
  }

  async #first(dataset: string): Promise<OpenIndex> {
    const found = await this.#openNewest(dataset);
    if (found !== undefined) return found;
    await resolveVersion(this.#options.publication, dataset, 'current');
    await settledWithin(this.#startMaking(dataset, true), limits.lookupFirstWaitMs);
    const made = await this.#openNewest(dataset);
    if (made !== undefined) return made;
    throw new HuitongError('LOOKUP_NOT_READY', '该数据集的查询索引正在建立 · the index of this dataset is being made', {
      at: dataset,
    });
  }

  async #openNewest(dataset: string): Promise<OpenIndex | undefined> {
    const row = await newestIndex(this.#options.publication.catalog, dataset, this.keyedBy);
    return row === undefined ? undefined : this.#openRow(row);
  }

  async #openRow(row: IndexRow): Promise<OpenIndex> {
    const { publication, subjectKey } = this.#options;
    const version = await resolveVersion(publication, row.dataset, row.version);
    const manifest = await readManifest(publication, version);
    const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
    const [slots, records] = await Promise.all([
      this.#files.open(row.slots_digest),
      this.#files.open(row.records_digest),
    ]);
    return new OpenIndex({
      version,
      schema,
      key: row.key_columns,
      slots,
      records,
      hashOf: keyHasher(subjectKey, row.salt),
    });
  }

  /** @param asked somebody waits: why it fails is for them */
  #startMaking(dataset: string, asked = false): Promise<void> {
    const running = this.#making.get(dataset);
    if (running !== undefined) return running;
    const making = this.#make(dataset).finally(() => this.#making.delete(dataset));
    this.#making.set(
      dataset,
      making.catch(() => {}),
    );
    return asked ? making : making.catch((error: unknown) => this.#options.onFailure(dataset, error));
  }

  async #make(dataset: string): Promise<void> {
    const { publication, subjectKey } = this.#options;
    const version = await resolveVersion(publication, dataset, 'current');
    const { key } = await getDataset(publication.catalog, dataset);
    await makeIndex(publication, { version, key, subjectKey });
  }
}

/** Undefined where it takes longer; it goes on by itself then. */
async function settledWithin<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const late = new AbortController();
  const timeout = sleep(ms, undefined, { signal: late.signal, ref: false }).catch(() => undefined);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    late.abort();
  }
}

/** Whoever got it reads it in the same turn of the event loop, or nearly. */
const CLOSE_AFTER_MS = 10_000;

function closeLater(opening: Promise<OpenIndex> | undefined, unless?: OpenIndex): void {
  void opening?.then(
    (index) => index !== unless && setTimeout(() => index.close(), CLOSE_AFTER_MS).unref(),
    () => {},
  );
}
