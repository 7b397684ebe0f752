import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/redis-setup.ts'],
    reporters: ['default', './test/support/count-reporter.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A test may be given up, never retried: a flaky test is a bug.
    retry: 0,
    teardownTimeout: 20_000,
    // Servers mostly run in UTC, where a time that was read as this machine's own is right by chance.
    env: { TZ: 'Asia/Tokyo' },
  },
});
