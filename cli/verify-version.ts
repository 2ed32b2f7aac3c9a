/**
 * A version recounted from its manifest and parts alone: digests, sizes, schema, rows and exact sums. It needs no
 * exchange, no catalog and no network, and trusts nothing but the files.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { schemaMessage } from '../columnar/message.ts';
import { type ReadAt, readBatch, readPartIndex } from '../columnar/read.ts';
import { ColumnSums, sameDecimal } from '../columnar/sums.ts';
import type { Manifest, ManifestPart } from '../schemas/generated/manifest.ts';
import { CommandError, exitCodes } from './errors.ts';

export interface Verdict {
  dataset: string;
  version: number;
  rows: number;
  parts: number;
  /** Empty where all is as the manifest says; else one line for each difference. */
  problems: string[];
}

/** @param onPart told after each part: how many of how many */
export async function verifyVersion(folder: string, onPart: (done: number, total: number) => void): Promise<Verdict> {
  const manifest = await readManifest(folder);
  const parts = manifest.segments.flatMap((segment) => segment.parts);
  const problems: string[] = [];
  let rows = 0;
  let sums: ColumnSums | undefined;
  for (const [i, part] of parts.entries()) {
    const path = join(folder, 'parts', part.digest);
    const damage = await damageOf(path, part);
    if (damage) problems.push(`part ${part.digest}: ${damage}`);
    else {
      const counted = await recount(path, part, manifest, sums);
      sums = counted.sums;
      rows += counted.rows;
      problems.push(...counted.problems);
    }
    onPart(i + 1, parts.length);
  }
  problems.push(...compareTotals(manifest, rows, sums?.toText() ?? {}));
  return { dataset: manifest.dataset, version: manifest.version, rows, parts: parts.length, problems };
}

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, 'manifest.json');
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new CommandError(
      `${path} 无法读取：请给出 huitong version download 下载的文件夹 · ${path} ${reason}: give a folder that \`huitong version download\` made`,
      exitCodes.usage,
    );
  }
  if (manifest.format !== 'huitong.manifest/1')
    throw new CommandError(`${path} 不是本平台的清单 · ${path} is not a manifest of ours`, exitCodes.failed);
  return manifest;
}

async function damageOf(path: string, part: ManifestPart): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'is missing';
  if (found.size !== part.sizeBytes) return `has ${found.size} bytes instead of ${part.sizeBytes}`;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex') === part.digest ? undefined : 'does not have its digest';
}

async function recount(path: string, part: ManifestPart, manifest: Manifest, before: ColumnSums | undefined) {
  const problems: string[] = [];
  const file = await open(path);
  try {
    const readAt = readAtOf(file);
    const index = await readPartIndex(readAt, part.sizeBytes);
    const schema = Buffer.from(schemaMessage(index.schema)).toString('base64');
    if (schema !== manifest.arrowSchema) problems.push(`part ${part.digest}: has another schema than the manifest`);
    const sums = before ?? new ColumnSums(index.schema);
    let rows = 0;
    for (const location of index.batches) {
      const batch = await readBatch(readAt, index, location);
      sums.add(batch);
      rows += batch.numRows;
    }
    if (rows !== part.rows) problems.push(`part ${part.digest}: has ${rows} rows instead of ${part.rows}`);
    return { rows, sums, problems };
  } finally {
    await file.close();
  }
}

function readAtOf(file: FileHandle): ReadAt {
  return async (offset, length) => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
}

function compareTotals(manifest: Manifest, rows: number, sums: Record<string, string>): string[] {
  const problems: string[] = [];
  const { changes, rowsRead, rowsPublished, rowsQuarantined } = manifest.account;
  if (rows !== manifest.rows) problems.push(`there are ${rows} rows; the manifest says ${manifest.rows}`);
  // What an increment published it put into the version before: that one is not here.
  const accounted = changes ? changes.inserted + changes.updated + changes.unchanged + changes.deleted : manifest.rows;
  if (accounted !== rowsPublished)
    problems.push(`the manifest accounts for ${accounted} rows and published ${rowsPublished}`);
  if (rowsRead !== rowsPublished + rowsQuarantined) {
    problems.push(`read ${rowsRead} is not published ${rowsPublished} + quarantined ${rowsQuarantined}`);
  }
  if (rows === 0) return problems;
  for (const [column, sum] of Object.entries(manifest.sums)) {
    if (sums[column] === undefined || !sameDecimal(sums[column], sum)) {
      problems.push(`column ${column} adds up to ${sums[column] ?? 'nothing'}; the manifest says ${sum}`);
    }
  }
  return problems;
}
