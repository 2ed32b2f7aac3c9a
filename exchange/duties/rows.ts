/** One cell of one row, found by the row's key in a version as it is stored. */
import type { RecordBatch, Schema } from 'apache-arrow';
import { readSchemaMessage } from '../../columnar/message.ts';
import { cellImages } from '../../contracts/image.ts';
import { holdObjects } from '../access/hold.ts';
import { type KeyDocument, keyReader } from '../access/lookup/key.ts';
import { projectedBatches } from '../access/renditions/batches.ts';
import { partsOfStore } from '../publication/part-tags.ts';
import type { Publication } from '../publication/publication.ts';
import { readManifest, resolveVersion } from '../publication/versions.ts';

export interface CellPlace {
  dataset: string;
  version: number;
  /** The contract's, in its order. */
  keyColumns: string[];
  /** As look-ups are asked for it. */
  key: KeyDocument;
  item: string;
}

/**
 * The text under which look-ups of this key stand in the log, once it is hashed.
 * @throws REQUEST_INVALID, ID_MUST_BE_STRING, LOOKUP_UNSUPPORTED with the pointer, never the value; NOT_FOUND for the version
 */
export async function keyText(publication: Publication, place: Omit<CellPlace, 'item'>): Promise<string> {
  const { schema } = await openVersion(publication, place);
  return keyReader(place.keyColumns, schema).ofDocument(place.key, '/key');
}

/**
 * The cell as JSON text; undefined where the version has no such row, or no such item. The version is read from its
 * beginning, the key and the item of it, a batch at a time.
 * @throws NOT_FOUND for the version; OBJECT_MISSING, OBJECT_CORRUPT where its parts are gone
 */
export async function findCell(publication: Publication, place: CellPlace): Promise<string | undefined> {
  const { schema, parts } = await openVersion(publication, place);
  const columns = [...new Set([...place.keyColumns, place.item])];
  if (columns.some((name) => !schema.fields.some((field) => field.name === name))) return undefined;
  const digests = parts.map(({ digest }) => digest);
  const hold = await holdObjects(publication, digests, `correction:${place.dataset}`);
  try {
    const find = cellFinder(place, schema);
    const store = partsOfStore(publication);
    for await (const batch of projectedBatches({ store, schema, parts, projection: { columns } })) {
      const cell = find(batch, columns.indexOf(place.item));
      if (cell !== undefined) return cell;
    }
    return undefined;
  } finally {
    await hold.release();
  }
}

async function openVersion(publication: Publication, place: Pick<CellPlace, 'dataset' | 'version'>) {
  const manifest = await readManifest(publication, await resolveVersion(publication, place.dataset, place.version));
  const schema = readSchemaMessage(Buffer.from(manifest.arrowSchema, 'base64'));
  return { schema, parts: manifest.segments.flatMap((segment) => segment.parts) };
}

function cellFinder({ keyColumns, key }: CellPlace, schema: Schema) {
  const reader = keyReader(keyColumns, schema);
  const wanted = reader.ofDocument(key, '/key');
  return (batch: RecordBatch, item: number): string | undefined => {
    for (let row = 0; row < batch.numRows; row++) {
      if (reader.ofColumns(batch.data.children, row) !== wanted) continue;
      const data = batch.data.children[item]!;
      return data.getValid(row) ? cellImages(batch.schema)[item]!.text(data, row) : 'null';
    }
    return undefined;
  };
}
