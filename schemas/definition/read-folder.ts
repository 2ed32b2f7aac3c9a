/** A district's definitions out of its folder, as the API takes them: their text by path. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { districtFileKind } from './layout.ts';

const MISPLACED = /^(sources|datasets)\/.*\.(ya?ml|json)$/;

/**
 * Files that are no definition, such as databases for a demonstration, stay where they are. What lies among the
 * definitions under a name that none has goes with them: the exchange answers that it is misplaced.
 */
export async function readDistrictFolder(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join('/');
    if (entry.isFile() && (districtFileKind(name) !== undefined || MISPLACED.test(name)))
      files[name] = await readFile(path, 'utf8');
  }
  return files;
}
