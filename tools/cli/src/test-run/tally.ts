import { relative } from 'node:path';

/** Counts of test results, over one or more suites. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const EMPTY_TALLY: Tally = { passed: 0, failed: 0, skipped: 0 };

/** The part of Jest's `--json` output that is used. */
export interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not be run: they hold no counted test, so each counts as one failure. */
  readonly numRuntimeErrorTestSuites: number;
  readonly success: boolean;
}

/** The part that says how long each test file took. */
export interface JestTimes {
  readonly testResults: ReadonlyArray<{ readonly name: string; readonly startTime: number; readonly endTime: number }>;
}

/** How long a test file took. */
export interface FileTime {
  /** From the repository's root. */
  readonly path: string;
  readonly seconds: number;
}

/** The test files of a Jest run, with the time from the start to the end of each. */
export function toFileTimes({ testResults }: JestTimes, root: string): FileTime[] {
  return testResults.map(({ name, startTime, endTime }) => ({
    path: relative(root, name),
    seconds: Math.max(0, endTime - startTime) / 1000,
  }));
}

/** Counts of a Jest run; an unsuccessful run without a failed test counts as one failure. */
export function toTally(result: JestResult): Tally {
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && !result.success ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, { passed, failed, skipped }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    EMPTY_TALLY,
  );
}

/** The last line of a test run, such as `12 passed, 0 failed, 1 skipped`. */
export function toSummaryLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
