/**
 * Finds or gets the `temporal` command, whose `server start-dev` is Temporal's own development server.
 * The order is that of "Embedded Temporal" in docs/ARCHITECTURE.md; each way that fails says so in one line.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { HuitongError } from '../../lib/errors.ts';
import { withLock } from './lock.ts';

const run = promisify(execFile);

/** Later tags carry a replace directive, which `go install` refuses. */
const GO_PACKAGE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
const INSTALL_TIMEOUT_MS = 20 * 60_000;
const executable = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** Where downloaded tools stay between checkouts: `$XDG_CACHE_HOME/huitong/bin`, or below `~/.cache`. */
function toolsFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huitong', 'bin');
}

/**
 * Path of a `temporal` command that runs. Takes milliseconds once it is there, minutes the first time where it has to
 * be compiled. Throws CONFIG_INVALID naming every way that was tried.
 */
export async function findTemporal(onLog: (line: string) => void): Promise<string> {
  const folder = toolsFolder();
  const ready = (await firstThatRuns(searchPath())) ?? (await firstThatRuns([join(folder, executable)]));
  if (ready !== undefined) return ready;
  await mkdir(folder, { recursive: true });
  return withLock(
    join(folder, 'temporal.lock'),
    async () => (await firstThatRuns([join(folder, executable)])) ?? (await get(folder, onLog)),
    (pid) => onLog(`temporal: process ${pid} is installing it; waiting`),
  );
}

async function get(folder: string, onLog: (line: string) => void): Promise<string> {
  onLog(`temporal: none on PATH, none in ${folder}`);
  const failures: string[] = [];
  for (const [name, way] of [
    ['download by @temporalio/testing', download],
    [`go install ${GO_PACKAGE}`, goInstall],
  ] as const) {
    // Built beside the target and renamed, so that nobody ever runs a half-written file.
    const workspace = await mkdtemp(join(folder, '.temporal-'));
    try {
      onLog(`temporal: ${name} …`);
      const made = await way(workspace, onLog);
      await version(made);
      await rename(made, join(folder, executable));
      return join(folder, executable);
    } catch (e: unknown) {
      const line = `temporal: ${name} failed: ${firstLine(e)}`;
      failures.push(line);
      onLog(line);
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }
  throw new HuitongError('CONFIG_INVALID', `no Temporal development server can be had\n${failures.join('\n')}`, {
    hint:
      `Set HUITONG_TEMPORAL_ADDRESS to a Temporal of your own; or put the \`temporal\` command on PATH or into ${folder}; ` +
      'or allow the download from temporal.download; or install Go, so that it can be compiled.',
  });
}

async function download(workspace: string): Promise<string> {
  const script = join(import.meta.dirname, 'download-temporal.mjs');
  await run(process.execPath, [script, workspace], { timeout: DOWNLOAD_TIMEOUT_MS });
  const [file] = await readdir(workspace);
  if (file === undefined) throw new Error('nothing was downloaded');
  const target = join(workspace, `${executable}.ready`);
  await copyFile(join(workspace, file), target);
  return target;
}

async function goInstall(workspace: string, onLog: (line: string) => void): Promise<string> {
  const { stdout } = await run('go', ['version']);
  onLog(`temporal: compiling with ${stdout.trim()}; about three minutes, once`);
  const env = { ...process.env, GOBIN: workspace, GOFLAGS: '-modcacherw' };
  await run('go', ['install', GO_PACKAGE], { env, timeout: INSTALL_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
  return join(workspace, executable);
}

function searchPath(): string[] {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, executable));
}

async function firstThatRuns(files: string[]): Promise<string | undefined> {
  for (const file of files) {
    const runs = await version(file).then(
      () => true,
      () => false,
    );
    if (runs) return file;
  }
  return undefined;
}

async function version(file: string): Promise<string> {
  const { stdout } = await run(file, ['--version'], { timeout: 30_000 });
  return stdout.trim();
}

/** The command's own last words where it had some, else what the operating system said. */
function firstLine(e: unknown): string {
  const { stderr, message } = e as { stderr?: string; message?: string };
  const lines = (stderr || message || String(e)).trim().split('\n');
  return lines[lines.length - 1].slice(0, 300);
}
