import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { readTestEnvironment } from './environment.js';
import { ROOT } from './service-process.js';

const PROGRAM = join(ROOT, 'tools/cli/dist/main.js');
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `./perennial dlq` as an operator does, on the tests' Kafka. Never throws: the result has the exit code. */
export async function runDlq(namespace: string, ...args: readonly string[]): Promise<CliResult> {
  return runOnTests(namespace, ['dlq', ...args]);
}

/** Runs `./perennial topic skip` in the same way. */
export async function runSkip(namespace: string, ...args: readonly string[]): Promise<CliResult> {
  return runOnTests(namespace, ['topic', 'skip', ...args]);
}

/** The subcommand is the second word. */
function runOnTests(namespace: string, [command = '', name = '', ...rest]: readonly string[]): Promise<CliResult> {
  const all = [command, name, '--namespace', namespace, '--brokers', readTestEnvironment().brokers.join(','), ...rest];
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...all], { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
