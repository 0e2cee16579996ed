import { escapeLines } from '@perennial/kernel';

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** The process as a dependency, so that the runner can be tested without a real one. */
export interface ProcessHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments after the script name. */
  readonly args: readonly string[];
  /** Resolves at the next SIGTERM or SIGINT; that signal then does not end the process by itself. */
  waitForSignal(): Promise<StopSignal>;
  setExitCode(code: number): void;
  exit(code: number): void;
  /** Ends the process after `ms` even if work is still running. */
  exitAfter(ms: number, code: number, before: () => void): { cancel(): void };
  /** Writes a line to standard output. */
  print(line: string): void;
  writeError(text: string): void;
}

/** The real process. */
export function createProcessHost(): ProcessHost {
  return {
    env: process.env,
    args: process.argv.slice(2),
    waitForSignal: () =>
      new Promise((resolve) => {
        const done = (signal: StopSignal) => {
          process.off('SIGTERM', done);
          process.off('SIGINT', done);
          resolve(signal);
        };
        process.on('SIGTERM', done);
        process.on('SIGINT', done);
      }),
    setExitCode: (code) => {
      process.exitCode = code;
    },
    exit: (code) => process.exit(code),
    exitAfter: (ms, code, before) => {
      const timer = setTimeout(() => {
        before();
        process.exit(code);
      }, ms);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    // Names and causes may be somebody else's; JSON with escapes is the same value.
    print: (line) => void process.stdout.write(`${escapeLines(line)}\n`),
    writeError: (text) => void process.stderr.write(escapeLines(text)),
  };
}
