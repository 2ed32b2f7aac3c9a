/**
 * The state folder of an embedded exchange, `.huitong/` of the checkout unless told otherwise:
 *   postgres/ temporal/ store/   what the services keep
 *   keys/ secrets/               made once, readable by their owner only
 *   run/                         one note a running process, so that the next start can end what a crash left behind
 *   logs/ ports.json cli.json    logs; ports used last; what `huitong` needs to connect (mode 0600)
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HuitongError } from '../lib/errors.ts';
import { identify, isRunning, type ProcessIdentity } from '../lib/process-identity.ts';
import { freePort, portIsFree } from './embedded/ports.ts';
import { endProcess } from './embedded/processes.ts';

const SUPERVISOR = 'supervisor';

export interface KeyFiles {
  /** Ed25519, PKCS 8 and SPKI: the audit log's signature. */
  signing: string;
  signingPublic: string;
  /** X25519, PKCS 8: opens the quarantine. */
  quarantine: string;
}

export class StateFolder {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes what is missing; changes nothing that is there. */
  static async open(directory: string): Promise<StateFolder> {
    for (const folder of ['postgres', 'temporal', 'store', 'run', 'logs']) {
      await mkdir(join(directory, folder), { recursive: true });
    }
    for (const folder of ['keys', 'secrets']) await mkdir(join(directory, folder), { recursive: true, mode: 0o700 });
    return new StateFolder(directory);
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  /**
   * Takes the folder for this process, and ends what a killed predecessor left running; returns the names of those.
   * @throws CONFIG_INVALID where another supervisor holds it and lives
   */
  async claim(): Promise<string[]> {
    const self = (await identify(process.pid)) as ProcessIdentity;
    const file = this.#noteOf(SUPERVISOR);
    while (!(await createFile(file, JSON.stringify(self)))) {
      const holder = await readNote(file);
      if (holder && (await isRunning(holder))) {
        throw new HuitongError('CONFIG_INVALID', `process ${holder.pid} is already running on this state folder`, {
          at: this.directory,
          hint: 'Stop that process first, or give another folder with --state.',
        });
      }
      await rm(file, { force: true });
    }
    return this.#endLeftOvers();
  }

  /** Notes a process that we started. */
  async note(name: string, pid: number): Promise<void> {
    const identity = await identify(pid);
    if (identity !== undefined) await writeFile(this.#noteOf(name), JSON.stringify(identity));
  }

  async forget(name: string): Promise<void> {
    await rm(this.#noteOf(name), { force: true });
  }

  /** Forgets everything but that this process holds the folder. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (name !== 'run') await rm(this.path(name), { recursive: true, force: true });
    }
    await StateFolder.open(this.directory);
  }

  async release(): Promise<void> {
    await this.forget(SUPERVISOR);
  }

  async #endLeftOvers(): Promise<string[]> {
    const ended: string[] = [];
    for (const file of await readdir(this.path('run'))) {
      const name = file.replace(/\.json$/, '');
      if (name === SUPERVISOR) continue;
      const noted = await readNote(this.#noteOf(name));
      if (noted && (await isRunning(noted))) {
        await endProcess(noted);
        ended.push(name);
      }
      await this.forget(name);
    }
    return ended;
  }

  #noteOf(name: string): string {
    return this.path('run', `${name}.json`);
  }

  /** A random secret of this name: 192 bits in base64url, made once. Its file can be given as a `file:` reference. */
  async secret(name: string): Promise<string> {
    const file = this.path('secrets', name);
    await makeOnce(file, () => randomBytes(24).toString('base64url'));
    return readFile(file, 'utf8');
  }

  /** Keeps a secret that another part has made. */
  async keepSecret(name: string, value: string): Promise<string> {
    const file = this.path('secrets', name);
    await replaceFile(file, value);
    return file;
  }

  /** The files of the installation's keys, made once. */
  async keys(): Promise<KeyFiles> {
    const files: KeyFiles = {
      signing: this.path('keys', 'audit-signing.pem'),
      signingPublic: this.path('keys', 'audit-signing.pub.pem'),
      quarantine: this.path('keys', 'quarantine.pem'),
    };
    await makeOnce(files.signing, () => pemOf(generateKeyPairSync('ed25519').privateKey));
    // Always from the private key that is there, which may be older than this call.
    await replaceFile(files.signingPublic, pemOf(createPublicKey(await readFile(files.signing, 'utf8'))));
    await makeOnce(files.quarantine, () => pemOf(generateKeyPairSync('x25519').privateKey));
    return files;
  }

  /**
   * A port for each name: the one used last, else the one wanted, else, where something else listens there, any free
   * one. `onMoved` is told of the latter.
   */
  async ports<K extends string>(
    wanted: Record<K, number>,
    onMoved: (name: K, from: number, to: number) => void,
  ): Promise<Record<K, number>> {
    const file = this.path('ports.json');
    const last: Partial<Record<K, number>> = await readJson(file).then((found) => found ?? {});
    const chosen = {} as Record<K, number>;
    for (const name of Object.keys(wanted) as K[]) {
      const port = last[name] ?? wanted[name];
      chosen[name] = (await portIsFree(port)) ? port : await freePort();
      if (chosen[name] !== port) onMoved(name, port, chosen[name]);
    }
    await replaceFile(file, JSON.stringify(chosen, null, 2));
    return chosen;
  }

  /** What the command line client reads. */
  async writeConnection(connection: { url: string; tokens: Record<string, string> }): Promise<void> {
    await replaceFile(this.path('cli.json'), `${JSON.stringify(connection, null, 2)}\n`);
  }

  async readConnection(): Promise<{ url: string; tokens: Record<string, string> } | undefined> {
    return readJson(this.path('cli.json'));
  }
}

function pemOf(key: KeyObject): string {
  const type = key.type === 'private' ? 'pkcs8' : 'spki';
  return key.export({ type, format: 'pem' }) as string;
}

/** Only the process that holds the folder makes these, so that looking first is enough. */
async function makeOnce(file: string, make: () => string): Promise<void> {
  const there = await readFile(file).then(
    () => true,
    () => false,
  );
  if (!there) await replaceFile(file, make());
}

/** False where it is there already. */
async function createFile(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (e: unknown) {
    if ((e as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw e;
  }
}

/** Whole or not at all, readable by the owner only. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}

async function readNote(file: string): Promise<ProcessIdentity | undefined> {
  return readJson<ProcessIdentity>(file);
}

/** `undefined` where the file is missing or was cut off by a crash: everything read by this can be made again. */
async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
