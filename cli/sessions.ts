/**
 * Sessions of people who signed in, by the exchange's URL: `huitong/sessions.json` in the user's configuration folder
 * (XDG_CONFIG_HOME, else `~/.config`), readable by the user alone.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export interface StoredSession {
  secret: string;
  expiresAt: string;
  login: string;
}

type Sessions = Record<string, StoredSession>;

/** Of who signed in there last and did not sign out; it may have run out. */
export async function sessionFor(url: string): Promise<StoredSession | undefined> {
  return (await readSessions())[url];
}

/** Keeps a session, or with `undefined` forgets it. Replaced in one step: a crash leaves the old file or the new one. */
export async function keepSession(url: string, session: StoredSession | undefined): Promise<void> {
  const { [url]: _, ...others } = await readSessions();
  const path = sessionsFile();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify({ ...others, ...(session && { [url]: session }) }), { mode: 0o600 });
  await rename(draft, path);
}

async function readSessions(): Promise<Sessions> {
  try {
    return JSON.parse(await readFile(sessionsFile(), 'utf8'));
  } catch {
    return {};
  }
}

function sessionsFile(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'huitong', 'sessions.json');
}
