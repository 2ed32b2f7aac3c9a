/** The index of one version, open: rows by key, and what a grant shows of them. */
import { type RecordBatch, Schema } from 'apache-arrow';
import { RowImageReader } from '../../../columnar/row-image.ts';
import { rowTexter } from '../../../contracts/image.ts';
import { limits } from '../../../lib/limits.ts';
import type { Version } from '../../publication/publication.ts';
import { type CompiledPolicy, compilePolicy } from '../policy/compile.ts';
import type { Policy } from '../policy/policy.ts';
import type { IndexFile } from './files.ts';
import { type KeyReader, keyReader } from './key.ts';
import { findSlot, type KeyHash } from './slots.ts';

/** What has been done, for tests: a key that is there and one that is not cost the same. */
export interface LookupWork {
  recordsRead: number;
  rowsChecked: number;
  rowsShown: number;
}

export interface OpenIndexOptions {
  version: Version;
  schema: Schema;
  key: string[];
  slots: IndexFile;
  records: IndexFile;
  hashOf(text: string): KeyHash;
}

/** For each key the image of its row or of one that stands in for it; none where the version has no rows. */
export interface FoundRows {
  images: Buffer[];
  /** Whether the image is the key's row. */
  found: boolean[];
}

interface PolicyReader {
  compiled: CompiledPolicy;
  reader: RowImageReader;
  text(batch: RecordBatch, row: number): string;
}

export class OpenIndex {
  readonly version: Version;
  readonly schema: Schema;
  readonly keys: KeyReader;
  readonly work: LookupWork = { recordsRead: 0, rowsChecked: 0, rowsShown: 0 };
  readonly #options: OpenIndexOptions;
  readonly #keyColumns: RowImageReader;
  readonly #policies = new Map<string, PolicyReader>();

  constructor(options: OpenIndexOptions) {
    this.#options = options;
    this.version = options.version;
    this.schema = options.schema;
    this.keys = keyReader(options.key, options.schema);
    this.#keyColumns = new RowImageReader(options.schema, this.keys.schema);
  }

  rows(texts: string[]): FoundRows {
    const { slots, records, hashOf } = this.#options;
    const images: Buffer[] = [];
    const same: boolean[] = [];
    for (const text of texts) {
      const candidate = findSlot((start, length) => slots.peek(start, length), slots.sizeBytes, hashOf(text));
      if (candidate === undefined) return { images: [], found: texts.map(() => false) };
      images.push(records.read(candidate.start, candidate.length));
      same.push(candidate.same);
    }
    const keyBatch = this.#keyColumns.batch(images);
    const found = texts.map(
      (text, row) => this.keys.ofColumns(keyBatch.data.children, row) === text && same[row] === true,
    );
    this.work.recordsRead += images.length;
    this.work.rowsChecked += texts.length;
    return { images, found };
  }

  /**
   * For each key what a bulk read under the policy gives of its row, as JSON text; null where there is no such row or
   * it is not given. Every row is decoded, filtered, masked and written, also one that stands in.
   * @throws POLICY_INVALID where the version does not fit the policy; TYPE_UNMAPPED for a column without text
   */
  shown({ images, found }: FoundRows, policy: Policy, maskKey: Uint8Array | null): (string | null)[] {
    if (images.length === 0) return found.map(() => null);
    const { compiled, reader, text } = this.#policy(policy, maskKey);
    const batch = reader.batch(images);
    const kept = compiled.rows.kept(batch);
    const shown = compiled.rows.shown(batch);
    this.work.rowsShown += shown.numRows;
    return found.map((there, row) => {
      const record = text(shown, row);
      return there && kept[row] === 1 ? record : null;
    });
  }

  /** The rows' cells of these columns, as they are stored. */
  cells({ images }: FoundRows, columns: string[]): RecordBatch {
    return new RowImageReader(this.schema, fieldsOf(this.schema, columns)).batch(images);
  }

  close(): void {
    this.#options.slots.close();
    this.#options.records.close();
  }

  #policy(policy: Policy, maskKey: Uint8Array | null): PolicyReader {
    const kept = this.#policies.get(policy.digest);
    if (kept !== undefined) return kept;
    const compiled = compilePolicy(policy, this.schema, maskKey);
    const texter = rowTexter(compiled.schema);
    const made: PolicyReader = {
      compiled,
      reader: new RowImageReader(this.schema, fieldsOf(this.schema, compiled.reads)),
      text: (batch, row) => texter(batch.data.children, row),
    };
    if (this.#policies.size >= limits.lookupPoliciesMax) this.#policies.clear();
    this.#policies.set(policy.digest, made);
    return made;
  }
}

/** In the version's order, with its metadata. */
export function fieldsOf(schema: Schema, columns: string[]): Schema {
  const wanted = new Set(columns);
  return new Schema(
    schema.fields.filter(({ name }) => wanted.has(name)),
    schema.metadata,
  );
}
