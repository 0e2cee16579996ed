import { join } from 'node:path';
import { type StackEndpoints, startStack, toLayout } from '@perennial/native-stack';
import { printNotice } from '../output.js';
import { createProgress } from '../progress.js';
import { startContainers } from './containers.js';
import { provideOtherNode } from './other-node.js';
import { runCheck, runJest, type StepContext, type StepResult } from './steps.js';

export interface TestRunOptions {
  readonly unit: boolean;
  readonly integration: boolean;
  /** Integration tests on Docker instead of the native stack. */
  readonly containers: boolean;
  /** Only test files whose path matches. */
  readonly filter: string | undefined;
  /** Once more under the other Node.js. */
  readonly otherNode: boolean;
}

/** The integration test that is run under the other Node.js too: every service started, with a model. */
const START_TEST = 'tests/e2e/start';
/** Of what runs beside the integration tests, which wait most of the time but must be served at once when they do not. */
const BESIDE_NICENESS = 5;

interface RunContext extends StepContext {
  readonly otherNode: string | undefined;
}

/**
 * Runs the tests, and says how each step went. Integration tests mostly wait, so everything else is run at the same time,
 * with a lower priority, and its output printed step by step.
 */
export async function runTests({
  unit,
  integration,
  containers,
  filter,
  otherNode: isOtherWanted,
}: TestRunOptions): Promise<StepResult[]> {
  const { root, cacheDir } = toLayout();
  const interrupted = new AbortController();
  // The steps end their child process, and the stack is stopped afterwards.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const otherNode = isOtherWanted ? await provideOtherNode({ cacheDir, onProgress: printNotice }) : undefined;
  const context: RunContext = { root, environment: {}, signal: interrupted.signal, otherNode };
  const results: StepResult[] = [];
  const isWhole = filter === undefined;
  // Both sides read what it builds.
  if (unit && isWhole) results.push(await runCheck(context, 'types', [toBin(context, 'tsc'), '--build']));
  const beside = integration ? { ...context, niceness: BESIDE_NICENESS } : context;
  const sides = await Promise.all([
    unit ? runUnitSteps(beside, filter) : [],
    integration && !interrupted.signal.aborted ? runIntegrationSteps(context, { containers, filter }) : [],
  ]);
  results.push(...sides.flat());
  if (interrupted.signal.aborted)
    results.push({ name: 'interrupted', seconds: 0, tally: { passed: 0, failed: 1, skipped: 0 }, files: [] });
  return results;
}

function toBin({ root }: StepContext, name: string): string {
  return join(root, 'node_modules', '.bin', name);
}

async function runUnitSteps(context: RunContext, filter: string | undefined): Promise<StepResult[]> {
  const results: StepResult[] = [];
  if (filter === undefined) {
    results.push(await runCheck(context, 'lint', [toBin(context, 'biome'), 'check', '--error-on-warnings', '.']));
    results.push(await runCheck(context, 'contracts', [process.execPath, join('scripts', 'check-contracts.mjs')]));
  }
  for (const project of ['unit', 'tree', 'simulation', 'fuzz'] as const)
    if (!context.signal.aborted) results.push(await runJest(context, project, filter));
  if (context.otherNode !== undefined && !context.signal.aborted)
    results.push(await runJest({ ...context, node: context.otherNode }, 'unit', filter));
  return results;
}

async function runIntegrationSteps(
  context: RunContext,
  { containers, filter }: Pick<TestRunOptions, 'containers' | 'filter'>,
): Promise<StepResult[]> {
  const stack = await startTestStack(containers);
  try {
    const environment = {
      PERENNIAL_TEST_KAFKA_BROKERS: stack.kafkaBrokers,
      PERENNIAL_TEST_REDIS_URL: stack.redisUrl,
      PERENNIAL_TEST_POSTGRES_URL: stack.postgresUrl,
      PERENNIAL_TEST_ROOT: context.root,
    };
    const result = await runJest({ ...context, environment }, 'integration', filter);
    if (context.otherNode === undefined || context.signal.aborted) return [result];
    const again = { ...context, environment, node: context.otherNode };
    return [result, await runJest(again, 'integration', filter ?? START_TEST)];
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
