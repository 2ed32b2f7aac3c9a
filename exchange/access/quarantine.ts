/**
 * Quarantined rows, for the department whose rows they are and nobody else. Parts are sealed to the exchange's key, so
 * that a worker can write and not read them; they are opened here, in memory, and never stored open.
 */
import type { RecordBatch, Schema } from 'apache-arrow';
import { readAtOf, readBatches, readPartIndex } from '../../columnar/read.ts';
import { cellImages } from '../../contracts/image.ts';
import { decodeCursor, encodeCursor, type Page } from '../../lib/cursor.ts';
import { HuitongError, isHuitongError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { openBox } from '../../lib/sealed-box.ts';
import type { Run } from '../publication/publication.ts';
import { getRun } from '../publication/runs.ts';
import { type Access, actorOf, recordDenial } from './access.ts';
import { csvFormat } from './renditions/csv.ts';
import { jsonLinesFormat } from './renditions/json-lines.ts';
import { storedBytes } from './renditions/stored-part.ts';
import { textRendition } from './renditions/text.ts';
import { type Principal, requireRight } from './rights.ts';
import { openSession, type Session } from './session.ts';

/** One row that broke its contract. */
export interface QuarantinedRow {
  /** Where it was read, in the run's plan. */
  partition: number;
  ordinal: number;
  /** JSON text of the key columns: text, because a JSON number would lose digits. */
  key: string;
  errors: { pointer: string; code: string }[];
  /** JSON text of the row itself. */
  row: string;
}

interface SealedPart {
  digest: string;
  sizeBytes: number;
  rows: number;
}

/** The columns that the pipeline adds behind the row's own (pipeline/quarantine.ts). */
const ADDED = ['__row', '__key', '__errors'];
const ACTION = 'quarantine.read';

/**
 * A page of a run's quarantined rows, in reading order; empty once their retention is over.
 * @throws NOT_FOUND for another department's run as for none; FORBIDDEN without the role; SEALED_INVALID
 */
export async function listQuarantine(
  access: Access,
  request: { principal: Principal; runId: string; limit?: number; cursor?: string },
): Promise<Page<QuarantinedRow>> {
  const run = await requireOwnRun(access, request);
  const limit = Math.min(request.limit ?? limits.pageRowsDefault, limits.pageRowsMax);
  const start = request.cursor === undefined ? 0 : Math.max(decodeCursor(request.cursor, 'integer')[0], 0);
  const parts = await sealedParts(access, run);
  const total = parts.reduce((sum, part) => sum + part.rows, 0);
  const items: QuarantinedRow[] = [];
  let position = 0;
  for (const part of parts) {
    const from = Math.max(start - position, 0);
    if (from < part.rows && items.length < limit) {
      items.push(...(await rowsOf(access, part, from, limit - items.length)));
    }
    position += part.rows;
  }
  await access.audit.append({ ...leafOf(access, request.principal, run), decision: 'allow', rows: items.length });
  const next = start + items.length;
  return { items, ...(next < total && items.length > 0 ? { next: encodeCursor([next]) } : {}) };
}

/** All of them as one file, with the columns `__row`, `__key` and `__errors` behind the row's own. */
export async function exportQuarantine(
  access: Access,
  request: { principal: Principal; runId: string; format: 'csv' | 'csv-bom' | 'json-lines' },
): Promise<Session & { contentType: string }> {
  const run = await requireOwnRun(access, request);
  const parts = await sealedParts(access, run);
  const [first] = parts;
  if (first === undefined)
    throw new HuitongError(
      'NOT_FOUND',
      '该运行没有仍保留的隔离记录 · this run has no quarantined rows that are still kept',
    );
  const schema = await schemaOf(await unseal(access, first));
  const { format } = request;
  const lines =
    format === 'json-lines' ? jsonLinesFormat(schema) : csvFormat(schema, { byteOrderMark: format === 'csv-bom' });
  const rendition = textRendition(lines, () => unsealedBatches(access, parts));
  const session = await openSession(
    access,
    { ...leafOf(access, request.principal, run), format },
    { digests: parts.map(({ digest }) => digest), bytes: (sent) => rendition.bytes(sent) },
  );
  return { ...session, contentType: rendition.contentType };
}

async function requireOwnRun(
  access: Access,
  { principal, runId }: { principal: Principal; runId: string },
): Promise<Run> {
  let run: Run | undefined;
  try {
    run = await getRun(access.publication, runId);
    requireRight(principal, ACTION, run.department);
    return run;
  } catch (e: unknown) {
    if (!isHuitongError(e, 'NOT_FOUND') && !isHuitongError(e, 'FORBIDDEN')) throw e;
    await recordDenial(access, principal, { action: ACTION, object: `run/${run?.id ?? '(unknown)'}`, rule: e.code });
    // One text for a run that is absent and one that is another's.
    throw e.code === 'NOT_FOUND' ? new HuitongError('NOT_FOUND', '没有该运行 · there is no such run') : e;
  }
}

function leafOf(access: Access, principal: Principal, run: Run) {
  return { ...actorOf(access, principal), action: ACTION, object: `run/${run.id}/quarantine` };
}

async function sealedParts({ publication: { catalog } }: Access, run: Run): Promise<SealedPart[]> {
  return catalog('quarantine_part')
    .where({ run: run.id })
    .where('expires_at', '>', catalog.fn.now())
    .orderBy('position')
    .select<SealedPart[]>('digest', { sizeBytes: 'size_bytes' }, 'rows');
}

/** The part's Arrow file. A part of quarantine is held whole: it is bounded by `limits.partBytesMax`. */
async function unseal({ publication, quarantinePrivateKey }: Access, part: SealedPart): Promise<Buffer> {
  const sealed = await storedBytes(publication.store, part);
  return Buffer.concat([...openBox(quarantinePrivateKey, sealed)]);
}

async function* unsealedBatches(access: Access, parts: SealedPart[]): AsyncGenerator<RecordBatch> {
  for (const part of parts) {
    const file = await unseal(access, part);
    yield* readBatches(readAtOf(file), file.byteLength);
  }
}

async function schemaOf(file: Buffer): Promise<Schema> {
  return (await readPartIndex(readAtOf(file), file.byteLength)).schema;
}

async function rowsOf(access: Access, part: SealedPart, from: number, most: number): Promise<QuarantinedRow[]> {
  const rows: QuarantinedRow[] = [];
  let position = 0;
  for await (const batch of unsealedBatches(access, [part])) {
    const read = rowReader(batch);
    for (let row = Math.max(from - position, 0); row < batch.numRows && rows.length < most; row++) rows.push(read(row));
    position += batch.numRows;
    if (rows.length === most) break;
  }
  return rows;
}

function rowReader(batch: RecordBatch): (row: number) => QuarantinedRow {
  const { schema } = batch;
  const images = cellImages(schema);
  const text = (place: number, row: number): string => {
    const data = batch.data.children[place]!;
    return data.getValid(row) ? images[place]!.text(data, row) : 'null';
  };
  const place = (name: string) => schema.fields.findIndex((field) => field.name === name);
  const [rowPlace, keyPlace, errorsPlace] = ADDED.map(place) as [number, number, number];
  if ([rowPlace, keyPlace, errorsPlace].includes(-1)) {
    throw new HuitongError('ARROW_INVALID', 'a part of quarantine lacks the columns that say why');
  }
  const own = schema.fields.map((field, i) => ({ name: JSON.stringify(field.name), i })).slice(0, rowPlace);
  return (row) => ({
    ...JSON.parse(text(rowPlace, row)),
    key: JSON.parse(text(keyPlace, row)),
    errors: JSON.parse(JSON.parse(text(errorsPlace, row))),
    row: `{${own.map(({ name, i }) => `${name}:${text(i, row)}`).join(',')}}`,
  });
}
