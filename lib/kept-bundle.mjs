// @ts-check
/**
 * Where bundles are kept, and which of them is still what its entry says. Plain JavaScript without imports of ours: the
 * `huitong` command asks before it has learned TypeScript, and mostly need not learn it.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Kept beside a bundle: what it was made of.
 * @typedef {object} Made
 * @property {string} bundle name of its file
 * @property {Record<string, string>} inputs state of each file, by path
 */

/** Folders for bundles, the first one that can be written is used: the checkout's own, else the user's. */
export function bundleFolders() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return [join(import.meta.dirname, '../node_modules/.cache/huitong/bundles'), join(cache, 'huitong', 'bundles')];
}

/**
 * Name of the note of what an entry's bundle was made of: each checkout has its own.
 * @param {URL} entry
 */
export function noteOf(entry) {
  return `${createHash('sha256').update(entry.href).digest('hex')}.json`;
}

/**
 * The bundle that was made before from the files as they are now, if there is one.
 * @param {URL} entry
 * @returns {string | undefined} its path
 */
export function keptBundle(entry) {
  for (const folder of bundleFolders()) {
    const made = readNote(join(folder, noteOf(entry)));
    if (made === undefined) continue;
    const bundle = join(folder, made.bundle);
    const isCurrent = Object.entries(made.inputs).every(([path, state]) => stateOf(path) === state);
    if (isCurrent && stateOf(bundle) !== undefined) return bundle;
  }
  return undefined;
}

/**
 * Size and time of change of a file; undefined where there is none.
 * @param {string} path
 */
export function stateOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.size} ${found.mtimeMs}`;
}

/**
 * When a file with this state was changed, in milliseconds.
 * @param {string} state
 */
export function changedAt(state) {
  return Number(state.split(' ')[1]);
}

/**
 * @param {string} path
 * @returns {Made | undefined}
 */
function readNote(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
