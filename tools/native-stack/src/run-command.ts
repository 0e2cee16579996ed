import { spawn } from 'node:child_process';
import { AppError } from '@perennial/kernel';
import { MARKER_VARIABLE } from './process-ref.js';

const OUTPUT_TAIL_CHARS = 4_000;

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
  /** Value of the marker variable, so that processes left by a killed run are found. */
  readonly marker?: string;
}

/**
 * Runs a command to its end and returns its stdout. Throws `dependency_unavailable` with the end of its output on
 * failure.
 */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: {
        ...(options.env ?? process.env),
        ...(options.marker === undefined ? {} : { [MARKER_VARIABLE]: options.marker }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      ...options.user,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-OUTPUT_TAIL_CHARS);
    });
    const fail = (what: string, cause?: unknown) =>
      reject(new AppError('dependency_unavailable', `${command} ${args.slice(0, 3).join(' ')} ${what}`, { cause }));
    child.once('error', (error) => fail(`cannot be run: ${error.message}`, error));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else
        fail(
          `${signal === null ? `exited with ${code}` : `was ended by ${signal}`}:\n${(stderr.trim() || stdout.trim()).slice(-OUTPUT_TAIL_CHARS)}`,
        );
    });
  });
}
