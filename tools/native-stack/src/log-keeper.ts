import { spawn } from 'node:child_process';
import { LOG_FILE_LIMITS, type LogFileLimits } from '@perennial/kernel';
import type { ProcessRef } from './process-ref.js';

/** Limits of the file that holds all that a process of the stack writes. */
export interface LogLimits extends LogFileLimits {
  /** Time between two looks at the file: what a process writes in it comes on top. */
  readonly intervalSeconds: number;
}

/** The limits of every log file; what a process writes in five seconds comes on top. */
export const LOG_LIMITS: LogLimits = { ...LOG_FILE_LIMITS, intervalSeconds: 5 };

/**
 * Arguments: pid, start time in ticks ("" where it is not known), file, bytes, old files kept, seconds. A shell, since it
 * lives as long as its process: 1 MB instead of the 40 of Node.js. It copies and empties, because the process has the file
 * open; it does so even when the copy fails, on a full disk.
 */
const KEEP_SMALL = `
umask 077
is_running() {
  [ -n "$2" ] || { kill -0 "$1" 2>/dev/null; return; }
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  wanted=$2
  set -- \${line##*) }
  shift 19
  [ "$1" = "$wanted" ]
}
keep_small() {
  [ -f "$1" ] || return 0
  [ "$(wc -c <"$1")" -ge "$2" ] || return 0
  number=$3
  while [ "$number" -gt 1 ]; do
    [ ! -f "$1.$((number - 1))" ] || mv -f "$1.$((number - 1))" "$1.$number"
    number=$((number - 1))
  done
  cp -f "$1" "$1.1"
  : >"$1"
}
while is_running "$1" "$2"; do
  sleep "$6"
  keep_small "$3" "$4" "$5"
done
`;

/**
 * Keeps a process's log small for as long as the process runs, by a process beside it that ends by itself: nobody else runs
 * as long. The process must append to the file, or emptying it would leave a hole.
 */
export function keepLogSmall(
  { pid, startedAt }: ProcessRef,
  logFile: string,
  { bytesMax, filesKept, intervalSeconds }: LogLimits = LOG_LIMITS,
): void {
  const ticks = process.platform === 'linux' ? (startedAt.split(':').at(-1) ?? '') : '';
  const values = [pid, ticks, logFile, bytesMax, filesKept, intervalSeconds].map(String);
  const keeper = spawn('/bin/sh', ['-c', KEEP_SMALL, 'sh', ...values], {
    cwd: '/',
    // Without the marker of its process: it is none of those that may run only once.
    env: { PATH: process.env.PATH },
    detached: true,
    stdio: 'ignore',
  });
  // No process to be had: the next start puts a large log aside.
  keeper.on('error', () => undefined);
  keeper.unref();
}
