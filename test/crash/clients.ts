import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Runs `body` with a connection of its own. */
export async function connected<T>(url: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'crash harness' });
  // A broken connection is reported by the query that needed it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

/** Asks until the answer is there; throws, naming `what`, when it does not come in time. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined | false>,
  pauseMs = 5,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s in vain: ${what}`);
    await delay(pauseMs);
  }
}
