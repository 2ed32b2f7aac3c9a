import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // These end what hangs, and say nothing of how fast anything is: some tests take a minute on a busy machine.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // How long a test waits for what must come: a busy machine is slow, and a second is nothing to it.
    expect: { poll: { timeout: 60_000, interval: 25 } },
  },
});
