import type { Reporter, TestModule } from 'vitest/node';

/** One plain line at the end of a run, for readers that are no terminal: `12 passed, 0 failed, 1 skipped`. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      const failedBefore = counts.failed;
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      // A file that cannot be loaded, or set up, fails without any of its tests failing.
      if (module.state() === 'failed' && counts.failed === failedBefore) counts.failed += 1;
    }
    const { passed, failed, skipped } = counts;
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped in ${modules.length} files`);
  }
}
