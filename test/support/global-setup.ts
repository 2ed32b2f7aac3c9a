/** One PostgreSQL and one Temporal for a whole `vitest` run; each test file makes its own databases and task queues. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../runtime/embedded/postgres.ts';
import { startTemporal } from '../../runtime/embedded/temporal.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's URL of the database `postgres`. */
    postgresUrl: string;
    /** `host:port` of Temporal's development server. */
    temporalAddress: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'huitong-test-'));
  const [postgres, temporal] = await Promise.all([
    startPostgres({
      directory,
      settings: ['max_connections=300', 'fsync=off', 'wal_level=logical', 'max_replication_slots=50'],
    }),
    startTemporal({ onLog: (line) => line.startsWith('temporal:') && console.log(line) }),
  ]);
  project.provide('postgresUrl', await postgres.database('postgres'));
  project.provide('temporalAddress', temporal.address);
  return async () => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    await rm(directory, { recursive: true, force: true });
  };
}
