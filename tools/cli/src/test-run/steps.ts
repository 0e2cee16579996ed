import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';
import { printNotice } from '../output.js';
import type { JestResult, Tally } from './tally.js';
import { toTally } from './tally.js';

export interface StepContext {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Program that runs Jest and what its tests start; default this Node.js. */
  readonly node?: string;
}

/** A check that passes or fails as a whole (types, lint ...): counts as one test. */
export async function runCheck(
  context: StepContext,
  name: string,
  command: readonly [string, ...string[]],
): Promise<Tally> {
  printNotice(`\n== ${name}`);
  const code = await run(context, command);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Files in parallel, except where they share a stack (integration) or have threads of their own (simulation, fuzz). */
const WORKERS = {
  unit: [],
  tree: [],
  simulation: ['--runInBand'],
  fuzz: ['--runInBand'],
  integration: ['--runInBand'],
} as const;

/** One of the projects of jest.config.mjs; `filter` narrows it to files whose path matches. */
export async function runJest(
  context: StepContext,
  project: keyof typeof WORKERS,
  filter: string | undefined,
): Promise<Tally> {
  const { node = process.execPath } = context;
  printNotice(`\n== ${project} tests${context.node === undefined ? '' : ` under ${node}`}`);
  const folder = mkdtempSync(join(tmpdir(), 'perennial-jest-'));
  const outputFile = join(folder, 'result.json');
  try {
    const flags = [
      '--selectProjects',
      project,
      '--json',
      `--outputFile=${outputFile}`,
      '--passWithNoTests',
      ...WORKERS[project],
    ];
    const code = await run(context, [
      node,
      join(context.root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...flags,
      ...(filter === undefined ? [] : ['--testPathPatterns', filter]),
    ]);
    return readTally(outputFile, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readTally(outputFile: string, code: number): Tally {
  try {
    return toTally(JSON.parse(readFileSync(outputFile, 'utf8')) as JestResult);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Jest failed before it could count, or had nothing to run.
    return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  }
}

/** All output of the child goes to stderr: stdout is for the summary. */
function run(
  { root, environment, signal }: StepContext,
  [command, ...args]: readonly [string, ...string[]],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', args.includes('--json') ? 'ignore' : 2, 2],
    });
    const end = () => child.kill('SIGTERM');
    signal.addEventListener('abort', end, { once: true });
    child.once('error', (cause) =>
      reject(new AppError('dependency_unavailable', `cannot run ${command}: ${cause.message}`, { cause })),
    );
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code ?? 1);
    });
  });
}
