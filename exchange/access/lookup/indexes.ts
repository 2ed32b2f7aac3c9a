/** Which versions have an index, and making one: row images in one object, the slot table in another. */
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordBatch } from 'apache-arrow';
import type { Catalog } from '../../../catalog/database.ts';
import { readSchemaMessage } from '../../../columnar/message.ts';
import { RowImageWriter } from '../../../columnar/row-image.ts';
import { HuitongError } from '../../../lib/errors.ts';
import { limits } from '../../../lib/limits.ts';
import { holdOffCollector } from '../../publication/collection-lock.ts';
import { partsOf } from '../../publication/manifest.ts';
import { partsOfStore } from '../../publication/part-tags.ts';
import type { Publication, Version } from '../../publication/publication.ts';
import { readManifest } from '../../publication/versions.ts';
import type { StoredObject } from '../../store/store.ts';
import { buildOnce } from '../build-once.ts';
import { projectedBatches } from '../renditions/batches.ts';
import { keyReader } from './key.ts';
import { keyHasher, SlotTable } from './slots.ts';

export interface IndexRow {
  dataset: string;
  version: number;
  keyed_by: string;
  key_columns: string[];
  salt: number;
  slots_digest: string;
  slots_bytes: string;
  records_digest: string;
  records_bytes: string;
  rows: string;
}

/** Names the subject key in the catalog without telling it. */
export function keyedByOf(subjectKey: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from('huitong lookup index'), subjectKey]), 'hex');
}

/** The index of the newest version that has one. */
export async function newestIndex(catalog: Catalog, dataset: string, keyedBy: string): Promise<IndexRow | undefined> {
  return catalog<IndexRow>('lookup_index').where({ dataset, keyed_by: keyedBy }).orderBy('version', 'desc').first();
}

/** Datasets that are looked up (by their definition, or under a grant) and whose current version has no index. */
export async function datasetsWithoutIndex(catalog: Catalog, keyedBy: string): Promise<string[]> {
  const { rows } = await catalog.raw<{ rows: { code: string }[] }>(WITHOUT_INDEX, { keyedBy });
  return rows.map(({ code }) => code);
}

const WITHOUT_INDEX = `
  select code from dataset
  where current_version is not null
    and (
      definition -> 'modes' @> '["lookup"]'
      or exists (
        select from access_grant
        where access_grant.dataset = code and access_grant.state = 'active' and expires_at > now()
          and (terms -> 'modes' @> '["lookup"]' or terms -> 'modes' @> '["verify"]')
      )
    )
    and not exists (
      select from lookup_index
      where lookup_index.dataset = code and version = current_version and keyed_by = :keyedBy
    )
  order by code`;

export interface IndexWanted {
  version: Version;
  /** The contract's. */
  key: string[];
  subjectKey: Uint8Array;
}

/** Salts that are tried; each fails for fewer than one version in a hundred, unless keys occur twice. */
const SALTS_MAX = 4;

/**
 * Makes the index and registers it, in one of the servers that want it. Two that made it all the same (a lease that ran
 * out) made the same objects; the first row stays.
 * @throws LOOKUP_UNSUPPORTED, OBJECT_MISSING, OBJECT_CORRUPT, STORE_FULL
 */
export function makeIndex(publication: Publication, wanted: IndexWanted): Promise<IndexRow> {
  const { dataset, number: version } = wanted.version;
  const row = { dataset, version, keyed_by: keyedByOf(wanted.subjectKey) };
  return buildOnce(publication.catalog, {
    key: `lookup-index/${dataset}/${version}/${row.keyed_by}`,
    find: () => publication.catalog<IndexRow>('lookup_index').where(row).first(),
    make: (alive) => makeHere(publication, wanted, alive),
  });
}

async function makeHere(publication: Publication, wanted: IndexWanted, alive: () => Promise<void>): Promise<IndexRow> {
  for (let salt = 0; salt < SALTS_MAX; salt++) {
    const made = await tryMake(publication, { ...wanted, salt, alive });
    if (made !== undefined) return register(publication, made);
  }
  throw new HuitongError('LOOKUP_UNSUPPORTED', '该版本中有重复主键 · a key occurs twice in the version', {
    at: wanted.version.dataset,
  });
}

async function tryMake(
  publication: Publication,
  { version, key, subjectKey, salt, alive }: IndexWanted & { salt: number; alive(): Promise<void> },
): Promise<IndexRow | undefined> {
  const { store } = publication;
  const manifest = await readManifest(publication, version);
  const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
  const keys = keyReader(key, schema);
  const hashOf = keyHasher(subjectKey, salt);
  const table = new SlotTable(manifest.rows);
  let told = true;
  let position = 0;
  const batches = projectedBatches({
    store: partsOfStore(publication),
    schema,
    parts: partsOf(manifest),
    projection: { columns: null },
  });
  const places = keys.schema.fields.map(({ name }) => schema.fields.findIndex((field) => field.name === name));
  const records = await store.put(
    imagesOf(batches, alive, (batch, row, length) => {
      const text = keys.ofColumns(
        places.map((place) => batch.data.children[place]!),
        row,
      );
      told &&= table.add(hashOf(text), position, length);
      position += length;
    }),
  );
  if (!told) return undefined;
  const slots = await store.put(one(table.bytes));
  return rowOf({ version, key, subjectKey }, salt, { slots, records, rows: manifest.rows });
}

/** Row images in the version's order, some thousands at a time, so that other requests have their turn. */
async function* imagesOf(
  batches: AsyncIterable<RecordBatch>,
  alive: () => Promise<void>,
  visit: (batch: RecordBatch, row: number, length: number) => void,
): AsyncGenerator<Uint8Array> {
  const writer = new RowImageWriter();
  for await (const batch of batches) {
    for (let start = 0; start < batch.numRows; start += limits.lookupIndexRowsAtOnce) {
      const slice = batch.slice(start, start + limits.lookupIndexRowsAtOnce);
      // A copy: a store may still hold the last one while the writer's memory is used again.
      yield Buffer.from(writer.batch(slice, (row, _, length) => visit(slice, row, length)));
      await nextTurn();
      await alive();
    }
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface Objects {
  slots: StoredObject;
  records: StoredObject;
  rows: number;
}

function rowOf({ version, key, subjectKey }: IndexWanted, salt: number, { slots, records, rows }: Objects): IndexRow {
  return {
    dataset: version.dataset,
    version: version.number,
    keyed_by: keyedByOf(subjectKey),
    key_columns: key,
    salt,
    slots_digest: slots.digest,
    slots_bytes: String(slots.sizeBytes),
    records_digest: records.digest,
    records_bytes: String(records.sizeBytes),
    rows: String(rows),
  };
}

/** From here on the collector leaves the objects alone. */
async function register({ catalog, store }: Publication, row: IndexRow): Promise<IndexRow> {
  await catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    await transaction('lookup_index').insert(row).onConflict(['dataset', 'version', 'keyed_by']).ignore();
    for (const digest of [row.slots_digest, row.records_digest]) {
      if (await store.stat(digest)) continue;
      throw new HuitongError('OBJECT_MISSING', 'an index was collected while it was made', { at: digest });
    }
  });
  return row;
}
