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
  const [name = '', ...rest] = args;
  const all = ['dlq', name, '--namespace', namespace, '--brokers', readTestEnvironment().brokers.join(','), ...rest];
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...all], { maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
