import { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { printLine, printNotice } from '../output.js';
import { OTHER_NODE_VERSION } from '../test-run/other-node.js';
import { formatTimes } from '../test-run/report-times.js';
import { runTests } from '../test-run/run-tests.js';
import { addTallies, toSummaryLine } from '../test-run/tally.js';
import { requireMachine } from './up.js';

interface TestOptions {
  readonly unit?: boolean;
  readonly integration?: boolean;
  readonly containers?: boolean;
  readonly filter?: string;
  /** False: only under the Node.js that runs this. */
  readonly otherNode: boolean;
}

export function createTestCommand(): Command {
  return new Command('test')
    .option('--unit', 'only what needs no stack')
    .option('--integration', 'only what needs a stack')
    .option('--containers', 'integration tests on Docker (testcontainers) instead of the native stack')
    .option('--filter <pattern>', 'only test files whose path matches this regular expression')
    .option('--no-other-node', `not once more under Node.js ${OTHER_NODE_VERSION}`)
    .addHelpText(
      'after',
      `
Examples:
  ./perennial test                                 everything
  ./perennial test --unit                          five minutes, no stack
  ./perennial test --integration --filter backfill   one part of the integration tests
  ./perennial test --integration --containers      the same on Docker

Unit tests, and one that starts the platform with a model, run once more under Node.js ${OTHER_NODE_VERSION} from npm,
all that match with --filter. Without --unit and --integration both run at the same time.
Before the end: the seconds of each step, and the ten slowest test files.
The last line of the output says how it went: \`N passed, N failed\`.`,
    )
    .action(async (options: TestOptions) => {
      const { unit = false, integration = false, containers = false, filter, otherNode } = options;
      const both = unit === integration;
      if ((both || integration) && !containers) await requireMachine();
      const results = await runTests({
        unit: both || unit,
        integration: both || integration,
        containers,
        filter,
        otherNode,
      });
      printNotice(formatTimes(results));
      const tally = addTallies(results.map(({ tally }) => tally));
      printLine(toSummaryLine(tally));
      if (tally.failed > 0) process.exitCode = EXIT.failed;
    });
}
