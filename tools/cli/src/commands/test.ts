import { join } from 'node:path';
import { type StackEndpoints, startStack, toLayout } from '@perennial/native-stack';
import { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import { printLine, printNotice } from '../output.js';
import { createProgress } from '../progress.js';
import { startContainers } from '../test-run/containers.js';
import { OTHER_NODE_VERSION, provideOtherNode } from '../test-run/other-node.js';
import { runCheck, runJest, type StepContext } from '../test-run/steps.js';
import { addTallies, type Tally, toSummaryLine } from '../test-run/tally.js';
import { requireMachine } from './up.js';

interface TestOptions {
  readonly unit?: boolean;
  readonly integration?: boolean;
  readonly containers?: boolean;
  readonly filter?: string;
  /** False: only under the Node.js that runs this. */
  readonly otherNode: boolean;
}

/** The integration test that is run under the other Node.js too: every service started, with a model. */
const START_TEST = 'tests/e2e/start';

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
all that match with --filter.
The last line of the output says how it went: \`N passed, N failed\`.`,
    )
    .action(async (options: TestOptions) => {
      const tally = await runTests(options);
      printLine(toSummaryLine(tally));
      if (tally.failed > 0) process.exitCode = EXIT.failed;
    });
}

async function runTests({
  unit,
  integration,
  containers = false,
  filter,
  otherNode: isOtherWanted,
}: TestOptions): Promise<Tally> {
  const both = unit === integration;
  if ((both || integration) && !containers) await requireMachine();
  const { root, cacheDir } = toLayout();
  const interrupted = new AbortController();
  // The steps end their child process, and the stack is stopped afterwards.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const otherNode = isOtherWanted ? await provideOtherNode({ cacheDir, onProgress: printNotice }) : undefined;
  const context: TestContext = { root, environment: {}, signal: interrupted.signal, otherNode };
  const tallies: Tally[] = [];
  if (both || unit) tallies.push(await runUnitSteps(context, filter));
  if ((both || integration) && !interrupted.signal.aborted)
    tallies.push(await runIntegrationSteps(context, { containers, filter }));
  if (interrupted.signal.aborted) tallies.push({ passed: 0, failed: 1, skipped: 0 });
  return addTallies(tallies);
}

interface TestContext extends StepContext {
  readonly otherNode: string | undefined;
}

async function runUnitSteps(context: TestContext, filter: string | undefined): Promise<Tally> {
  const bin = (name: string) => join(context.root, 'node_modules', '.bin', name);
  const tallies: Tally[] = [];
  if (filter === undefined) {
    tallies.push(await runCheck(context, 'types', [bin('tsc'), '--build']));
    tallies.push(await runCheck(context, 'lint', [bin('biome'), 'check', '--error-on-warnings', '.']));
    tallies.push(await runCheck(context, 'contracts', [process.execPath, join('scripts', 'check-contracts.mjs')]));
  }
  for (const project of ['unit', 'tree', 'simulation', 'fuzz'] as const)
    if (!context.signal.aborted) tallies.push(await runJest(context, project, filter));
  if (context.otherNode !== undefined && !context.signal.aborted)
    tallies.push(await runJest({ ...context, node: context.otherNode }, 'unit', filter));
  return addTallies(tallies);
}

async function runIntegrationSteps(
  context: TestContext,
  { containers, filter }: { containers: boolean; filter: string | undefined },
): Promise<Tally> {
  const stack = await startTestStack(containers);
  try {
    const environment = {
      PERENNIAL_TEST_KAFKA_BROKERS: stack.kafkaBrokers,
      PERENNIAL_TEST_REDIS_URL: stack.redisUrl,
      PERENNIAL_TEST_POSTGRES_URL: stack.postgresUrl,
      PERENNIAL_TEST_ROOT: context.root,
    };
    const tally = await runJest({ ...context, environment }, 'integration', filter);
    if (context.otherNode === undefined || context.signal.aborted) return tally;
    const again = { ...context, environment, node: context.otherNode };
    return addTallies([tally, await runJest(again, 'integration', filter ?? START_TEST)]);
  } finally {
    await stack.stop();
  }
}

async function startTestStack(containers: boolean): Promise<StackEndpoints & { stop(): Promise<void> }> {
  const progress = createProgress();
  progress.report(containers ? 'starting containers' : 'starting a stack for the tests');
  try {
    return containers ? await startContainers() : await startStack({ ephemeral: true, onProgress: progress.report });
  } finally {
    progress.done();
  }
}
