import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, systemClock, toMessage } from '@perennial/kernel';
import { withOwnerUmask } from './closed-folders.js';
import { describeLogTails, putLargeOutputAside } from './log-files.js';
import { keepLogSmall, LOG_LIMITS, type LogLimits } from './log-keeper.js';
import { isRunning, MARKER_VARIABLE, type ProcessRef, readProcessRef } from './process-ref.js';

const PROBE_INTERVAL_MS = 50;

export interface DaemonOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Value of the marker variable: one for each process that may run only once. */
  readonly marker: string;
  /** File to which stdout and stderr are appended, and which is kept small. */
  readonly logFile: string;
  readonly logLimits?: LogLimits | undefined;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Starts a process that outlives this one, its output in a file. Throws `dependency_unavailable` when the start fails.
 */
export async function startDaemon(options: DaemonOptions): Promise<ProcessRef> {
  const { logFile, logLimits = LOG_LIMITS } = options;
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  putLargeOutputAside(logFile, logLimits);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = withOwnerUmask(() =>
      spawn(options.command, options.args, {
        cwd: options.cwd,
        env: { ...options.env, [MARKER_VARIABLE]: options.marker },
        detached: true,
        stdio: ['ignore', log, log],
        ...(options.user === undefined ? {} : options.user),
      }),
    );
    const failure = new Promise<never>((_resolve, reject) => child.once('error', reject));
    const ref = child.pid === undefined ? undefined : readProcessRef(child.pid);
    if (ref === undefined) await Promise.race([failure, systemClock.wait(1_000)]);
    child.unref();
    if (ref === undefined) throw new Error('it ended at once');
    keepLogSmall(ref, logFile, logLimits);
    return ref;
  } catch (cause) {
    throw new AppError(
      'dependency_unavailable',
      `cannot start ${options.command}: ${toMessage(cause)}${describeLogTails([logFile])}`,
      { cause },
    );
  } finally {
    closeSync(log);
  }
}

interface ReadyWait {
  readonly what: string;
  readonly probe: () => Promise<void>;
  readonly logFile: string;
  readonly deadlineMs: number;
}

/** Probes until it answers. Throws with the end of the log when the process ends first or the deadline passes. */
export async function waitUntilReady(ref: ProcessRef, { what, probe, logFile, deadlineMs }: ReadyWait): Promise<void> {
  const deadline = systemClock.steadyMs() + deadlineMs;
  for (;;) {
    try {
      return await probe();
    } catch (cause) {
      if (!isRunning(ref)) {
        throw new AppError('dependency_unavailable', `${what} ended while starting${describeLogTails([logFile])}`, {
          cause,
        });
      }
      if (systemClock.steadyMs() >= deadline) {
        throw new AppError(
          'timeout',
          `${what} did not answer within ${deadlineMs / 1000} s (${toMessage(cause)})${describeLogTails([logFile])}`,
          { cause },
        );
      }
      await systemClock.wait(PROBE_INTERVAL_MS);
    }
  }
}
