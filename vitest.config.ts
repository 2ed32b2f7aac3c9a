import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // How long a test waits for what must come: a busy machine is slow, and a second is nothing to it.
    expect: { poll: { timeout: 30_000, interval: 25 } },
  },
});
