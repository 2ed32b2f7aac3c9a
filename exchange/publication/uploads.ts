/**
 * Files that a department uploads for a source with `connection: { upload: true }`. A file is an object by digest under
 * a name; another file of that name replaces it. A run reads what was current when its first generation was opened,
 * whatever happens to the names meanwhile.
 */
import type { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import type { Catalog } from '../../catalog/database.ts';
import type { SourceRow } from '../../catalog/rows.ts';
import { assertSafeName } from '../../contracts/safety.ts';
import { decodeCursor, type Page, pageOf } from '../../lib/cursor.ts';
import { HuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Upload } from '../../schemas/generated/api.ts';
import type { PinnedUpload } from '../../schemas/generated/assignment.ts';
import { assertDigest } from '../store/store.ts';
import { holdOffCollector } from './collection-lock.ts';
import { addLeaf } from './outbox.ts';
import type { Publication } from './publication.ts';
import { readRunRow } from './rows.ts';

interface UploadRow {
  id: string;
  source: string;
  name: string;
  digest: string;
  size_bytes: number;
  uploaded_by: string;
  uploaded_at: Date;
  state: Upload['state'];
  ended_at: Date | null;
}

export interface AddUpload {
  source: string;
  name: string;
  bytes: AsyncIterable<Uint8Array>;
  /** What the sender computed; another digest is DIGEST_MISMATCH and keeps nothing. */
  expected?: string;
  /** `token:<id>` */
  actor: string;
}

/**
 * Stores a file, hashed as it arrives, under its name; the file that had the name is replaced from here on. The same
 * content under the same name changes nothing.
 * @throws HuitongError REQUEST_INVALID for a name that is none, and for a source without uploads or with too many;
 * OBJECT_TOO_LARGE, DIGEST_MISMATCH, NOT_FOUND
 */
export async function addUpload(publication: Publication, request: AddUpload): Promise<Upload> {
  const { catalog, store } = publication;
  const { source, name, actor } = request;
  assertUploadName(name);
  // Before the bytes are taken, so that nobody sends a file for nothing; and again below, where it counts.
  await requireUploadSource(catalog, source);
  const stored = await store.put(limited(request.bytes, name), request.expected);
  return catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    const { department } = await requireUploadSource(transaction, source, 'update');
    // An equal object of old may have been collected between `put` and here.
    if (!(await store.stat(stored.digest))) {
      throw new HuitongError('OBJECT_MISSING', 'the object was collected while it was uploaded', { at: name });
    }
    const current = await transaction<UploadRow>('source_upload').where({ source, state: 'current' });
    const before = current.find((row) => row.name === name);
    if (before?.digest === stored.digest) return toUpload(before);
    if (before === undefined && current.length >= limits.sourceUploadsMax) {
      throw new HuitongError(
        'REQUEST_INVALID',
        `每个数据源至多 ${limits.sourceUploadsMax} 个文件 · a source has at most ${limits.sourceUploadsMax} uploaded files`,
        {
          at: source,
          hint: 'Remove those that are no longer read: `source uploads`.',
        },
      );
    }
    if (before !== undefined) await end(transaction, before.id, 'replaced');
    const row = { id: uuidv7(), source, name, digest: stored.digest, size_bytes: stored.sizeBytes, uploaded_by: actor };
    const [inserted] = await transaction('source_upload').insert(row).returning<UploadRow[]>('*');
    await addLeaf(transaction, leafOf('source.uploaded', actor, department, row));
    return toUpload(inserted!);
  });
}

export interface ListUploads {
  source: string;
  /** Only those that have their name still. */
  current?: boolean;
  /** Default 100, at most 1,000. */
  limit?: number;
  cursor?: string;
}

/** Newest first. Throws REQUEST_INVALID for a cursor that was not given out. */
export async function listUploads({ catalog }: Publication, request: ListUploads): Promise<Page<Upload>> {
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const query = catalog<UploadRow>('source_upload').where({ source: request.source }).orderBy('id', 'desc');
  if (request.current === true) query.where({ state: 'current' });
  if (request.cursor !== undefined) {
    query.where('id', '<', decodeCursor(request.cursor, 'uuid')[0]);
  }
  return pageOf(await query.limit(limit + 1), limit, (row) => [row.id], toUpload);
}

export interface RemoveUpload {
  source: string;
  id: string;
  actor: string;
}

/** Its name is free again, and later runs do not see it. Throws NOT_FOUND for a file that is not current. */
export async function removeUpload({ catalog }: Publication, { source, id, actor }: RemoveUpload): Promise<void> {
  await catalog.transaction(async (transaction) => {
    const { department } = await readSource(transaction, source, 'update');
    const row = await transaction<UploadRow>('source_upload').where({ id, source, state: 'current' }).first();
    if (row === undefined)
      throw new HuitongError('NOT_FOUND', '该数据源没有此文件 · there is no such file of this source', { at: id });
    await end(transaction, id, 'removed');
    await addLeaf(transaction, leafOf('source.upload-removed', actor, department, row));
  });
}

/** The files that a source has now, by name. */
export function currentUploads(catalog: Catalog, source: string): Promise<PinnedUpload[]> {
  return catalog('source_upload')
    .where({ source, state: 'current' })
    .orderByRaw('name collate "C"')
    .select<PinnedUpload[]>('name', 'digest', { sizeBytes: 'size_bytes' });
}

/** The files that a run reads: those that were current when it was first asked. */
export async function pinUploads(catalog: Catalog, runId: string, source: string): Promise<PinnedUpload[]> {
  return catalog.transaction(async (transaction) => {
    await holdOffCollector(transaction);
    await readRunRow(transaction, runId, 'update');
    const pins = () =>
      transaction('run_upload')
        .where({ run: runId })
        .orderByRaw('name collate "C"')
        .select<PinnedUpload[]>('name', 'digest', { sizeBytes: 'size_bytes' });
    const pinned = await pins();
    if (pinned.length > 0) return pinned;
    await transaction.raw(PIN, { runId, source });
    return pins();
  });
}

const PIN = `
  insert into run_upload (run, source, name, digest, size_bytes)
  select :runId, source, name, digest, size_bytes from source_upload where source = :source and state = 'current'`;

/**
 * Opens a file of a source for its department's worker: one that is current, or that a run still reads.
 * @throws HuitongError NOT_FOUND for any other object
 */
export async function readUpload(
  { catalog, store }: Publication,
  { source, digest }: { source: string; digest: string },
): Promise<Readable> {
  assertDigest(digest);
  const [current] = await catalog('source_upload').where({ source, digest, state: 'current' }).select('id').limit(1);
  const [pinned] = current ? [current] : await catalog('run_upload').where({ source, digest }).select('run').limit(1);
  if (!pinned) throw new HuitongError('NOT_FOUND', '该数据源没有此文件 · this source has no such file', { at: digest });
  return store.read(digest);
}

/** Control characters besides what `assertSafeName` refuses: a name is printed on terminals. */
const CONTROLS = /\p{Cc}/u;

/**
 * A name is one component of a path, and looks like what it is: no separators, no dot in front, no control characters,
 * composed (NFC). Throws REQUEST_INVALID, ENCODING.
 */
export function assertUploadName(name: string): void {
  const at = 'name';
  assertSafeName(name, '/name');
  const wrong =
    (name === '' && 'is empty') ||
    (/[/\\]/.test(name) && 'has a separator of folders') ||
    (name.startsWith('.') && 'begins with a dot') ||
    (CONTROLS.test(name) && 'holds a control character') ||
    (name !== name.trim() && 'begins or ends with a space') ||
    (name !== name.normalize('NFC') && 'is not in Unicode’s composed form (NFC)') ||
    (Buffer.byteLength(name) > limits.uploadNameBytesMax && `has more than ${limits.uploadNameBytesMax} bytes`);
  if (wrong === false) return;
  throw new HuitongError('REQUEST_INVALID', `the file’s name ${wrong}`, {
    at,
    hint: 'Name it plainly, for instance 名册.csv: --name NAME.',
  });
}

async function requireUploadSource(catalog: Catalog, code: string, lock?: 'update'): Promise<SourceRow> {
  const row = await readSource(catalog, code, lock);
  if (row.state === 'active' && row.definition.connection.upload === true) return row;
  throw new HuitongError('REQUEST_INVALID', '该数据源不接受上传 · this source takes no uploads', {
    at: code,
    hint: 'Uploads are for a source of kind files with `connection: { upload: true }`.',
  });
}

/** The lock makes uploads to one source wait for each other. */
async function readSource(catalog: Catalog, code: string, lock?: 'update'): Promise<SourceRow> {
  const query = catalog<SourceRow>('source').where({ code });
  if (lock === 'update') query.forUpdate();
  const [row] = await query;
  if (row === undefined) throw new HuitongError('NOT_FOUND', '没有该数据源 · there is no such source', { at: code });
  return row;
}

async function end(transaction: Catalog, id: string, state: 'replaced' | 'removed'): Promise<void> {
  await transaction('source_upload').where({ id }).update({ state, ended_at: transaction.fn.now() });
}

/** Without the name, which may be a person's. */
function leafOf(
  action: string,
  actor: string,
  department: string,
  { id, source, digest, size_bytes: bytes }: Pick<UploadRow, 'id' | 'source' | 'digest' | 'size_bytes'>,
) {
  const object = `source/${source}/upload/${id}`;
  return { actor, onBehalfOf: department, action, object, decision: 'allow', bytes, detail: { digest } } as const;
}

function toUpload(row: UploadRow): Upload {
  return {
    id: row.id,
    source: row.source,
    name: row.name,
    digest: row.digest,
    sizeBytes: row.size_bytes,
    state: row.state,
    uploadedBy: row.uploaded_by,
    uploadedAt: row.uploaded_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

async function* limited(bytes: AsyncIterable<Uint8Array>, at: string): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limits.sourceUploadBytesMax) {
      throw new HuitongError(
        'OBJECT_TOO_LARGE',
        `文件至多 ${limits.sourceUploadBytesMax} 字节 · a file has at most ${limits.sourceUploadBytesMax} bytes`,
        { at },
      );
    }
    yield chunk;
  }
}
