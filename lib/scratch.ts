/**
 * Folders in the system's temporary folder that say in their name who made them, so that what a killed process has left
 * is removed by the next one that starts (decision 0233). They hold copies of data: keys and rows that were spilled,
 * uploaded files, objects on their way to a bucket.
 *
 * huitong-<what>-<pid>-<start>-<place>-XXXXXX; <start> is of the machine's start and the process's, <place> of the
 * machine and its process ids: in another container the same id is another process, and is not ours to judge.
 */
import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from './process-identity.ts';

const DIGITS = 12;
const NAME = /^huitong-.+-(\d+)-([0-9a-f]{12})-([0-9a-f]{12})-\w{6}$/;

/** A new folder of this process's, for its owner only. Whoever makes it removes it; where that fails, `sweepScratch`. */
export async function makeScratch(what: string, root = tmpdir()): Promise<string> {
  const owner = await ownName();
  return mkdtemp(join(root, `huitong-${what}-${owner === undefined ? '' : `${owner}-`}`));
}

/**
 * Removes the folders of processes of this machine that no longer run. Those of living ones, of other machines and of
 * nobody stay, as does what cannot be removed. Gives how many were.
 */
export async function sweepScratch(root = tmpdir()): Promise<number> {
  const here = await placeName();
  let swept = 0;
  for (const name of await readdir(root).catch(() => [])) {
    const [, pid, start, place] = NAME.exec(name) ?? [];
    if (place !== here || start === (await startName(Number(pid)))) continue;
    const removed = await rm(join(root, name), { recursive: true }).then(
      () => true,
      () => false,
    );
    if (removed) swept += 1;
  }
  return swept;
}

let own: Promise<string | undefined> | undefined;

/** Undefined where the operating system does not tell: such folders are nobody's, and stay. */
function ownName(): Promise<string | undefined> {
  own ??= startName(process.pid).then(async (start) => start && `${process.pid}-${start}-${await placeName()}`);
  return own;
}

/** Undefined where no such process runs. */
async function startName(pid: number): Promise<string | undefined> {
  const identity = await identify(pid);
  if (identity === undefined) return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return shortHash(`${boot} ${identity.startedAt}`);
}

async function placeName(): Promise<string> {
  const processIds = await readlink('/proc/self/ns/pid').catch(() => '');
  return shortHash(`${hostname()} ${processIds}`);
}

function shortHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, DIGITS);
}
