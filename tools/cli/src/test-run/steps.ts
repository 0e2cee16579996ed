import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';
import { printNotice } from '../output.js';
import { type FileTime, type JestResult, type JestTimes, type Tally, toFileTimes, toTally } from './tally.js';

export interface StepContext {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Program that runs Jest and what its tests start; default this Node.js. */
  readonly node?: string;
  /** Set for a step beside another one: it gets less of the machine (0 to 19), and its output comes when it has ended. */
  readonly niceness?: number;
}

/** How a step went, and how long it took, with each test file that it ran. */
export interface StepResult {
  readonly name: string;
  readonly seconds: number;
  readonly tally: Tally;
  readonly files: readonly FileTime[];
}

/** A check that passes or fails as a whole (types, lint ...): counts as one test. */
export async function runCheck(
  context: StepContext,
  name: string,
  command: readonly [string, ...string[]],
): Promise<StepResult> {
  const startedAt = performance.now();
  const code = await run(context, { name, command });
  const tally = { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  return { name, seconds: toSeconds(startedAt), tally, files: [] };
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
): Promise<StepResult> {
  const { root, node = process.execPath } = context;
  const name = `${project} tests${context.node === undefined ? '' : ` under ${node}`}`;
  const startedAt = performance.now();
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
      ...(filter === undefined ? [] : ['--testPathPatterns', filter]),
    ];
    const code = await run(context, { name, command: [node, join(root, 'node_modules/jest/bin/jest.js'), ...flags] });
    return { name, seconds: toSeconds(startedAt), ...readResult(outputFile, { root, code }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toSeconds(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}

function readResult(
  outputFile: string,
  { root, code }: { readonly root: string; readonly code: number },
): Pick<StepResult, 'tally' | 'files'> {
  try {
    const result = JSON.parse(readFileSync(outputFile, 'utf8')) as JestResult & JestTimes;
    return { tally: toTally(result), files: toFileTimes(result, root) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Jest failed before it could count, or had nothing to run.
    return { tally: { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 }, files: [] };
  }
}

/** All output of the child goes to stderr: stdout is for the summary. */
function run(
  { root, environment, signal, niceness }: StepContext,
  step: { readonly name: string; readonly command: readonly [string, ...string[]] },
): Promise<number> {
  const [command, ...args] = step.command;
  const output: Buffer[] = [];
  const heading = `\n== ${step.name}`;
  if (niceness === undefined) printNotice(heading);
  return new Promise((resolve, reject) => {
    const to = niceness === undefined ? 2 : 'pipe';
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', args.includes('--json') ? 'ignore' : to, to],
    });
    // What it starts inherits it.
    if (niceness !== undefined && child.pid !== undefined) setPriority(child.pid, niceness);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk));
    const end = () => child.kill('SIGTERM');
    signal.addEventListener('abort', end, { once: true });
    child.once('error', (cause) =>
      reject(new AppError('dependency_unavailable', `cannot run ${command}: ${cause.message}`, { cause })),
    );
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      if (niceness !== undefined) printNotice(`${heading}\n${Buffer.concat(output)}`);
      resolve(code ?? 1);
    });
  });
}
