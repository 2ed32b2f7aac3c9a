/**
 * A Temporal whose clock can be turned: the test server of Temporal's Java SDK. With Java and Maven its artifact is
 * fetched once into the user's cache; without them `@temporalio/testing` downloads a binary of it.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const run = promisify(execFile);
const VERSION = '1.32.0';
const FETCH_TIMEOUT_MS = 120_000;
const START_ATTEMPTS_MAX = 6;

/** An environment, or one line that says why there is none. */
export async function openTimeSkipping(): Promise<TestWorkflowEnvironment | string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const path = await javaServer();
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: path === undefined ? { type: 'cached-download' } : { type: 'existing-path', path } },
      });
    } catch (e: unknown) {
      // The SDK gives the server five seconds, in which a busy machine may not have started a JVM.
      const slow = e instanceof Error && e.message.includes('did not start within');
      if (slow && attempt < START_ATTEMPTS_MAX) continue;
      return `no time-skipping Temporal: ${e instanceof Error ? e.message.split('\n')[0] : String(e)}`;
    }
  }
}

/** Path of a script that starts it; undefined where Java or Maven is not there. */
async function javaServer(): Promise<string | undefined> {
  const root = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huitong');
  const folder = join(root, `temporal-test-server-${VERSION}-quick`);
  const script = join(folder, 'start.sh');
  try {
    await run('java', ['-version']);
    const there = await readdir(folder).catch((): string[] => []);
    if (there.includes('start.sh')) return script;
    await run('mvn', ['-version']);
  } catch {
    return undefined;
  }
  const workspace = join(root, `.test-server-${process.pid}`);
  await mkdir(workspace, { recursive: true });
  try {
    await writeFile(join(workspace, 'pom.xml'), POM);
    const fetch = ['-q', '-B', '-f', join(workspace, 'pom.xml'), 'dependency:copy-dependencies'];
    await run('mvn', [...fetch, `-DoutputDirectory=${join(workspace, 'jars')}`], { timeout: FETCH_TIMEOUT_MS });
    await writeFile(join(workspace, 'start.sh'), START);
    await chmod(join(workspace, 'start.sh'), 0o755);
    // Another test file may have been quicker: what it left is the same.
    await rename(workspace, folder).catch((e: NodeJS.ErrnoException) => {
      if (e.code !== 'ENOTEMPTY' && e.code !== 'EEXIST') throw e;
    });
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
  return script;
}

/** With what makes a JVM start quickly, and not what makes it run fast for long. */
const START = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/jars/*" io.temporal.testserver.TestServer "$@" 2>/dev/null
`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>huitong</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;
