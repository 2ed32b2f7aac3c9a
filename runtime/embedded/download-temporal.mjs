/**
 * Lets `@temporalio/testing` download Temporal's development server into the folder given as the argument.
 * A process of its own: the SDK's runtime takes over the signal handlers of the process it runs in.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir] = process.argv.slice(2);
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir } },
  });
  await environment.teardown();
} catch (e) {
  console.error(e instanceof Error ? e.message : String(e));
  process.exitCode = 1;
}
